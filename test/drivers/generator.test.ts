import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber, Schema } from "effect"
import { TestClock } from "effect/testing"
import { builtinDrivers } from "../../src/drivers/builtin.ts"
import { makeConsoleDriver } from "../../src/drivers/console/ConsoleDriver.ts"
import { GeneratorConfig, generatorDriver } from "../../src/drivers/generator/GeneratorDriver.ts"
import type { SourceBatch } from "../../src/drivers/Record.ts"
import { readAll, recordsOf, sourceSuite } from "../contracts/Driver.ts"
import { contextOf } from "./support.ts"

const generator = (config: Readonly<Record<string, unknown>>) =>
  Effect.suspend(() =>
    generatorDriver.source!.make(Schema.decodeUnknownSync(GeneratorConfig)(config), contextOf("/"))
  )

const all = { records: 1_000_000, bytes: Number.MAX_SAFE_INTEGER }

describe("generator", () => {
  sourceSuite("generator", generator({ count: 500, seed: 7 }), 500)

  it.effect("another seed gives other records; keys and values are in their range", () =>
    Effect.gen(function* () {
      const payloads = Effect.fnUntraced(function* (seed: number) {
        const records = recordsOf(yield* readAll(yield* generator({ count: 5000, seed }), all))
        return records.map(
          (record) => record.payload as { n: number; at: string; key: string; value: number }
        )
      })
      const one = yield* payloads(1)
      assert.deepStrictEqual(Object.keys(one[0]!), ["n", "at", "key", "value"])
      assert.strictEqual(new Set(one.map((record) => record.key)).size, 100)
      assert.isTrue(one.every(({ key, value }) => /^k[0-9]{1,2}$/.test(key) && value >= 0 && value <= 1))
      const mean = one.reduce((sum, record) => sum + record.value, 0) / one.length
      assert.closeTo(mean, 0.5, 0.03)
      assert.strictEqual(one[1]!.at, "2024-01-01T00:00:00.001Z")
      assert.notDeepEqual(yield* payloads(2), one)
    })
  )

  it.effect("keeps to its rate, and hands over what is there rather than wait for a full batch", () =>
    Effect.gen(function* () {
      const source = yield* generator({ rate: 100 })
      const reader = yield* source.open(null)
      const next = (records: number) => reader.next({ records, bytes: 1e9 })
      assert.strictEqual((yield* next(1))!.records.length, 1)
      const waiting = yield* Effect.forkChild(next(1000))
      yield* TestClock.adjust("99 millis")
      assert.isUndefined(waiting.pollUnsafe())
      yield* TestClock.adjust("1 millis")
      const batch: SourceBatch | null = yield* Fiber.join(waiting)
      assert.strictEqual(batch!.records.length, 10)
      const again = yield* source.open(null)
      assert.strictEqual((yield* again.next({ records: 11, bytes: 1, exactly: true }))!.records.length, 11)
    })
  )
})

describe("console", () => {
  it.effect("prints rows until its limit and waits for the reader", () =>
    Effect.gen(function* () {
      const printed: Array<string> = []
      const driver = makeConsoleDriver({
        write: (text, done) => {
          printed.push(text)
          queueMicrotask(() => done())
          return false
        }
      })
      const sink = yield* driver.sink!.make({ limit: 2 }, contextOf("/"))
      const writer = yield* sink.open({ epoch: 1, run: "r", receipt: null, leftover: null, finished: false })
      const records = [1, 2, 3].map((n) => sink.encode({ n }))
      const answer = yield* writer.write({ key: "k", batch: 0, attempt: 1, records })
      assert.deepStrictEqual(answer, { _tag: "Held", held: { attempt: 1, records: 3 } })
      assert.deepStrictEqual(printed, ['{"n":1}\n{"n":2}\n'])
    })
  )

  it.effect("a closed output is an error, not a crash", () =>
    Effect.gen(function* () {
      const driver = makeConsoleDriver({
        write: (_, done) => {
          done(new Error("EPIPE"))
          return false
        }
      })
      const sink = yield* driver.sink!.make({}, contextOf("/"))
      const writer = yield* sink.open({ epoch: 1, run: "r", receipt: null, leftover: null, finished: false })
      const error = yield* Effect.flip(writer.write({ key: "k", batch: 0, attempt: 1, records: ["x"] }))
      assert.strictEqual(error.reason.code, "output_closed")
    })
  )

  it("the built-in drivers have names of their own", () => {
    const names = builtinDrivers.map((driver) => driver.name)
    assert.deepStrictEqual(names, ["file", "generator", "console", "http", "memory"])
  })
})
