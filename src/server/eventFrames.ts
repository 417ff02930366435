/**
 * Stored events as server-sent events, resumed exactly behind a version.
 *
 * The id of a frame is its event's version, so a browser that reconnects sends where it stopped as
 * `Last-Event-ID`. Versions of a stream have no gaps; a gap therefore means that something was lost on the
 * way here, and the answer ends: whoever reconnects reads it from the log.
 *
 * @module
 */
import { Duration, Effect, Stream } from "effect"
import { HttpServerResponse } from "effect/http"
import type { StoredEvent } from "../../events/StoredEvent.ts"
import { eventText } from "./eventText.ts"

export interface Follow {
  /** The version the reader has already; 0 for none. */
  readonly after: number
  /** Only events of these types; all when empty. */
  readonly types: ReadonlySet<string>
  /** How often a comment is sent, so that a dead connection is noticed at both ends; 15 seconds when absent. */
  readonly heartbeat?: Duration.Input
}

/** Pages of events, as the log gives them, that are read ahead of a slow reader. */
const pagesAhead = 4

/**
 * Frames of a stream of one pipeline's events, in order of version, which begins at or before `after + 1`
 * and may repeat itself. A failure ends it, and is logged.
 */
export const eventFrames = <E, R>(
  events: Stream.Stream<StoredEvent, E, R>,
  { after, heartbeat = Duration.seconds(15), types }: Follow
): Stream.Stream<Uint8Array, never, R> =>
  Stream.suspend(() => {
    let last = after
    let lost = false
    const frames = events.pipe(
      Stream.filter(({ version }) => version > after),
      Stream.mapArray((rows) => {
        const text: Array<string> = []
        for (const row of rows) {
          if (row.version <= last || lost) continue
          lost = row.version !== last + 1
          if (lost) break
          last = row.version
          if (types.size === 0 || types.has(row.type)) text.push(frame(row))
        }
        return [text.join("")] as const
      }),
      Stream.takeUntil(() => lost),
      Stream.filter((text) => text !== ""),
      Stream.catchCause((cause) =>
        Stream.drain(Stream.fromEffect(Effect.logWarning("a reader of events was cut off", cause)))
      ),
      Stream.buffer({ capacity: pagesAhead })
    )
    const beats = Stream.map(Stream.tick(heartbeat), () => ": heartbeat\n\n")
    return Stream.merge(frames, beats, { haltStrategy: "left" }).pipe(
      Stream.map((text) => encoder.encode(text))
    )
  })

/** The frames as the answer to a request. */
export const eventsResponse = <R>(
  frames: Stream.Stream<Uint8Array, never, R>
): Effect.Effect<HttpServerResponse.HttpServerResponse, never, R> =>
  Effect.map(Effect.context<R>(), (context) =>
    HttpServerResponse.stream(Stream.provideContext(frames, context), {
      contentType: "text/event-stream",
      headers: { "cache-control": "no-store", "x-accel-buffering": "no" }
    })
  )

const encoder = new TextEncoder()

const frame = (row: StoredEvent): string =>
  `id: ${row.version}\nevent: ${row.type}\ndata: ${eventText(row)}\n\n`
