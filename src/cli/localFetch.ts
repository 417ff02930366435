/**
 * The operations on a log that nobody holds, in this process and without a network: the handlers of the
 * service behind something that looks like fetch.
 *
 * No run is put to work. What is wanted is written down, and whoever has the log next acts on it; dead letters
 * alone are redriven here, as long as the command waits for that.
 *
 * @module
 */
import { join } from "node:path"
import { Cause, Effect, Layer, Scope } from "effect"
import { HttpRouter, HttpServer, type HttpServerResponse } from "effect/http"
import { HttpApiBuilder } from "effect/http-api"
import { Api } from "../api/Api.ts"
import { Authorization, Caller } from "../api/Authorization.ts"
import { failed } from "../api/failures.ts"
import { builtinDrivers } from "../drivers/builtin.ts"
import type { Driver } from "../drivers/Driver.ts"
import { Drivers } from "../drivers/Drivers.ts"
import { Ingress } from "../drivers/http/Ingress.ts"
import { LiveRoster } from "../pipeline/LiveRoster.ts"
import { Pipelines } from "../pipeline/Pipelines.ts"
import { answerFailure } from "../server/answerFailure.ts"
import { layerHandlers, layerShared } from "../server/handlers.ts"
import { layerEdge } from "../server/layerEdge.ts"
import { Premises } from "../server/Premises.ts"
import { Readiness } from "../server/Readiness.ts"
import { localUser } from "./localUser.ts"
import { type LogPlace, layerWriter } from "./logPlace.ts"
import { release } from "./release.ts"

/**
 * Holds the log until the scope closes; fails with a `LogError` where somebody else does. `base` is the
 * absolute folder that relative paths of what is sent resolve against, `directory` the data directory.
 */
export const localFetch = Effect.fnUntraced(function* (
  place: LogPlace,
  base: string,
  directory: string,
  drivers: ReadonlyArray<Driver> = builtinDrivers
) {
  // Opened before anything is asked, so that a log in use is told as one.
  const engine = yield* Layer.build(layerEngine(place, base, directory, drivers))
  const operations = Layer.merge(
    HttpApiBuilder.layer(Api).pipe(
      Layer.provide(layerHandlers),
      Layer.provide([layerEdge, layerLocalCaller])
    ),
    layerFaults
  ).pipe(Layer.provideMerge(Layer.succeedContext(engine)), Layer.provide(HttpServer.layerServices))
  const { handler } = yield* Effect.acquireRelease(
    Effect.sync(() => HttpRouter.toWebHandler(operations, { disableLogger: true })),
    ({ dispose }) => Effect.promise(dispose)
  )
  const fetch: typeof globalThis.fetch = (input, init) => handler(new Request(input, init))
  return fetch
})

const layerEngine = (place: LogPlace, base: string, directory: string, drivers: ReadonlyArray<Driver>) =>
  Layer.merge(Readiness.layer, layerShared).pipe(
    Layer.provideMerge(Layer.merge(layerAtRest, LiveRoster.layer)),
    Layer.provideMerge(Drivers.layer(drivers)),
    Layer.provideMerge(Ingress.layer({ directory: join(directory, "ingress") })),
    Layer.provideMerge(layerWriter(place)),
    Layer.provideMerge(Layer.succeed(Premises, { base, version: release() }))
  )

type Response = HttpServerResponse.HttpServerResponse

/** Nobody else reads this answer: a fault of ours is told as it is. `E` is there for the router's types alone. */
const telling = <E, R>(http: Effect.Effect<Response, E, R>): Effect.Effect<Response, E, R> =>
  Effect.catchCause(http, (cause) => {
    if (Cause.hasInterruptsOnly(cause)) return Effect.interrupt
    const fault = Cause.squash(cause)
    const message = fault instanceof Error ? fault.message : String(fault)
    return Effect.succeed(answerFailure(failed("InternalError", message)))
  })

const layerFaults = HttpRouter.middleware(telling, { global: true })

/**
 * A command that ends at once must not begin a run, or claim one that another process has left. Redrives are asked
 * for by themselves, and an actor that works on some stays awake until the command ends.
 */
const layerAtRest = Layer.effect(
  Pipelines,
  Effect.gen(function* () {
    const pipelines = yield* Pipelines
    const scope = yield* Effect.scope
    return Pipelines.of({
      ...pipelines,
      adopt: () => Effect.void,
      get: (id) => Scope.provide(pipelines.get(id), scope)
    })
  })
).pipe(Layer.provide(Pipelines.layerLocal))

/** Who may open the folder may do everything, under their own name. */
const layerLocalCaller = Layer.succeed(Authorization, {
  token: (http) => Effect.provideService(http, Caller, { by: localUser(), scope: "admin" })
})
