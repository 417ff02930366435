/**
 * The service on a free port of this machine, with handlers that are only there to be reached.
 *
 * @module
 */
import { connect } from "node:net"
import { Effect, Layer, Logger, References, type Scope, Stream } from "effect"
import { HttpApiBuilder } from "effect/http-api"
import type { StoredEvent } from "../../events/StoredEvent.ts"
import { Api } from "../../src/api/Api.ts"
import { Caller } from "../../src/api/Authorization.ts"
import { examplePipeline } from "../../src/api/examples.ts"
import { failed } from "../../src/api/failures.ts"
import { eventFrames, eventsResponse } from "../../src/server/eventFrames.ts"
import { boundAddress, layerServer, type ServerOptions } from "../../src/server/Server.ts"
import { tailResponse } from "../../src/server/tail.ts"
import { temporaryFolder } from "../process/CommandLine.ts"

export interface Asked {
  readonly name: string
  readonly by: string
  readonly payload?: unknown
}

/** What the handlers were asked, in order, and what a test has them do. */
export interface Stub {
  readonly asked: Array<Asked>
  /** What `GET /v0/pipelines` does instead of answering none. */
  readonly onList?: Effect.Effect<ReadonlyArray<never>>
  /** Every event of the one pipeline there is, for `GET …/events` as a stream. */
  readonly events?: Stream.Stream<StoredEvent>
  /** Handlers of the group `ingress` in place of the stub's. */
  readonly ingress?: ReturnType<typeof stubIngress>
  /** What the server logged. */
  readonly log: Array<string>
}

export const stub = (onList?: Stub["onList"], events?: Stub["events"]): Stub => ({
  asked: [],
  log: [],
  ...(onList === undefined ? {} : { onList }),
  ...(events === undefined ? {} : { events })
})

export interface Serving {
  readonly url: string
  readonly port: number
  readonly folder: string
}

/** Serves until the scope closes; `handledBy` may put other handlers in place of some of the stub's. */
export const serving = (
  handlers: Stub,
  options: Partial<ServerOptions> = {},
  handledBy: (stubs: Handlers) => Handlers = (stubs) => stubs
): Effect.Effect<Serving, unknown, Scope.Scope> => servingWith(handlers, options, handledBy, Layer.empty)

/** The same with handlers whose requests ask for services. */
export const servingWith = <E, R, A2>(
  handlers: Stub,
  options: Partial<ServerOptions>,
  handledBy: (stubs: Handlers) => Layer.Layer<Layer.Success<Handlers>, E, R>,
  services: Layer.Layer<A2>
) =>
  Effect.gen(function* () {
    const folder = yield* Effect.acquireRelease(Effect.sync(temporaryFolder), (folder) =>
      Effect.sync(() => folder[Symbol.dispose]())
    )
    const settings = {
      host: "127.0.0.1",
      port: 0,
      directory: folder.path,
      ...options,
      bounds: { drainMs: 100, ...options.bounds }
    }
    const server = layerServer(settings, handledBy(layerHandlers(handlers))).pipe(
      Layer.provide(services),
      Layer.provide(Logger.layer([logTo(handlers.log)])),
      Layer.provide(Layer.succeed(References.MinimumLogLevel, "Warn"))
    )
    const url = yield* Effect.provide(boundAddress, yield* Layer.build(server))
    return { url, port: Number(new URL(url).port), folder: options.directory ?? folder.path }
  })

type Handlers = ReturnType<typeof layerHandlers>

const logTo = (lines: Array<string>) =>
  Logger.make(({ cause, message }) => {
    lines.push(`${String(message)} ${JSON.stringify(cause)}`)
  })

const layerHandlers = ({ asked, events, ingress, onList }: Stub) => {
  const unknown = Effect.fail(failed("UnknownPipelineName", "There is no such pipeline"))
  const note = Effect.fnUntraced(function* (name: string, payload?: unknown) {
    asked.push({ name, by: (yield* Caller).by, ...(payload === undefined ? {} : { payload }) })
  })
  return Layer.mergeAll(
    HttpApiBuilder.group(Api, "pipelines", (handlers) =>
      handlers.handleAll({
        listPipelines: () => Effect.andThen(note("list"), onList ?? Effect.succeed([])),
        createPipeline: ({ payload }) => Effect.as(note("create", payload), examplePipeline),
        getPipeline: ({ params }) =>
          params.name === examplePipeline.name ? Effect.succeed(examplePipeline) : unknown,
        putPipeline: ({ payload }) => Effect.as(note("put", payload), examplePipeline),
        patchPipeline: ({ payload }) => Effect.as(note("patch", payload), examplePipeline),
        deletePipeline: () => note("delete")
      })
    ),
    HttpApiBuilder.group(Api, "lifecycle", (handlers) =>
      handlers.handleAll({
        startPipeline: () => note("start"),
        pausePipeline: () => note("pause"),
        shutdownPipeline: () => note("shutdown"),
        triggerRun: ({ payload }) => note("trigger", payload),
        checkpointPipeline: () => Effect.succeed({ version: 1, at: "", checkpoints: [] }),
        replayPipeline: ({ payload }) => note("replay", payload)
      })
    ),
    HttpApiBuilder.group(Api, "history", (handlers) =>
      handlers.handleAll({
        getStats: () => unknown,
        getEvents: ({ headers, query, request }) =>
          request.headers.accept?.includes("text/event-stream") === true
            ? eventsResponse(
                eventFrames(events ?? Stream.empty, {
                  after: headers["last-event-id"] ?? query.after ?? 0,
                  types: new Set(query.type)
                })
              )
            : Effect.succeed({ events: [], next: null }),
        tailPipeline: () => tailResponse(Stream.empty),
        getState: () => unknown,
        getDiff: () => unknown,
        getWhy: () => unknown,
        getRuns: () => Effect.succeed({ runs: [] }),
        getCheckpoints: () => Effect.succeed({ checkpoints: [] }),
        getSchedule: () => unknown
      })
    ),
    HttpApiBuilder.group(Api, "deadLetters", (handlers) =>
      handlers.handleAll({
        listDeadLetters: () => Effect.succeed({ dead_letters: [], total: 0, next: null }),
        getDeadLetter: () => unknown,
        redriveDeadLetters: ({ payload }) =>
          Effect.as(note("redrive", payload), {
            redrive: null,
            requested: 0,
            letters: [],
            version: 0,
            next: null
          }),
        getRedrive: () => unknown,
        discardDeadLetters: ({ payload }) =>
          Effect.as(note("discard", payload), { discarded: 0, letters: [] }),
        withdrawRedrives: ({ payload }) => Effect.as(note("withdraw", payload), { withdrawn: 0, letters: [] })
      })
    ),
    ingress ?? stubIngress(note),
    HttpApiBuilder.group(Api, "drivers", (handlers) =>
      handlers.handleAll({ listDrivers: () => Effect.succeed({ drivers: [] }) })
    ),
    HttpApiBuilder.group(Api, "service", (handlers) =>
      handlers.handleAll({
        getHealth: () => Effect.succeed({ status: "ok" as const }),
        getReadiness: () => Effect.succeed({ status: "ok" as const }),
        getMetrics: () => Effect.succeed("up 1\n")
      })
    )
  )
}

type Note = (name: string, payload?: unknown) => Effect.Effect<void, never, Caller>

const stubIngress = (note: Note) =>
  HttpApiBuilder.group(Api, "ingress", (handlers) =>
    handlers.handleAll({
      pushRecords: ({ payload }) =>
        payload.pipe(
          Stream.runFold(
            () => 0,
            (bytes, chunk) => bytes + chunk.length
          ),
          Effect.tap((bytes) => note("push", bytes)),
          Effect.map((bytes) => ({ token: String(bytes) }))
        ),
      getCompletionStatus: () => Effect.succeed({ status: "complete" as const })
    })
  )

export interface Answer {
  readonly status: number
  readonly headers: Headers
  // The shape is what the tests are about.
  // biome-ignore lint/suspicious/noExplicitAny: see above
  readonly body: any
}

/** One request with fetch; the body is parsed where it is JSON. */
export const ask = (
  { url }: Pick<Serving, "url">,
  path: string,
  init: RequestInit = {}
): Effect.Effect<Answer> =>
  Effect.promise(async () => {
    const response = await fetch(`${url}${path}`, init)
    const text = await response.text()
    const isJson = response.headers.get("content-type")?.startsWith("application/json") === true
    return {
      status: response.status,
      headers: response.headers,
      body: isJson && text !== "" ? JSON.parse(text) : text
    }
  })

/** `application/json` with this text. */
export const json = (method: string, body: string, headers: Record<string, string> = {}): RequestInit => ({
  method,
  body,
  headers: { "content-type": "application/json", ...headers }
})

/** Bytes as they are on a connection of their own; answers everything that comes back until it is closed. */
export const raw = ({ port }: Serving, ...parts: ReadonlyArray<string>): Effect.Effect<string> =>
  Effect.promise(
    () =>
      new Promise((resolve) => {
        const socket = connect(port, "127.0.0.1", () => {
          for (const part of parts) socket.write(part)
        })
        let answer = ""
        socket.setEncoding("utf8").on("data", (text: string) => {
          answer += text
        })
        socket.on("error", () => {}).on("close", () => resolve(answer))
      })
  )
