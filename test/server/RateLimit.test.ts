import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { TestClock } from "effect/testing"
import * as RateLimit from "../../src/server/RateLimit.ts"

describe("RateLimit", () => {
  it.effect("lets a burst through, and then as many as flow in", () =>
    Effect.gen(function* () {
      const limit = RateLimit.make(10, 3)
      for (let taken = 0; taken < 3; taken++) assert.strictEqual(yield* limit.take("a"), 0)
      assert.strictEqual(yield* limit.take("a"), 100)
      // Whoever asks too often waits no longer for having asked.
      assert.strictEqual(yield* limit.take("a"), 100)
      assert.strictEqual(yield* limit.take("b"), 0)
      yield* TestClock.adjust(100)
      assert.strictEqual(yield* limit.take("a"), 0)
      assert.strictEqual(yield* limit.take("a"), 100)
      yield* TestClock.adjust("1 hour")
      for (let taken = 0; taken < 3; taken++) assert.strictEqual(yield* limit.take("a"), 0)
      assert.isAbove(yield* limit.take("a"), 0)
    })
  )

  it.effect("remembers the last 10,000, not everybody", () =>
    Effect.gen(function* () {
      const limit = RateLimit.make(1, 1)
      yield* limit.take("first")
      yield* limit.take("second")
      for (let other = 0; other < 9998; other++) yield* limit.take(`other ${other}`)
      assert.isAbove(yield* limit.take("first"), 0)
      yield* limit.take("one more")
      assert.strictEqual(yield* limit.take("second"), 0)
      assert.isAbove(yield* limit.take("first"), 0)
    })
  )
})
