/**
 * The work behind `millrace serve`.
 *
 * The log is opened first, then the address, so that whoever asks hears that the service is not ready yet;
 * then the given files are defined, and what an earlier process left is taken up. On the way out it is the
 * other way round: nobody is let in, runs are drained, the log is closed.
 *
 * @module
 */
import { join, resolve } from "node:path"
import { Effect, type Exit, Layer, Scope } from "effect"
import { realPath } from "../drivers/file/formats.ts"
import { Ingress } from "../drivers/http/Ingress.ts"
import { publishAddress } from "../log/lock.ts"
import { LiveRoster } from "../pipeline/LiveRoster.ts"
import { Pipelines } from "../pipeline/Pipelines.ts"
import { serviceStopped } from "../pipeline/situation.ts"
import { layerHandlers, layerShared } from "../server/handlers.ts"
import { layerServedDrivers } from "../server/layerServedDrivers.ts"
import { layerTelemetry } from "../server/layerTelemetry.ts"
import { Premises } from "../server/Premises.ts"
import { Readiness } from "../server/Readiness.ts"
import { boundAddress, layerServer } from "../server/Server.ts"
import { sweep } from "../server/sweep.ts"
import { defineFiles } from "./defineFiles.ts"
import { driversFor } from "./driversFor.ts"
import { DataDirectory, Json } from "./globalFlags.ts"
import { grounds } from "./grounds.ts"
import { type LogPlace, layerWriter, logPlace } from "./logPlace.ts"
import { refusedServing } from "./refusedServing.ts"
import { release } from "./release.ts"
import { answer, say } from "./report.ts"
import { Signals } from "./Signals.ts"
import { styleOf } from "./terminal.ts"

export interface ServeOptions {
  readonly places: ReadonlyArray<string>
  readonly host: string
  readonly port: number
  readonly roots: ReadonlyArray<string>
  readonly hosts: ReadonlyArray<string>
  readonly origins: ReadonlyArray<string>
}

export const serveHttp = Effect.fnUntraced(function* (options: ServeOptions) {
  const { base, files, roots } = yield* grounds(options)
  const place = yield* logPlace
  const drain = yield* (yield* Signals).drain
  const except = [yield* DataDirectory].map((folder) => realPath(resolve(folder)))
  const drivers = layerServedDrivers(driversFor(yield* Json), { roots, except })
  // What was pushed is kept beside the log, by the process that holds it.
  const ingress = Ingress.layer({ directory: join(except[0]!, "ingress") })
  const layer = Readiness.layer.pipe(
    Layer.provideMerge(Layer.merge(Pipelines.layerLocal, LiveRoster.layer)),
    Layer.provideMerge(drivers),
    Layer.provideMerge(ingress),
    Layer.provideMerge(layerWriter(place)),
    Layer.provideMerge(Layer.succeed(Premises, { base, version: release() }))
  )
  yield* Effect.provide(live(options, place, files, drain), layer).pipe(Effect.provide(layerTelemetry))
}, Effect.scoped)

const live = Effect.fnUntraced(function* (
  options: ServeOptions,
  place: LogPlace,
  files: ReadonlyArray<string>,
  drain: Effect.Effect<unknown>
) {
  const readiness = yield* Readiness
  const pipelines = yield* Pipelines
  const listening = yield* Scope.make()
  const close = (exit: Exit.Exit<unknown, unknown>) =>
    Effect.gen(function* () {
      yield* readiness.enter("draining")
      yield* Scope.close(listening, exit)
      yield* pipelines.retire(serviceStopped)
    })
  yield* Effect.gen(function* () {
    const address = yield* listen(options, listening)
    const defined = yield* defineFiles(files)
    const adopted = yield* sweep
    if (place._tag === "Folder") yield* publishAddress(place.directory, address)
    yield* readiness.enter("serving")
    yield* tell(address, place, adopted, defined)
    // A signal may have come in between: then this resolves at once.
    yield* drain
    yield* say("stopping: writing what is in flight")
  }).pipe(Effect.onExit(close))
})

const listen = Effect.fnUntraced(function* (options: ServeOptions, scope: Scope.Scope) {
  const { host, hosts, origins, port } = options
  const directory = resolve(yield* DataDirectory)
  const server = layerServer({ host, port, directory, hosts, origins }, layerHandlers).pipe(
    Layer.provide(layerShared)
  )
  const context = yield* Layer.buildWithScope(server, scope).pipe(Effect.mapError(refusedServing(host, port)))
  return yield* Effect.provide(boundAddress, context)
})

type Defined = Effect.Success<ReturnType<typeof defineFiles>>

const tell = Effect.fnUntraced(function* (
  address: string,
  place: LogPlace,
  adopted: number,
  { findings, pipelines }: Defined
) {
  const result = { address, pid: process.pid, log: place.name, pipelines, adopted, findings }
  yield* answer("serve", result, () => {
    const { dim, green } = styleOf(process.stdout)
    return [
      `${green("✓")} serving at ${address}`,
      `  ${dim("→")} ${address}/docs says what can be asked; Ctrl-C drains and ends`
    ]
  })
})
