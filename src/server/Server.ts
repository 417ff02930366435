/**
 * The service over HTTP: the contract, its handlers, and the rim around them, on one address.
 *
 * @module
 */
import * as NodeHttpServer from "@effect/platform-node/NodeHttpServer"
import { Duration, Effect, Layer } from "effect"
import { HttpRouter, HttpServer } from "effect/http"
import { HttpApiBuilder } from "effect/http-api"
import { Api } from "../api/Api.ts"
import { type Bounds, defaultBounds } from "./bounds.ts"
import { layerAuthorization } from "./layerAuthorization.ts"
import { layerDocs } from "./layerDocs.ts"
import { layerEdge } from "./layerEdge.ts"
import { isLoopback, refuseAddress } from "./listenAddress.ts"
import { nodeServer } from "./nodeServer.ts"
import { operationPaths } from "./operationPaths.ts"
import * as RateLimit from "./RateLimit.ts"
import { rim } from "./rim.ts"
import { layerTokens, Tokens } from "./Tokens.ts"

export interface ServerOptions {
  /** An address or a name of this machine. */
  readonly host: string
  /** 0 takes a free one. */
  readonly port: number
  /** The data directory, for its `tokens.json`. */
  readonly directory: string
  /** Names under which the service may be called, besides `localhost` and IP addresses. */
  readonly hosts?: ReadonlyArray<string>
  /** Pages of other origins that may call it. */
  readonly origins?: ReadonlyArray<string>
  readonly bounds?: Partial<Bounds>
}

/**
 * Serves the contract until the scope closes. `handlers` are those of all its groups (`HttpApiBuilder.group`);
 * a missing one does not compile. Fails with `UnsafeAddress` where other machines reach the address and there
 * is no token, with `TokenError` where the tokens cannot be read, with `ServeError` where it cannot listen.
 */
export const layerServer = <A, E, R>(options: ServerOptions, handlers: Layer.Layer<A, E, R>) => {
  const { directory, host, port } = options
  const bounds = { ...defaultBounds, ...options.bounds }
  const layerRim = HttpRouter.middleware(
    Effect.map(Tokens, (tokens) =>
      rim({
        bounds,
        tokens,
        paths: operationPaths(Api),
        origins: { hosts: [host, ...(options.hosts ?? [])], origins: options.origins ?? [] },
        limit: RateLimit.make(bounds.requestsPerSecond, bounds.requestBurst)
      })
    ),
    { global: true }
  )
  const routes = Layer.mergeAll(
    HttpApiBuilder.layer(Api, { openapiPath: "/openapi.json" }).pipe(
      Layer.provide(handlers),
      Layer.provide([layerEdge, layerAuthorization(isLoopback(host))])
    ),
    layerDocs(Api),
    layerRim
  )
  const layerNode = NodeHttpServer.layer(() => nodeServer(bounds), {
    host,
    port,
    gracefulShutdownTimeout: Duration.millis(bounds.drainMs)
  })
  // Nothing listens before it is certain that it may.
  return HttpRouter.serve(routes, { disableLogger: true, disableListenLog: true }).pipe(
    Layer.provideMerge(layerNode),
    Layer.provide(layerAllowed(host)),
    Layer.provide(layerTokens(directory))
  )
}

/** Where the service answers, as `http://127.0.0.1:7070`. */
export const boundAddress: Effect.Effect<string, never, HttpServer.HttpServer> =
  HttpServer.addressFormattedWith(Effect.succeed)

const layerAllowed = (host: string) =>
  Layer.effectDiscard(
    Effect.gen(function* () {
      const tokens = yield* Tokens
      const refused = refuseAddress(host, yield* tokens.count)
      if (refused !== undefined) return yield* refused
    })
  )
