/**
 * Who looks at which pipeline of this process. While nobody does, a batch costs one look into an empty map.
 *
 * @module
 */
import { Context, Effect, type Scope } from "effect"
import { type Arrived, type Saw, Tap, type TapOptions, type TappedBatch } from "./Tap.ts"

/** Pairs of eyes on one pipeline, and in one process. */
export const tapsOfPipelineMost = 4
export const tapsMost = 32

/** What a route tells while somebody looks at its pipeline. */
export interface Watch {
  readonly look: (arrived: Omit<Arrived, "now">) => Saw | undefined
  readonly failed: (batch: TappedBatch, row: number) => void
}

export class TapRegistry {
  readonly #taps = new Map<string, Set<Tap>>()
  #count = 0

  /** Looks until the scope closes; `undefined` when there are too many who look already. */
  open(pipeline: string, options: TapOptions): Effect.Effect<Tap | undefined, never, Scope.Scope> {
    return Effect.acquireRelease(
      Effect.sync(() => this.#add(pipeline, new Tap(options))),
      (tap) => Effect.sync(() => tap !== undefined && this.#remove(pipeline, tap))
    )
  }

  /** May one more look? */
  hasRoom(pipeline: string): boolean {
    return this.#count < tapsMost && (this.#taps.get(pipeline)?.size ?? 0) < tapsOfPipelineMost
  }

  isWatched(pipeline: string): boolean {
    return this.#count > 0 && this.#taps.has(pipeline)
  }

  /** For one batch, at an instant. */
  watch(pipeline: string, now: number): Watch | undefined {
    const taps = this.#taps.get(pipeline)
    if (taps === undefined) return undefined
    return {
      look: (arrived) => {
        const saws = [...taps].flatMap((tap) => tap.look({ ...arrived, now }) ?? [])
        if (saws.length <= 1) return saws[0]
        return (...told) => {
          for (const saw of saws) saw(...told)
        }
      },
      failed: (batch, row) => {
        for (const tap of taps) tap.failed(batch, row, now)
      }
    }
  }

  #add(pipeline: string, tap: Tap): Tap | undefined {
    const taps = this.#taps.get(pipeline) ?? new Set()
    if (!this.hasRoom(pipeline)) return undefined
    this.#taps.set(pipeline, taps.add(tap))
    this.#count++
    return tap
  }

  #remove(pipeline: string, tap: Tap): void {
    const taps = this.#taps.get(pipeline)
    if (taps?.delete(tap) !== true) return
    this.#count--
    if (taps.size === 0) this.#taps.delete(pipeline)
  }
}

/** One for the process unless another is provided: ids of pipelines are unique. */
export const Taps = Context.Reference<TapRegistry>("millrace/flow/Taps", {
  defaultValue: () => new TapRegistry()
})
