/**
 * A table that is asked: how often, for what, and what is remembered of its answers.
 *
 * @module
 */
import { setFlagsFromString } from "node:v8"
import { runInNewContext } from "node:vm"
import { assert, it } from "@effect/vitest"
import { Deferred, Effect, Exit, Fiber, Schema } from "effect"
import { TestClock } from "effect/testing"
import { LookupAsk, LookupCache } from "../../../events/Definition.ts"
import { DriverError } from "../../../src/drivers/DriverError.ts"
import type { RemoteTable } from "../../../src/drivers/Lookup.ts"
import { retrying } from "../../../src/drivers/retryPolicy.ts"
import { type Asking, askTable } from "../../../src/flow/lookup/askTable.ts"
import { RowCache } from "../../../src/flow/lookup/RowCache.ts"

const away = new DriverError({
  driver: "far",
  operation: "find",
  reason: { _tag: "Unavailable", code: "away", message: "the table is away" }
})

/** Knows every number; `calls` are the keys it was asked, call by call. */
const farTable = (before: (call: number) => Effect.Effect<void, DriverError> = () => Effect.void) => {
  const calls: Array<ReadonlyArray<unknown>> = []
  const find: RemoteTable["find"] = (keys) =>
    Effect.suspend(() => {
      calls.push(keys.map(([key]) => key))
      return Effect.as(
        before(calls.length - 1),
        keys.map(([key]) => (typeof key === "number" ? { id: key, name: `n${key}` } : undefined))
      )
    })
  return { calls, table: { find } }
}

const asking = (table: RemoteTable, of: { cache?: object; ask?: object } = {}): Asking => ({
  driver: "far",
  table,
  cache: Schema.decodeUnknownSync(LookupCache)(of.cache ?? {}),
  ask: Schema.decodeUnknownSync(LookupAsk)(of.ask ?? {}),
  cut: (row) => row,
  retried: retrying(() => Effect.void)
})
const keys = (...values: ReadonlyArray<unknown>) => values.map((value) => [value])
const ids = (rows: ReadonlyArray<Readonly<Record<string, unknown>> | undefined>) => rows.map((row) => row?.id)

it.effect("asks for each key once, in calls of so many keys, and for nothing where there is no key", () =>
  Effect.gen(function* () {
    const { calls, table } = farTable()
    const { rowsOf } = askTable(asking(table, { ask: { keys: 2 } }))
    const rows = yield* rowsOf([...keys(1, 2, 1, 3, "1"), undefined])
    assert.deepStrictEqual(ids(rows), [1, 2, 1, 3, undefined, undefined])
    // The text "1" is another key than the number.
    assert.deepStrictEqual(calls, [
      [1, 2],
      [3, "1"]
    ])
  })
)

it.effect("what was found is known for its time, that there was none for another", () =>
  Effect.gen(function* () {
    const { calls, table } = farTable()
    const { rowsOf } = askTable(asking(table, { cache: { ttl: "60s", miss_ttl: "10s" } }))
    yield* rowsOf(keys(1, "none"))
    yield* TestClock.adjust("9 seconds")
    yield* rowsOf(keys(1, "none"))
    assert.lengthOf(calls, 1)
    yield* TestClock.adjust("1 seconds")
    yield* rowsOf(keys(1, "none"))
    assert.deepStrictEqual(calls[1], ["none"])
    yield* TestClock.adjust("50 seconds")
    yield* rowsOf(keys(1))
    assert.deepStrictEqual(calls[2], [1])
  })
)

it.effect("an outage is waited out, and repeats only the call that failed", () =>
  Effect.gen(function* () {
    const { calls, table } = farTable((call) => (call === 1 || call === 2 ? Effect.fail(away) : Effect.void))
    const { rowsOf } = askTable(asking(table, { ask: { keys: 1, concurrency: 1 } }))
    const rows = yield* Effect.forkChild(rowsOf(keys(1, 2, 3)))
    yield* TestClock.adjust("10 seconds")
    assert.deepStrictEqual(ids(yield* Fiber.join(rows)), [1, 2, 3])
    assert.deepStrictEqual(calls, [[1], [2], [2], [2], [3]])
  })
)

it.effect("a table that never answers is an error within its deadlines, not a run that hangs", () =>
  Effect.gen(function* () {
    const { calls, table } = farTable(() => Effect.never)
    const { rowsOf } = askTable(asking(table, { ask: { timeout: "1s" } }))
    const failed = yield* Effect.forkChild(Effect.flip(rowsOf(keys(1))))
    yield* TestClock.adjust("30 seconds")
    assert.strictEqual((yield* Fiber.join(failed)).reason.code, "lookup_timeout")
    assert.lengthOf(calls, 6)
  })
)

it.effect("two batches at once ask for a key together", () =>
  Effect.gen(function* () {
    const open = yield* Deferred.make<void>()
    const { calls, table } = farTable(() => Deferred.await(open))
    const { rowsOf } = askTable(asking(table))
    const both = yield* Effect.forkChild(
      Effect.all([rowsOf(keys(1, 2)), rowsOf(keys(2, 3))], { concurrency: 2 })
    )
    yield* TestClock.adjust("1 millis")
    yield* Deferred.succeed(open, undefined)
    assert.deepStrictEqual((yield* Fiber.join(both)).map(ids), [
      [1, 2],
      [2, 3]
    ])
    assert.deepStrictEqual(calls, [[1, 2], [3]])
  })
)

it.effect("a batch that is given up leaves its keys to those that wait for them", () =>
  Effect.gen(function* () {
    const { calls, table } = farTable((call) => (call === 0 ? Effect.never : Effect.void))
    const { rowsOf } = askTable(asking(table))
    const first = yield* Effect.forkChild(rowsOf(keys(1)))
    yield* TestClock.adjust("1 millis")
    const second = yield* Effect.forkChild(rowsOf(keys(1, 2)))
    yield* TestClock.adjust("1 millis")
    yield* Fiber.interrupt(first)
    assert.deepStrictEqual(ids(yield* Fiber.join(second)), [1, 2])
    assert.deepStrictEqual(calls, [[1], [2], [1]])
  })
)

it.effect("a table that answers for another number of keys is a defect, not a shift of rows", () =>
  Effect.gen(function* () {
    const exit = yield* Effect.exit(askTable(asking({ find: () => Effect.succeed([]) })).rowsOf(keys(1)))
    assert.isTrue(Exit.isFailure(exit))
    assert.match(String(exit), /answered 0 of 1 keys/)
  })
)

/** Collects what nobody holds any more, and says how much is left (bytes). */
const heldBytes = (): number => {
  setFlagsFromString("--expose-gc")
  runInNewContext("gc")()
  return process.memoryUsage().heapUsed
}

it.effect(
  "a million distinct keys stay within the bound",
  () =>
    Effect.gen(function* () {
      const size = 5000
      const find: RemoteTable["find"] = (asked) =>
        Effect.succeed(asked.map(([key]) => ({ id: key, text: `${key} ${"x".repeat(100)}` })))
      const { remembered, rowsOf } = askTable(asking({ find }, { cache: { size } }))
      const before = heldBytes()
      let most = 0
      for (let at = 0; at < 1_000_000; at += 1000) {
        const rows = yield* rowsOf(Array.from({ length: 1000 }, (_, n) => [at + n]))
        assert.strictEqual(rows[999]?.id, at + 999)
        most = Math.max(most, remembered())
      }
      assert.strictEqual(most, size)
      // The rows of a million keys are well above 100 MiB; 5000 of them with all that is around them are not 8.
      const held = heldBytes() - before
      assert.isBelow(held, 8 * 1024 * 1024)
      // Still there while it was measured.
      assert.strictEqual(remembered(), size)
    }),
  120_000
)

it("what was used longest ago makes room", () => {
  const cache = new RowCache(2)
  cache.set("a", { n: 1 }, 100)
  cache.set("b", undefined, 100)
  assert.deepStrictEqual(cache.get("a", 0)?.row, { n: 1 })
  cache.set("c", { n: 3 }, 100)
  assert.isUndefined(cache.get("b", 0))
  assert.isDefined(cache.get("a", 99))
  assert.isUndefined(cache.get("a", 100))
  assert.strictEqual(cache.entries, 1)
})
