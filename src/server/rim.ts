/**
 * What stands around every request: who may ask at all, how much, how long, and what is said when
 * something goes wrong. A fault of ours is a 500 with an id under which the log knows it, and nothing else.
 *
 * @module
 */
import { randomUUID } from "node:crypto"
import { ByteSize, Cause, Duration, Effect, Option } from "effect"
import { HttpIncomingMessage, HttpServerError, HttpServerRequest, HttpServerResponse } from "effect/http"
import { HttpApiError } from "effect/http-api"
import { failed } from "../api/failures.ts"
import { answerFailure } from "./answerFailure.ts"
import type { Bounds } from "./bounds.ts"
import { checkingMs } from "./nodeServer.ts"
import type { Paths } from "./operationPaths.ts"
import { type Origins, refuseOrigin } from "./origin.ts"
import type { RateLimit } from "./RateLimit.ts"
import type { Tokens } from "./Tokens.ts"

type Response = HttpServerResponse.HttpServerResponse
type Request = HttpServerRequest.HttpServerRequest

export interface Rim {
  readonly bounds: Bounds
  readonly origins: Origins
  readonly limit: RateLimit
  readonly tokens: Tokens["Service"]
  readonly paths: Paths
}

/** The middleware around all routes. It answers whatever happens: `E` is there for the router's types alone. */
export const rim =
  (options: Rim) =>
  <E, R>(http: Effect.Effect<Response, E, R>): Effect.Effect<Response, E, R | Request> =>
    Effect.gen(function* () {
      const request = yield* HttpServerRequest.HttpServerRequest
      const refused = yield* refuse(request, options)
      const response = refused ?? (yield* answer(http, request, options))
      return HttpServerResponse.setHeaders(ours(response, request), {
        "x-content-type-options": "nosniff",
        "referrer-policy": "no-referrer",
        ...(response.status === 401 ? { "www-authenticate": "Bearer" } : {})
      })
    })

const refuse = Effect.fnUntraced(function* (
  request: Request,
  { bounds, limit, origins, tokens }: Rim
): Effect.fn.Return<Response | undefined> {
  const { headers } = request
  const stranger = refuseOrigin({ host: headers.host, origin: headers.origin }, origins)
  if (stranger !== undefined) return answerFailure(stranger)
  const wait = yield* limit.take(yield* bucketOf(request, tokens))
  if (wait > 0) {
    const seconds = Math.ceil(wait / 1000)
    const details = { retry_after_ms: wait, suggestion: `ask again in ${seconds} s` }
    const failure = failed("RateLimitExceeded", "Too many requests", details)
    return answerFailure(failure, { "retry-after": String(seconds) })
  }
  const most = bytesOf(request, bounds)
  return Number(headers["content-length"]) > most ? tooLarge(most) : undefined
})

/** A token has a bucket of its own; without a known one, the address has: guessing tokens gains nothing. */
const bucketOf = Effect.fnUntraced(function* (
  { headers, remoteAddress }: Request,
  tokens: Rim["tokens"]
): Effect.fn.Return<string> {
  const token = /^bearer +(\S+)$/i.exec(headers.authorization ?? "")?.[1]
  const known = token === undefined ? undefined : yield* tokens.find(token)
  return known === undefined ? `address/${Option.getOrElse(remoteAddress, () => "")}` : `token/${known.name}`
})

const answer = <E, R>(http: Effect.Effect<Response, E, R>, request: Request, { bounds, paths }: Rim) =>
  http.pipe(
    Effect.provideService(HttpIncomingMessage.MaxBodySize, ByteSize.bytes(bytesOf(request, bounds))),
    Effect.timeoutOrElse({
      duration: Duration.millis(deadlineMs(bounds)),
      orElse: () => Effect.succeed(tooLate)
    }),
    // The router makes only the handler interruptible; the race around it has to let go as well when the
    // client does, or an abandoned request would work on until its deadline.
    Effect.interruptible,
    Effect.catchCause((cause) =>
      Cause.hasInterruptsOnly(cause) ? Effect.interrupt : faultOf(cause, request, bounds, paths)
    )
  )

/** Node has let go of whoever was too slow to ask: here it was us. */
const deadlineMs = (bounds: Bounds): number => bounds.requestMs + 2 * checkingMs(bounds)

const tooLate = answerFailure(
  failed("DeadlineExceeded", "No answer was found in time; what was asked for may still happen", {
    suggestion: "look at the pipeline, or send it again with the same Idempotency-Key"
  })
)

const faultOf = (
  cause: Cause.Cause<unknown>,
  request: Request,
  bounds: Bounds,
  paths: Paths
): Effect.Effect<Response> => {
  const fault = Cause.squash(cause)
  if (HttpServerError.isHttpServerError(fault)) {
    const { reason } = fault
    if (reason._tag === "RouteNotFound") {
      const { allow, failure } = paths.refuse(request.method, request.url)
      return Effect.succeed(answerFailure(failure, allow === undefined ? {} : { allow }))
    }
    if (reason._tag === "RequestParseError") {
      return Effect.succeed(reason.reason === "BodyTooLarge" ? tooLarge(bytesOf(request, bounds)) : cutOff())
    }
  }
  if (HttpApiError.HttpApiPayloadTooLarge.is(fault)) return Effect.succeed(tooLarge(bytesOf(request, bounds)))
  return unexpected(cause, request)
}

const unexpected = Effect.fnUntraced(function* (cause: Cause.Cause<unknown>, { method, url }: Request) {
  const id = randomUUID()
  yield* Effect.logError(`fault ${id}: ${method} ${url.split("?", 1)[0]}`, cause)
  return answerFailure(
    failed("InternalError", "Something went wrong in the service", {
      id,
      suggestion: "the service's log says more under this id"
    })
  )
})

/** Where the framework has answered in words of its own, the status stays and the words are ours. */
const ours = (response: Response, request: Request): Response => {
  if (response.status < 400 || /\bjson\b/.test(response.headers["content-type"] ?? "")) return response
  if (response.status === 413) return tooLarge(undefined)
  if (response.status !== 415) return response
  const type = request.headers["content-type"] ?? ""
  return answerFailure(
    failed("UnsupportedMediaType", `A body of ${JSON.stringify(type)} is not understood here`, {
      suggestion: "send application/json; records may also be application/x-ndjson or text/csv"
    })
  )
}

const isIngress = (url: string): boolean => /^\/v0\/pipelines\/[^/]+\/ingress\//.test(url)

const bytesOf = ({ url }: Request, { bodyBytes, ingressBytes }: Bounds): number =>
  isIngress(url) ? ingressBytes : bodyBytes

/** The rest of the body is not waited for. */
const tooLarge = (most: number | undefined): Response =>
  answerFailure(
    failed(
      "PayloadTooLarge",
      most === undefined ? "The body is too large" : `A body has at most ${most} bytes here`,
      most === undefined ? {} : { bytes_most: most }
    ),
    { connection: "close" }
  )

const cutOff = (): Response =>
  answerFailure(failed("BadRequest", "The body broke off"), { connection: "close" })
