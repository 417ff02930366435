/**
 * A service as a stage of a route: what it makes of records, on every branch, with a real server.
 *
 * @module
 */
import { assert, describe, it } from "@effect/vitest"
import { ConfigProvider, Effect, Fiber, Result } from "effect"
import { TestClock } from "effect/testing"
import { decodeDefinition } from "../../../events/Definition.ts"
import { Drivers } from "../../../src/drivers/Drivers.ts"
import { makeMemoryHub } from "../../../src/drivers/memory/MemoryHub.ts"
import type { SourceRecord } from "../../../src/drivers/Record.ts"
import { sealedBranch } from "../../../src/flow/Outcome.ts"
import { compile } from "../../../src/flow/Plan.ts"
import { Fetch } from "../../../src/flow/service/sendCall.ts"
import { each, startService } from "./server.ts"

/** The route of a pipeline whose one stage between source and sinks is this service. */
const routeOf = Effect.fnUntraced(function* (service: object) {
  const hub = makeMemoryHub()
  hub.source("in", [])
  const definition = Result.getOrThrow(
    decodeDefinition({
      name: "p",
      stages: {
        in: { source: { use: "memory", name: "in" } },
        asked: { from: "in", service },
        out: { from: "asked", sink: { use: "memory", name: "out" } },
        small: { from: { stage: "asked", when: "record < 5" }, sink: { use: "memory", name: "small" } }
      }
    })
  )
  const plan = yield* compile(definition, { pipeline: { id: "1", name: "p" }, base: "/" }).pipe(
    Effect.provide(Drivers.layer([hub.driver]))
  )
  return plan.sources[0]!.route
})
const numbers = (count: number): ReadonlyArray<SourceRecord> =>
  Array.from({ length: count }, (_, n) => ({ payload: n, metadata: {} }))

it.live("each record comes out as it was answered, in the order it came", () =>
  Effect.gen(function* () {
    let isFirst = true
    const { calls, url } = yield* startService(
      each((n: number) => {
        if (n === 1) return { status: "filter" }
        if (n === 2) return { status: "nack", error: { code: "odd", message: "not two" } }
        if (n === 3) return { status: "ok", payloads: [30, 3, 31] }
        // The first time it is asked for it, it wants to be asked again.
        if (n === 4 && isFirst) {
          isFirst = false
          return { status: "retry" }
        }
        return n === 0 ? { status: "ok" } : { status: "ok", payload: n * 10 }
      })
    )
    const route = yield* routeOf({ endpoints: [{ url }], batch: 2 })
    const outcome = yield* route(numbers(7))
    const { out, small } = outcome.branches
    assert.deepStrictEqual(out?.records, [0, 30, 3, 31, 40, 50, 60])
    assert.deepStrictEqual(out?.rows, [0, 3, 3, 3, 4, 5, 6])
    assert.deepStrictEqual(small?.records, [0, 3])
    assert.deepStrictEqual(
      outcome.failures.map(({ index, reason, stage }) => ({ index, stage, code: reason.code })),
      [{ index: 2, stage: "asked", code: "odd" }]
    )
    assert.deepInclude(sealedBranch(outcome, "out"), { delivered: 5, filtered: 1, lettered: 1 })
    assert.deepStrictEqual(
      calls
        .map(({ records }) => records.map(({ payload }) => payload))
        .toSorted((a, b) => a.length - b.length),
      [[6], [4], [0, 1], [2, 3], [4, 5]]
    )
  })
)

it.live("a record that cannot be sent, or has no hash, is a dead letter and keeps nobody back", () =>
  Effect.gen(function* () {
    const { url } = yield* startService(each(() => ({ status: "ok" })))
    const route = yield* routeOf({ endpoints: [{ url }], balance: "consistent_hash", hash: "record.id" })
    const payloads = [{ id: 1 }, { none: 1 }, { id: 2, big: 1n }, { id: 3 }]
    const outcome = yield* route(payloads.map((payload) => ({ payload, metadata: {} })))
    assert.deepStrictEqual(outcome.branches.out?.records, [{ id: 1 }, { id: 3 }])
    assert.deepStrictEqual(
      outcome.failures.map(({ index, reason }) => [index, reason.code]),
      [
        [1, "expression_failed"],
        [2, "encoding_failed"]
      ]
    )
  })
)

describe("a service that is no use", () => {
  it.live("because it does not take what it is sent is fatal, and makes no dead letters", () =>
    Effect.gen(function* () {
      const { calls, url } = yield* startService(() => ({ status: 404 }))
      const error = yield* Effect.flip((yield* routeOf({ endpoints: [{ url }] }))(numbers(3)))
      assert.isTrue(error.isFatal)
      assert.match(error.reason.message, /^asked: http:.*answered 404/)
      assert.lengthOf(calls, 1)
    })
  )
  it.live("because a secret is not set is said before a record is read", () =>
    Effect.gen(function* () {
      const headers = { authorization: { secret: "NONE" } }
      const error = yield* Effect.flip(routeOf({ endpoints: [{ url: "http://127.0.0.1:1" }], headers }))
      assert.strictEqual(error._tag === "StageError" && error.reason.code, "unset_secret")
    }).pipe(
      Effect.provideService(ConfigProvider.ConfigProvider, ConfigProvider.fromUnknown({})),
      Effect.scoped
    )
  )
})

it.effect(
  "with a health check an endpoint that is ill gets no calls, and is tried when it is well again",
  () => {
    let isIll = true
    const asked: Array<string> = []
    const fetch: typeof globalThis.fetch = async (input, request) => {
      const url = String(input)
      asked.push(`${request?.method} ${url}`)
      if (request?.method === "GET")
        return new Response("", { status: isIll && url.includes("//a/") ? 500 : 200 })
      const { records } = JSON.parse(String(request?.body)) as { records: ReadonlyArray<{ index: number }> }
      return Response.json({ records: records.map(({ index }) => ({ index, status: "ok" })) })
    }
    const callsOf = (host: string) =>
      asked.splice(0).filter((each) => each === `POST http://${host}/work`).length
    return Effect.gen(function* () {
      const route = yield* routeOf({
        endpoints: [{ url: "http://a/work" }, { url: "http://b/work" }],
        batch: 1,
        health: { path: "/health", interval: "5s" }
      })
      const batch = Effect.gen(function* () {
        const fiber = yield* Effect.forkChild(route(numbers(10)))
        yield* TestClock.adjust("0 millis")
        yield* Fiber.join(fiber)
      })
      yield* TestClock.adjust("0 millis")
      assert.sameMembers(asked.splice(0), ["GET http://a/health", "GET http://b/health"])
      yield* batch
      assert.strictEqual(callsOf("a"), 0)
      isIll = false
      yield* TestClock.adjust("5 seconds")
      yield* batch
      assert.isAtLeast(callsOf("a"), 1)
    }).pipe(Effect.scoped, Effect.provideService(Fetch, fetch))
  }
)
