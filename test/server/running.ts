/**
 * The service as it runs, in this process: the real handlers over a log in a folder, on a free port.
 *
 * @module
 */
import { realpathSync } from "node:fs"
import { join } from "node:path"
import { Effect, Layer, Logger, type Scope } from "effect"
import { FetchHttpClient } from "effect/http"
import { HttpApiClient } from "effect/http-api"
import { Api } from "../../src/api/Api.ts"
import type { PipelineResource } from "../../src/api/PipelineResource.ts"
import { builtinDrivers } from "../../src/drivers/builtin.ts"
import { Ingress } from "../../src/drivers/http/Ingress.ts"
import { EventLog } from "../../src/log/EventLog.ts"
import { layerSqlite } from "../../src/log/Sqlite.ts"
import { LiveRoster } from "../../src/pipeline/LiveRoster.ts"
import { Pipelines } from "../../src/pipeline/Pipelines.ts"
import { serviceStopped } from "../../src/pipeline/situation.ts"
import { layerHandlers, layerShared } from "../../src/server/handlers.ts"
import { layerServedDrivers } from "../../src/server/layerServedDrivers.ts"
import { Premises } from "../../src/server/Premises.ts"
import { Readiness } from "../../src/server/Readiness.ts"
import { boundAddress, layerServer } from "../../src/server/Server.ts"
import { sweep } from "../../src/server/sweep.ts"
import { temporaryFolder } from "../process/CommandLine.ts"
import { type Answer, ask, json } from "./serving.ts"

export interface Running {
  readonly url: string
  readonly folder: string
  /** How many pipelines the sweep took up. */
  readonly adopted: number
  readonly log: EventLog["Service"]
  readonly pipelines: Pipelines["Service"]
  readonly readiness: Readiness["Service"]
  /** A request with or without a body, which is sent as JSON. */
  readonly call: (
    method: string,
    path: string,
    body?: unknown,
    headers?: Record<string, string>
  ) => Effect.Effect<Answer>
  /** Reads the pipeline again and again until it is as it is waited for. */
  readonly until: (
    name: string,
    holds: (resource: PipelineResource) => boolean
  ) => Effect.Effect<PipelineResource>
}

/** A folder that goes with the scope. */
export const aFolder = Effect.map(
  Effect.acquireRelease(Effect.sync(temporaryFolder), (folder) =>
    Effect.sync(() => folder[Symbol.dispose]())
  ),
  ({ path }) => realpathSync(path)
)

/** One life of a service on the folder, which ends by draining when the scope closes. */
export const running = (folder: string): Effect.Effect<Running, unknown, Scope.Scope> =>
  Effect.gen(function* () {
    const directory = join(folder, ".millrace")
    const drivers = layerServedDrivers(builtinDrivers, { roots: [folder], except: [directory] })
    const layer = Readiness.layer.pipe(
      Layer.provideMerge(Layer.merge(Pipelines.layerLocal, LiveRoster.layer)),
      Layer.provideMerge(drivers),
      Layer.provideMerge(Ingress.layer({ directory: join(directory, "ingress") })),
      Layer.provideMerge(layerSqlite({ directory })),
      Layer.provideMerge(Layer.succeed(Premises, { base: folder, version: "test" }))
    )
    const context = yield* Layer.build(layer)
    const bounds = { drainMs: 100, requestsPerSecond: 10_000, requestBurst: 10_000 }
    const server = layerServer({ host: "127.0.0.1", port: 0, directory, bounds }, layerHandlers).pipe(
      Layer.provide(layerShared),
      Layer.provide(Logger.layer([]))
    )
    return yield* Effect.gen(function* () {
      const pipelines = yield* Pipelines
      yield* Effect.addFinalizer(() => pipelines.retire(serviceStopped))
      const url = yield* Effect.provide(boundAddress, yield* Layer.build(server))
      const adopted = yield* sweep
      const readiness = yield* Readiness
      yield* readiness.enter("serving")
      const call: Running["call"] = (method, path, body, headers) =>
        ask(
          { url },
          path,
          body === undefined
            ? { method, ...(headers && { headers }) }
            : json(method, JSON.stringify(body), headers)
        )
      const until: Running["until"] = (name, holds) =>
        Effect.repeat(
          Effect.map(call("GET", `/v0/pipelines/${name}`), ({ body }) => body as PipelineResource),
          { until: holds }
        )
      return { url, folder, adopted, log: yield* EventLog, pipelines, readiness, call, until }
    }).pipe(Effect.provide(context))
  })

export const clientOf = ({ url }: Running) =>
  HttpApiClient.make(Api, { baseUrl: url }).pipe(Effect.provide(FetchHttpClient.layer))

/** A run of so many records at so many a second, 0 for at once, into `out/<name>.ndjson`. */
export const program = (name: string, { count = 100, rate = 0 } = {}): string =>
  [
    "stages:",
    `  in: { source: { use: generator, count: ${count}, rate: ${rate} } }`,
    `  out: { from: in, sink: { use: file, path: out/${name}.ndjson } }`,
    ""
  ].join("\n")
