/**
 * A close that fails is tried again, told, and never the end of anything.
 *
 * @module
 */
import { assert, it } from "@effect/vitest"
import { Effect, Fiber } from "effect"
import { TestClock } from "effect/testing"
import { letGo } from "../../src/drivers/letGo.ts"

const closing = (failures: number) =>
  Effect.gen(function* () {
    let calls = 0
    const fiber = yield* Effect.forkChild(
      letGo("a thing", () => {
        calls++
        if (calls <= failures) throw new Error("busy")
      })
    )
    yield* TestClock.adjust("1 hour")
    yield* Fiber.join(fiber)
    return calls
  })

it.effect("is over with the first close that succeeds", () =>
  Effect.gen(function* () {
    assert.deepStrictEqual([yield* closing(0), yield* closing(2)], [1, 3])
  })
)

it.effect("gives up in the end, without failing", () =>
  Effect.gen(function* () {
    assert.strictEqual(yield* closing(Number.POSITIVE_INFINITY), 5)
  })
)
