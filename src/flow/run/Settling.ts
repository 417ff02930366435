/**
 * Who waits until what was in flight when they asked is settled.
 *
 * @module
 */
import { Deferred, Effect } from "effect"
import type { PipelineState } from "../../../projections/PipelineState.ts"

/** Resolves `settled` once every batch that was sealed before it is settled and in the log. */
export interface Settle {
  readonly _tag: "Settle"
  readonly settled: Deferred.Deferred<void>
}

const isSettle = (message: { readonly _tag: string }): message is Settle => message._tag === "Settle"

export class Settling {
  #waiting: ReadonlyArray<{ readonly before: number; readonly of: Settle }> = []

  /** Somebody waits: what is answered is made durable without waiting for the interval. */
  get isUrgent(): boolean {
    return this.#waiting.length > 0
  }

  /** `nextBatch` is the first that was not sealed when this was asked. */
  ask(messages: ReadonlyArray<Settle | { readonly _tag: string }>, nextBatch: number): void {
    for (const message of messages) {
      if (isSettle(message)) this.#waiting = [...this.#waiting, { before: nextBatch, of: message }]
    }
  }

  /** Tells those whose batches the log says are settled. */
  tell({ open }: PipelineState): Effect.Effect<void> {
    if (!this.isUrgent) return Effect.void
    const first = open[0]?.batch ?? Number.POSITIVE_INFINITY
    const done = this.#waiting.filter(({ before }) => before <= first)
    this.#waiting = this.#waiting.filter(({ before }) => before > first)
    return Effect.forEach(done, ({ of }) => Deferred.succeed(of.settled, undefined), { discard: true })
  }
}
