/**
 * The events of one pipeline: a page of them, or what there is and then what comes.
 *
 * @module
 */
import { Effect, Stream } from "effect"
import type { StoredEvent } from "../../../events/StoredEvent.ts"
import type { EventLog, LogError } from "../../log/EventLog.ts"

type Log = EventLog["Service"]

export interface EventQuery {
  /** Only events after this version. */
  readonly after: number
  readonly limit: number
  /** Only events of these types; all when empty. */
  readonly types: ReadonlySet<string>
}

export interface EventPage {
  readonly events: ReadonlyArray<StoredEvent>
  /** The version to go on after; `null` when there was no more. A page may be short, or empty, and not the last. */
  readonly next: number | null
}

/** A page ends after this many characters of payload, and after this many events were looked at for it. */
export const pageCharacters = 4 * 1024 * 1024
export const lookedAtMost = 20_000

export const eventPage = Effect.fnUntraced(function* (
  log: Log,
  stream: string,
  { after, limit, types }: EventQuery
): Effect.fn.Return<EventPage, LogError> {
  const events: Array<StoredEvent> = []
  let characters = 0
  let looked = 0
  let last = after
  const isFull = (row: StoredEvent): boolean => {
    looked += 1
    last = row.version
    if (types.size === 0 || types.has(row.type)) {
      events.push(row)
      characters += row.payload.length
    }
    return events.length >= limit || characters >= pageCharacters || looked >= lookedAtMost
  }
  // One more than are wanted tells whether there is more.
  const most = types.size === 0 ? limit : lookedAtMost
  yield* log.read(stream, { after, limit: most }).pipe(Stream.takeUntil(isFull), Stream.runDrain)
  const more = yield* Stream.runCollect(log.read(stream, { after: last, limit: 1 }))
  return { events, next: more.length === 0 ? null : last }
})

/** Between two looks at the log (milliseconds) a follower rests, however fast others write. */
const restMs = 100

/** A follower looks by itself this often, in case a wake-up was lost. */
const pollEvery = "5 seconds"

/**
 * Every event after a version, in order, and every one that is appended later, for as long as it is read.
 * Nobody is woken for it: it looks at the log, when the log says that something was appended anywhere. A slow
 * reader reads later, and nothing is kept for it meanwhile.
 */
export const followEvents = (log: Log, stream: string, after: number): Stream.Stream<StoredEvent, LogError> =>
  Stream.suspend(() => {
    let last = after
    const fresh = Stream.suspend(() => log.read(stream, { after: last })).pipe(
      Stream.mapArray((rows) => {
        last = rows.at(-1)?.version ?? last
        return rows
      })
    )
    const rest = Stream.drain(Stream.fromEffect(Effect.sleep(restMs)))
    const wakeUps = Stream.merge(
      Stream.map(log.changes, (): void => undefined),
      Stream.tick(pollEvery)
    )
    return Stream.flatMap(wakeUps, () => Stream.concat(fresh, rest))
  })
