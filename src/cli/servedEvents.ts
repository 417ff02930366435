/**
 * The events of a pipeline as a service tells them, as rows of its log.
 *
 * @module
 */
import { Effect, Option, Schedule, Stream } from "effect"
import { HttpClientError } from "effect/http"
import { pipelineStream } from "../../events/PipelineEvent.ts"
import type { StoredEvent } from "../../events/StoredEvent.ts"
import { schemaVersion } from "../../events/upcast.ts"
import type { EventJson } from "../api/EventJson.ts"
import { pageMost } from "../api/values.ts"
import { Service } from "./Service.ts"
import { serviceFailure } from "./serviceFailure.ts"

export interface Served {
  /** Only what comes after this version. */
  readonly after: number
  /** Only these types; all when empty. */
  readonly types: ReadonlySet<string>
  /** Go on as new events arrive. */
  readonly follow: boolean
}

/** Fails with `unknown_pipeline` before the first row where there is no such pipeline. */
export const servedEvents = Effect.fnUntraced(function* (name: string, served: Served) {
  const service = yield* Service
  const { id } = yield* service.client.pipelines.getPipeline({
    params: { name },
    query: { selector: "status" }
  })
  const rows = served.follow ? followed(name, service, served) : paged(name, service, served)
  const toRow = rowOf(pipelineStream(id))
  return rows.pipe(
    Stream.map(toRow),
    Stream.mapError((error) => serviceFailure(error, service))
  )
})

const paged = (name: string, { client }: Service["Service"], { after, types }: Served) =>
  Stream.paginate(after, (from) =>
    Effect.gen(function* () {
      const query = { after: from, limit: pageMost, ...(types.size === 0 ? {} : { type: [...types] }) }
      const page = yield* client.history.getEvents({ params: { name }, query, headers: {} })
      // A stream is answered only to who asks for one.
      if (Stream.isStream(page)) return [[], Option.none<number>()] as const
      return [page.events, Option.fromNullishOr(page.next)] as const
    })
  )

/** A service that stops ends its answer: it is asked again, and fails when nobody answers any more. */
const followed = (name: string, { following }: Service["Service"], { after, types }: Served) => {
  let last = after
  const once = Effect.gen(function* () {
    const query = types.size === 0 ? {} : { type: [...types] }
    const headers = { "last-event-id": last }
    const client = yield* following
    const answer = yield* client.history.getEvents({ params: { name }, query, headers })
    if (!Stream.isStream(answer)) return Stream.fromIterable(answer.events)
    const events = Stream.map(answer, (frame) => frame.data)
    return Stream.catchIf(events, HttpClientError.isHttpClientError, () => Stream.empty)
  })
  return Stream.suspend(() => Stream.unwrap(once)).pipe(
    Stream.tap(({ version }) =>
      Effect.sync(() => {
        last = version
      })
    ),
    Stream.repeat(Schedule.spaced("1 second"))
  )
}

/** What the envelope of the contract leaves out is what no reader of it needs; the shape is the present one. */
const rowOf =
  (stream: string) =>
  (event: EventJson): StoredEvent => ({
    position: event.position,
    stream,
    version: event.version,
    type: event.type,
    schemaVersion,
    payload: JSON.stringify(event.payload),
    at: Date.parse(event.at),
    eventId: event.event_id,
    causationId: null,
    correlationId: null,
    by: event.by,
    epoch: event.epoch,
    hash: event.hash
  })
