/**
 * The service with the real handlers of `history` and `deadLetters`, over a log in memory.
 *
 * @module
 */
import { Effect, Layer, Stream } from "effect"
import { FetchHttpClient, HttpClient, HttpClientRequest } from "effect/http"
import { HttpApiClient } from "effect/http-api"
import type { PipelineEvent } from "../../events/PipelineEvent.ts"
import { pipelineStream } from "../../events/PipelineEvent.ts"
import { Api } from "../../src/api/Api.ts"
import { Drivers } from "../../src/drivers/Drivers.ts"
import { makeMemoryHub } from "../../src/drivers/memory/MemoryHub.ts"
import { EventLog } from "../../src/log/EventLog.ts"
import { layerMemoryOn, makeMemoryStore } from "../../src/log/Memory.ts"
import { eventsOf, headsOf } from "../../src/log/MemoryStore.ts"
import { LiveRoster } from "../../src/pipeline/LiveRoster.ts"
import { Pipelines } from "../../src/pipeline/Pipelines.ts"
import { layerShared } from "../../src/server/handlers.ts"
import { layerDeadLetters } from "../../src/server/layerDeadLetters.ts"
import { layerHistory } from "../../src/server/layerHistory.ts"
import type { ServerOptions } from "../../src/server/Server.ts"
import { newEvent } from "../contracts/newEvent.ts"
import { servingWith, stub } from "./serving.ts"

export const name = "orders"

const wire = {
  name,
  schedule: { interval: "1h" },
  stages: {
    in: { source: { use: "memory", name: "in" } },
    out: { from: "in", sink: { use: "memory", name: "out" } }
  },
  runtime: { batch_size: 2, checkpoint_interval: "0s" }
}

export const definition = {
  ...{ name, description: "", text: "", settings: {}, definition: wire, findings: [] },
  ...{ signature: "one", base: "/" }
}

/** A service until the scope closes, a client of it, and the log it reads; `onRead` is told of every event its handlers read. The pipeline `orders` is registered. */
export const servingHistory = Effect.fnUntraced(function* (
  options: Partial<ServerOptions> = {},
  onRead: () => void = () => {}
) {
  const hub = makeMemoryHub()
  const store = makeMemoryStore()
  const engine = yield* Layer.build(
    Pipelines.layerLocal.pipe(
      Layer.provideMerge(Layer.merge(layerMemoryOn(store), Drivers.layer([hub.driver])))
    )
  )
  const onEngine = <A, E, R>(use: Effect.Effect<A, E, R>) => Effect.provideContext(use, engine)
  const id = yield* onEngine(Pipelines.use((pipelines) => pipelines.register(name, "test")))
  const stream = pipelineStream(id)
  const handlers = stub()
  const server = yield* servingWith(
    handlers,
    options,
    (stubs) =>
      Layer.mergeAll(stubs, layerHistory, layerDeadLetters).pipe(
        Layer.provide(
          Layer.effect(
            EventLog,
            Effect.map(EventLog, (log) => told(log, onRead))
          )
        ),
        Layer.provide(Layer.succeedContext(engine))
      ),
    layerShared.pipe(
      Layer.provideMerge(LiveRoster.layer),
      Layer.provideMerge(Layer.succeedContext(engine)),
      Layer.orDie
    )
  )
  const clientWith = (headers: Readonly<Record<string, string>>) =>
    HttpApiClient.make(Api, {
      baseUrl: server.url,
      transformClient: HttpClient.mapRequest(HttpClientRequest.setHeaders(headers))
    }).pipe(Effect.provide(FetchHttpClient.layer))

  /** Appends to the log of the pipeline as its owner would, a command an event. */
  const append = Effect.fnUntraced(function* (events: ReadonlyArray<PipelineEvent>) {
    const log = yield* EventLog
    const { epoch, version } = yield* log.claim(stream)
    const rows = events.map((event, index) =>
      newEvent(`${version + index + 1}`, {
        type: event._tag,
        schemaVersion: 1,
        payload: JSON.stringify(event),
        at: (version + index + 1) * 1000
      })
    )
    yield* log.append(stream, { expectedVersion: version, epoch }, rows)
  }, onEngine)

  return {
    ...{ server, hub, id, stream, onEngine, append, handlers, clientWith },
    client: yield* clientWith({}),
    rows: () => eventsOf(store, stream),
    /** Grows whenever an actor wakes. */
    epoch: () => headsOf(store).find((head) => head.stream === stream)?.epoch
  }
})

/** The log in small pages, telling of every event that somebody takes out of it. */
const told = (log: EventLog["Service"], onRead: () => void): EventLog["Service"] => ({
  ...log,
  read: (stream, options) =>
    log.read(stream, options).pipe(
      Stream.rechunk(8),
      Stream.mapArray((rows) => {
        for (const _ of rows) onRead()
        return rows
      })
    )
})
