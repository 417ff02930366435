/**
 * The events of one pipeline: those there are, and then those that come.
 *
 * @module
 */
import { Effect, Stream } from "effect"
import type { PipelineEvent } from "../../events/PipelineEvent.ts"
import type { StoredEvent } from "../../events/StoredEvent.ts"
import { decodePipelineEvent, type UndecodableEvent } from "../../events/upcast.ts"
import type { EventLog, LogError } from "../log/EventLog.ts"

/** An event with its place in the log; `at` is milliseconds since 1970. */
export interface Recorded {
  readonly event: PipelineEvent
  readonly version: number
  readonly position: number
  readonly at: number
  readonly by: string
}

/** A row of the log as the event it holds. */
export const recorded = (row: StoredEvent): Effect.Effect<Recorded, UndecodableEvent> =>
  Effect.map(Effect.fromResult(decodePipelineEvent(row)), (event) => {
    const { at, by, position, version } = row
    return { event, version, position, at, by }
  })

/** A follower looks by itself this often, in case a wake-up was lost. */
const pollEvery = "5 seconds"

/** What is there, then what comes: every wake-up reads on from the last version that was told. */
export const followEvents = (
  log: EventLog["Service"],
  stream: string,
  after: number
): Stream.Stream<Recorded, LogError | UndecodableEvent> =>
  Stream.suspend(() => {
    let last = after
    const rest = Stream.suspend(() => log.read(stream, { after: last })).pipe(
      Stream.mapEffect(recorded),
      Stream.tap(({ version }) =>
        Effect.sync(() => {
          last = version
        })
      )
    )
    // Listening begins with the reading, and the tick finds what another process appended.
    const wakeUps = Stream.mergeAll(
      [
        Stream.map(log.changes, (): void => undefined),
        Stream.succeed<void>(undefined),
        Stream.tick(pollEvery)
      ],
      { concurrency: "unbounded" }
    )
    return Stream.flatMap(wakeUps, () => rest)
  })
