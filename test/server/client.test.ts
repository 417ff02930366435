import { assert, describe, it } from "@effect/vitest"
import { Effect, Stream } from "effect"
import { FetchHttpClient, HttpClient, HttpClientRequest } from "effect/http"
import { HttpApiClient } from "effect/http-api"
import { Api } from "../../src/api/Api.ts"
import { examplePipeline } from "../../src/api/examples.ts"
import { type Serving, serving, stub } from "./serving.ts"
import { history } from "./storedEvents.ts"

const clientOf = ({ url }: Serving, headers: Readonly<Record<string, string>> = {}) =>
  HttpApiClient.make(Api, {
    baseUrl: url,
    transformClient: HttpClient.mapRequest(HttpClientRequest.setHeaders(headers))
  }).pipe(Effect.provide(FetchHttpClient.layer))

describe("the derived client", () => {
  it.live("reads what the service answers", () =>
    Effect.gen(function* () {
      const client = yield* clientOf(yield* serving(stub()))
      const { name } = examplePipeline
      assert.deepEqual(
        yield* client.pipelines.getPipeline({ params: { name }, query: { selector: "all" } }),
        examplePipeline
      )
      yield* client.lifecycle.startPipeline({ params: { name }, headers: { "idempotency-key": "k-1" } })
      assert.deepEqual(
        yield* client.ingress.pushRecords({
          params: { name, stage: "in" },
          query: { format: "json", array: false },
          headers: {},
          payload: Stream.make(new Uint8Array(10), new Uint8Array(5))
        }),
        { token: "15" }
      )
    })
  )

  it.live("tells refusals apart by their code", () =>
    Effect.gen(function* () {
      const client = yield* clientOf(yield* serving(stub()))
      const unknown = yield* Effect.flip(
        client.pipelines.getPipeline({ params: { name: "nobody" }, query: {} })
      )
      assert.containSubset(unknown, { error_code: "UnknownPipelineName" })
      const stranger = yield* clientOf(yield* serving(stub()), { authorization: "Bearer nobody" })
      const refused = yield* Effect.flip(stranger.pipelines.listPipelines({ query: {} }))
      assert.containSubset(refused, { error_code: "InvalidApiKey" })
    })
  )

  it.live("follows the log, and goes on where it was cut off", () =>
    Effect.gen(function* () {
      const events = Stream.concat(Stream.fromIterable(history(9)), Stream.never)
      const server = yield* serving(stub(undefined, events))
      const client = yield* clientOf(server, { accept: "text/event-stream" })
      const follow = (after: number, count: number) =>
        Effect.gen(function* () {
          const answer = yield* client.history.getEvents({
            params: { name: examplePipeline.name },
            query: {},
            headers: { "last-event-id": after }
          })
          if (!Stream.isStream(answer)) return assert.fail("a page")
          const frames = yield* Stream.runCollect(Stream.take(answer, count))
          return [...frames].map(({ data, id }) => {
            assert.strictEqual(Number(id), data.version)
            return data.version
          })
        })
      assert.deepEqual(yield* follow(0, 4), [1, 2, 3, 4])
      assert.deepEqual(yield* follow(4, 5), [5, 6, 7, 8, 9])
    })
  )
})
