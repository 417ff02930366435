/**
 * A pipeline that asks a service whose endpoints die: nothing is lost, nothing is doubled.
 *
 * @module
 */
import { assert, it } from "@effect/vitest"
import { Deferred, Effect } from "effect"
import { makeMemoryHub } from "../../src/drivers/memory/MemoryHub.ts"
import { each, type Handler, startService } from "../flow/service/server.ts"
import { type Hosted, hosting } from "./hosting.ts"

const stages = (service: object) => ({
  in: { source: { use: "memory", name: "in" } },
  asked: { from: "in", service },
  out: { from: "asked", sink: { use: "memory", name: "out" } }
})
const settings = { runtime: { batch_size: 50, checkpoint_interval: "0s" } }
const numbers = (count: number) => Array.from({ length: count }, (_, n) => ({ n }))
const doubled: Handler = each(({ n }: { n: number }) => ({ status: "ok", payload: { n, twice: 2 * n } }))
const expected = (count: number) => numbers(count).map(({ n }) => ({ n, twice: 2 * n }))
const completed = ({ lifecycle }: { readonly lifecycle: string }) => lifecycle === "Completed"
const lettersOf = ({ events }: Hosted) =>
  events().flatMap((event) => (event._tag === "BatchSealed" ? event.letters : []))

for (const balance of ["round_robin", "least_connections", "weighted", "consistent_hash"] as const) {
  it.live(`an endpoint that dies in the middle of an answer costs nothing (${balance})`, () =>
    Effect.gen(function* () {
      const dies = yield* Deferred.make<void>()
      const mortal = yield* startService((asked, request, response) => {
        if (mortal.calls.length < 6) return doubled(asked, request, response)
        // It has done the work, and its answer is cut off.
        response.writeHead(200, { "content-length": "100000" })
        response.write('{"records":[', () => Deferred.doneUnsafe(dies, Effect.void))
        return undefined
      })
      yield* Effect.forkScoped(
        Effect.andThen(
          Deferred.await(dies),
          Effect.promise(() => mortal.kill())
        )
      )
      const other = yield* startService(doubled)
      const hub = makeMemoryHub()
      hub.source("in", numbers(1000))
      const service = {
        endpoints: [{ url: mortal.url, weight: 2 }, { url: other.url }],
        balance,
        batch: 10,
        ...(balance === "consistent_hash" ? { hash: "record.n" } : {})
      }
      yield* hosting(
        hub,
        stages(service),
        (hosted) =>
          Effect.gen(function* () {
            yield* hosted.start
            const state = yield* hosted.until(completed)
            assert.deepStrictEqual(hub.sink("out").records, expected(1000))
            assert.deepStrictEqual(lettersOf(hosted), [])
            assert.strictEqual(state.run?.lives, 1)
            assert.isTrue(
              hosted.events().some((event) => event._tag === "Retried" && event.stage === "asked")
            )
          }),
        settings
      )
      assert.isAtLeast(mortal.calls.length, 6)
      assert.isAtLeast(other.calls.length, 20)
    })
  )
}

it.effect(
  "a service that is away makes the pipeline unavailable, and it goes on when the service is back",
  () =>
    Effect.gen(function* () {
      const first = yield* startService((asked, request, response) => {
        if (first.calls.length < 4) return doubled(asked, request, response)
        response.destroy()
        return undefined
      })
      const hub = makeMemoryHub()
      hub.source("in", numbers(300))
      // The clock of the test runs ahead of the network: calls must not be late by it.
      const service = { endpoints: [{ url: first.url }], timeout: "1d", batch: 50, concurrency: 1 }
      yield* hosting(
        hub,
        stages(service),
        (hosted) =>
          Effect.gen(function* () {
            yield* hosted.start
            const lost = yield* hosted.whileTimePasses(({ deployment }) => deployment === "Unavailable")
            assert.deepStrictEqual(
              [lost.lifecycle, lost.deploymentError?.code],
              ["Crashed", "service_unreachable"]
            )
            assert.isBelow(hub.sink("out").records.length, 300)
            yield* Effect.promise(() => first.kill())
            yield* startService(doubled, first.port)
            yield* hosted.whileTimePasses(completed)
            assert.deepStrictEqual(hub.sink("out").records, expected(300))
            assert.deepStrictEqual(lettersOf(hosted), [])
          }).pipe(Effect.scoped),
        settings
      )
    })
)

it.live("a service that is set up wrongly fails the run and names what is wrong", () =>
  Effect.gen(function* () {
    const { url } = yield* startService(() => ({ status: 400, body: "records expected" }))
    const hub = makeMemoryHub()
    hub.source("in", numbers(100))
    yield* hosting(
      hub,
      stages({ endpoints: [{ url }] }),
      (hosted) =>
        Effect.gen(function* () {
          yield* hosted.start
          const failed = yield* hosted.until(({ lifecycle }) => lifecycle === "Failed")
          assert.strictEqual(failed.run?.failure?.code, "service_answered_400")
          assert.match(failed.run?.failure?.message ?? "", /asked: .*records expected/)
          assert.deepStrictEqual([hub.sink("out").records, lettersOf(hosted)], [[], []])
        }),
      settings
    )
  })
)
