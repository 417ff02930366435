import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { failOnce, makeMemoryHub } from "../../src/drivers/memory/MemoryHub.ts"
import { sinkSuite, sourceSuite } from "../contracts/Driver.ts"
import { contextOf } from "./support.ts"

const payloads = Array.from({ length: 50 }, (_, n) => ({ n }))

describe("memory driver", () => {
  sourceSuite(
    "array",
    Effect.sync(() => makeMemoryHub().source("numbers", payloads)),
    50
  )
  sinkSuite(
    "memory",
    Effect.sync(() => {
      const sink = makeMemoryHub().sink("store")
      return { sink: Effect.succeed(sink), visible: Effect.sync(() => sink.records) }
    })
  )

  it.effect("a fault before leaves no trace, a fault after has happened", () =>
    Effect.gen(function* () {
      const hub = makeMemoryHub()
      const sink = hub.sink("store")
      const writer = yield* sink.open({ epoch: 1, run: "r", receipt: null, leftover: null, finished: false })
      const write = writer.write({ key: "k", batch: 0, attempt: 1, records: [1] })
      hub.interpose(failOnce({ operation: "sink.write", nth: 0, phase: "before" }))
      assert.isTrue((yield* Effect.flip(write)).isRetryable)
      assert.deepStrictEqual(sink.records, [])
      hub.interpose(failOnce({ operation: "sink.write", nth: 1, phase: "after" }))
      yield* Effect.flip(write)
      assert.deepStrictEqual(sink.records, [1])
      assert.deepStrictEqual(yield* write, { _tag: "Held", held: { attempt: 1, records: 1 } })
    })
  )

  it.effect("an answer that was lost on the way is given again: a call that failed has read nothing", () =>
    Effect.gen(function* () {
      const hub = makeMemoryHub()
      const reader = yield* hub.source("numbers", payloads).open(null)
      hub.interpose(failOnce({ operation: "source.next", nth: 0, phase: "after" }))
      const next = reader.next({ records: 2, bytes: 1000 })
      yield* Effect.flip(next)
      assert.deepStrictEqual(
        (yield* next)?.records.map(({ payload }) => payload),
        [{ n: 0 }, { n: 1 }]
      )
    })
  )

  it.effect("refused records are named and nothing is written", () =>
    Effect.gen(function* () {
      const hub = makeMemoryHub()
      const sink = hub.sink("store")
      sink.refuse = (record) => (record === 2 ? "two is too many" : undefined)
      const writer = yield* sink.open({ epoch: 1, run: "r", receipt: null, leftover: null, finished: false })
      const answer = yield* writer.write({ key: "k", batch: 0, attempt: 1, records: [1, 2] })
      assert.deepStrictEqual(answer, { _tag: "Refused", refused: [{ index: 1, message: "two is too many" }] })
      assert.deepStrictEqual(sink.records, [])
    })
  )

  it.effect("a name nobody filled is said to be unknown", () =>
    Effect.gen(function* () {
      const hub = makeMemoryHub()
      hub.source("numbers", payloads)
      const error = yield* Effect.flip(hub.driver.source!.make({ name: "letters" }, contextOf("/")))
      assert.strictEqual(error.reason.code, "unknown_memory_name")
      assert.include(error.reason.suggestion, "numbers")
    })
  )
})
