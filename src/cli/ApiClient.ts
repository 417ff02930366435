/**
 * The service as the command line calls it: every operation of the contract, over whatever carries it.
 *
 * @module
 */
import { Effect, Redacted } from "effect"
import { FetchHttpClient, HttpClient, HttpClientError, HttpClientRequest } from "effect/http"
import { HttpApiClient } from "effect/http-api"
import { Api } from "../api/Api.ts"

export type ApiClient = HttpApiClient.ForApi<typeof Api>

export interface ApiClientOptions {
  /** Where the service is, as `http://127.0.0.1:7070`; it may lie below a path. */
  readonly url: string
  readonly token: Redacted.Redacted<string> | undefined
  /** Carries requests without a network; fetch itself when absent. */
  readonly fetch?: typeof globalThis.fetch
  /** `text/event-stream` follows the log instead of reading a page of it. */
  readonly accept?: "text/event-stream"
}

/** An answer begins within this time or the service is as good as gone; its own bound is 30 seconds. */
export const answerWithinMs = 45_000

/** The client of one service. Making it sends nothing. */
export const makeApiClient = ({ accept, fetch, token, url }: ApiClientOptions): Effect.Effect<ApiClient> =>
  HttpApiClient.make(Api, {
    baseUrl: url.replace(/\/+$/, ""),
    transformClient: (client) =>
      client.pipe(
        HttpClient.mapRequest((request) => {
          const asked =
            accept === undefined ? request : HttpClientRequest.setHeader(request, "accept", accept)
          return token === undefined ? asked : HttpClientRequest.bearerToken(asked, Redacted.value(token))
        }),
        HttpClient.transform((answer, request) =>
          Effect.timeoutOrElse(carriedBy(fetch)(answer), {
            duration: answerWithinMs,
            orElse: () => Effect.fail(tooLate(request))
          })
        )
      )
  }).pipe(Effect.provide(FetchHttpClient.layer))

const carriedBy =
  (fetch: typeof globalThis.fetch | undefined) =>
  <A, E, R>(answer: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
    fetch === undefined ? answer : Effect.provideService(answer, FetchHttpClient.Fetch, fetch)

const tooLate = (request: HttpClientRequest.HttpClientRequest) =>
  new HttpClientError.HttpClientError({
    reason: new HttpClientError.TransportError({
      request,
      description: `no answer within ${answerWithinMs / 1000} s`
    })
  })
