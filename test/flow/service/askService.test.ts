/**
 * Records shared out to endpoints that fail, come back and are asked too much; under the test's clock.
 *
 * @module
 */
import { assert, it } from "@effect/vitest"
import { Effect, Fiber, Result, Schema } from "effect"
import { TestClock } from "effect/testing"
import { DriverError, type DriverErrorReason } from "../../../src/drivers/DriverError.ts"
import { retrying } from "../../../src/drivers/retryPolicy.ts"
import { type Asking, askService, type Item } from "../../../src/flow/service/askService.ts"
import { Endpoints } from "../../../src/flow/service/Endpoints.ts"

const failure = (reason: Partial<DriverErrorReason> & Pick<DriverErrorReason, "_tag">) =>
  new DriverError({
    driver: "service",
    operation: "call",
    reason: { code: reason._tag, message: "as told", ...reason } as DriverErrorReason
  })
const away = failure({ _tag: "Unavailable" })

interface Sent {
  readonly url: string
  readonly records: ReadonlyArray<number>
}

/** A service whose endpoints do as told; every record is answered with itself and who answered. */
const serviceOf = (
  urls: ReadonlyArray<string>,
  of: Partial<Asking["service"]> = {},
  tell: (url: string, call: number) => Effect.Effect<void, DriverError> = () => Effect.void
) => {
  const sent: Array<Sent> = []
  const service = { balance: "round_robin" as const, batch: 2, concurrency: 2, ...of }
  const endpoints = new Endpoints({
    balance: service.balance,
    endpoints: urls.map((url) => ({ url, weight: 1 }))
  })
  const send: Asking["send"] = (url, body) =>
    Effect.suspend(() => {
      const records: ReadonlyArray<number> = JSON.parse(body).records.map(
        (each: { payload: number }) => each.payload
      )
      sent.push({ url, records })
      return Effect.as(
        tell(url, sent.length - 1),
        records.map((n) => ({ _tag: "Ok" as const, payloads: [`${n} by ${url}`] }))
      )
    })
  return {
    sent,
    endpoints,
    ask: askService({ endpoints, service, send, retried: retrying(() => Effect.void) })
  }
}
const items = (count: number, hash = (_: number): string | undefined => undefined): ReadonlyArray<Item> =>
  Array.from({ length: count }, (_, at) => ({ at, record: `"payload":${at}`, hash: hash(at) }))
const askedOf = (sent: ReadonlyArray<Sent>, url: string) => sent.filter((each) => each.url === url).length

it.effect("what an endpoint fails is asked of another one, and nothing else is asked twice", () =>
  Effect.gen(function* () {
    const { ask, sent } = serviceOf(["a", "b"], {}, (url) => (url === "a" ? Effect.fail(away) : Effect.void))
    const answers = yield* Effect.forkChild(ask(items(8)))
    yield* TestClock.adjust("250 millis")
    assert.strictEqual((yield* Fiber.join(answers)).size, 8)
    assert.deepStrictEqual(
      sent.flatMap(({ records, url }) => (url === "b" ? records : [])).toSorted(),
      [0, 1, 2, 3, 4, 5, 6, 7]
    )
  })
)

const Moods = Schema.Array(Schema.Literals(["ok", "ok", "down", "busy"]))
it.effect.prop(
  "whatever endpoints do, every record gets its own answer once, or the whole is an outage",
  [Moods, Schema.Literals(["round_robin", "least_connections", "weighted", "consistent_hash"])],
  ([moods, balance]) =>
    Effect.gen(function* () {
      const { ask, endpoints, sent } = serviceOf(["a", "b", "c"], { balance, batch: 3 }, (_, call) => {
        const mood = moods[call] ?? "ok"
        if (mood === "ok") return Effect.void
        return Effect.fail(mood === "down" ? away : failure({ _tag: "Throttled", retryAfterMs: 1500 }))
      })
      const asked = yield* Effect.forkChild(Effect.result(ask(items(17, (at) => `"${at % 5}`))))
      for (let second = 0; second < 40; second++) yield* TestClock.adjust("1 second")
      const answers = yield* Fiber.join(asked)
      assert.deepStrictEqual(
        endpoints.all.map(({ calls }) => calls),
        [0, 0, 0]
      )
      if (Result.isFailure(answers)) return assert.isTrue(answers.failure.isRetryable)
      assert.deepStrictEqual(
        [...answers.success.keys()].toSorted((a, b) => a - b),
        [...Array(17).keys()]
      )
      for (const [at, answer] of answers.success) {
        assert.match(answer._tag === "Ok" ? String(answer.payloads?.[0]) : "", new RegExp(`^${at} by `))
      }
      const good = sent.filter((_, call) => (moods[call] ?? "ok") === "ok").flatMap(({ records }) => records)
      assert.lengthOf(good, 17)
    }),
  { arbitrary: { runs: 100, size: 30 } }
)

it.effect("a dead endpoint is left alone, tried by one call after a while, and back when it answers", () =>
  Effect.gen(function* () {
    let isDead = true
    const { ask, sent } = serviceOf(["a", "b"], { batch: 1 }, (url) =>
      isDead && url === "a" ? Effect.fail(away) : Effect.void
    )
    /** How often a batch asks `a`; its one pause is 250 ms. */
    const batch = Effect.gen(function* () {
      const before = askedOf(sent, "a")
      const asked = yield* Effect.forkChild(ask(items(20)))
      yield* TestClock.adjust("250 millis")
      assert.strictEqual((yield* Fiber.join(asked)).size, 20)
      return askedOf(sent, "a") - before
    })
    // Each batch learns from its first failure; with the third in a row the endpoint is out for a second.
    assert.deepStrictEqual(yield* Effect.all([batch, batch, batch, batch, batch]), [1, 1, 1, 0, 0])
    yield* TestClock.adjust("250 millis")
    // One call tries it, and puts it out for two.
    assert.deepStrictEqual(yield* Effect.all([batch, batch, batch, batch]), [1, 0, 0, 0])
    isDead = false
    yield* TestClock.adjust("1 second")
    assert.isAtLeast(yield* batch, 9)
  })
)

it.effect("when all are down it is asked with growing pauses, and then it is an outage", () =>
  Effect.gen(function* () {
    const { ask, sent } = serviceOf(["a", "b"], {}, () => Effect.fail(away))
    const asked = yield* Effect.forkChild(Effect.flip(ask(items(2))))
    yield* TestClock.adjust("7 seconds")
    assert.isUndefined(asked.pollUnsafe())
    yield* TestClock.adjust("1 second")
    assert.strictEqual((yield* Fiber.join(asked)).isRetryable, true)
    assert.lengthOf(sent, 6)
    assert.strictEqual(askedOf(sent, "a"), 3)
  })
)

it.effect("a service that says no is not asked again", () =>
  Effect.gen(function* () {
    const { ask, sent } = serviceOf(["a", "b"], {}, () => Effect.fail(failure({ _tag: "Misconfigured" })))
    assert.strictEqual((yield* Effect.flip(ask(items(2)))).reason._tag, "Misconfigured")
    assert.lengthOf(sent, 1)
  })
)

it.effect(
  "who asks for fewer calls is left alone for that long, and waited for when there is nobody else",
  () =>
    Effect.gen(function* () {
      const { ask, sent } = serviceOf(["a"], {}, (_, call) =>
        call === 0 ? Effect.fail(failure({ _tag: "Throttled", retryAfterMs: 20_000 })) : Effect.void
      )
      const asked = yield* Effect.forkChild(ask(items(2)))
      yield* TestClock.adjust("19999 millis")
      assert.lengthOf(sent, 1)
      yield* TestClock.adjust("1 millis")
      assert.strictEqual((yield* Fiber.join(asked)).size, 2)
      assert.lengthOf(sent, 2)
    })
)

it.effect("no more calls at a time than allowed, whoever asks; and a slow endpoint gets fewer", () =>
  Effect.gen(function* () {
    let now = 0
    let most = 0
    const { ask, sent } = serviceOf(
      ["slow", "quick"],
      { batch: 1, concurrency: 3, balance: "least_connections" },
      (url) =>
        Effect.acquireUseRelease(
          Effect.sync(() => {
            most = Math.max(most, ++now)
          }),
          // The time of the test's clock that an endpoint takes to answer.
          () => Effect.sleep(url === "slow" ? "10 seconds" : "1 second"),
          () => Effect.sync(() => now--)
        )
    )
    const both = yield* Effect.forkChild(Effect.all([ask(items(20)), ask(items(20))], { concurrency: 2 }))
    for (let second = 0; second < 60; second++) yield* TestClock.adjust("1 second")
    yield* Fiber.join(both)
    assert.strictEqual(most, 3)
    assert.isBelow(askedOf(sent, "slow") * 3, askedOf(sent, "quick"))
  })
)

it.effect("with consistent hashing the records of a key are asked of one endpoint, together", () =>
  Effect.gen(function* () {
    const urls = ["http://a", "http://b", "http://c"]
    const { ask, endpoints, sent } = serviceOf(urls, { balance: "consistent_hash", batch: 100 })
    const hash = (at: number) => `"user-${at % 30}`
    const answers = yield* ask(items(300, hash))
    // Each endpoint has its hundreds.
    assert.isAtMost(sent.length, 6)
    const owners = new Map<string, string>()
    for (const [at, answer] of answers) {
      const url = answer._tag === "Ok" ? String(answer.payloads?.[0]).split(" by ")[1]! : ""
      assert.strictEqual(owners.get(hash(at)) ?? url, url)
      owners.set(hash(at), url)
    }
    assert.strictEqual(new Set(owners.values()).size, 3)
    // One that is out loses its keys to the others; nobody else's move.
    endpoints.all[1]!.health = { ...endpoints.all[1]!.health, outUntil: 1e9 }
    for (const [at, answer] of yield* ask(items(300, hash))) {
      const url = answer._tag === "Ok" ? String(answer.payloads?.[0]).split(" by ")[1]! : ""
      const before = owners.get(hash(at))!
      if (before === "http://b") assert.notStrictEqual(url, before)
      else assert.strictEqual(url, before)
    }
  })
)

it.effect("interruption cancels the calls, and blames nobody", () =>
  Effect.gen(function* () {
    let cancelled = 0
    const { ask, endpoints } = serviceOf(["a"], {}, () =>
      Effect.onInterrupt(Effect.never, () => Effect.sync(() => cancelled++))
    )
    const asked = yield* Effect.forkChild(ask(items(4)))
    yield* TestClock.adjust("1 millis")
    assert.strictEqual(endpoints.all[0]?.calls, 2)
    yield* Fiber.interrupt(asked)
    assert.deepInclude(endpoints.all[0], { calls: 0 })
    assert.strictEqual(endpoints.all[0]?.health.failures, 0)
    assert.strictEqual(cancelled, 2)
  })
)
