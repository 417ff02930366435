/**
 * A stream of events, folded a page at a time: however long it is, no more than a page is held, and others
 * have their turn between two pages.
 *
 * @module
 */
import { Effect, Result, Stream } from "effect"
import type { PipelineEvent } from "../../../events/PipelineEvent.ts"
import type { StoredEvent } from "../../../events/StoredEvent.ts"
import { decodePipelineEvent, type UndecodableEvent } from "../../../events/upcast.ts"
import type { EventLog, LogError } from "../../log/EventLog.ts"

/** A fold's state after the event of this version; 0 is before the first. */
export interface Folded<S> {
  readonly state: S
  readonly version: number
}

export interface Part {
  readonly stream: string
  /** The last version that is read; the end of the log when absent. */
  readonly until?: number | undefined
}

/** Folds rows that `step` may refuse to understand. */
export const foldRows = <S>(
  log: EventLog["Service"],
  { stream, until = Number.POSITIVE_INFINITY }: Part,
  from: Folded<S>,
  step: (state: S, row: StoredEvent) => Result.Result<S, UndecodableEvent>
): Effect.Effect<Folded<S>, LogError | UndecodableEvent> =>
  Effect.suspend(() => {
    if (from.version >= until) return Effect.succeed(from)
    const limit = until === Number.POSITIVE_INFINITY ? undefined : until - from.version
    let folded = from
    return Stream.runForEachArray(log.read(stream, { after: from.version, limit }), (rows) =>
      Effect.suspend(() => {
        let { state, version } = folded
        for (const row of rows) {
          const next = step(state, row)
          if (next._tag === "Failure") return Effect.fail(next.failure)
          state = next.success
          version = row.version
        }
        folded = { state, version }
        return Effect.yieldNow
      })
    ).pipe(Effect.map(() => folded))
  })

/** Folds events, each with the row it came from. */
export const foldEvents = <S>(
  log: EventLog["Service"],
  part: Part,
  from: Folded<S>,
  step: (state: S, event: PipelineEvent, row: StoredEvent) => S
): Effect.Effect<Folded<S>, LogError | UndecodableEvent> =>
  foldRows(log, part, from, (state, row) =>
    Result.map(decodePipelineEvent(row), (event) => step(state, event, row))
  )
