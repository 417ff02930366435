/**
 * Asking again as long as it gets less.
 *
 * @module
 */
import { assert, it } from "@effect/vitest"
import { Effect, Fiber } from "effect"
import { TestClock } from "effect/testing"
import { converge } from "../../../src/flow/service/converge.ts"

const reason = { code: "busy", message: "later" }

/** Leaves so many items after each round; `asked` are the sizes of the rounds. */
const leaving = (...left: ReadonlyArray<number>) => {
  const asked: Array<number> = []
  const told: Array<number> = []
  const run = converge(
    Array.from({ length: 10 }, (_, n) => n),
    (open) =>
      Effect.sync(() => {
        asked.push(open.length)
        return { items: open.slice(0, left[asked.length - 1] ?? 0), reason }
      }),
    (round) => Effect.sync(() => told.push(round))
  )
  return { asked, told, run }
}

it.effect("asks for what is left until nothing is", () =>
  Effect.gen(function* () {
    const { asked, run, told } = leaving(9, 8, 7, 7, 7, 6)
    const fiber = yield* Effect.forkChild(run)
    yield* TestClock.adjust("10 seconds")
    yield* Fiber.join(fiber)
    assert.deepStrictEqual(asked, [10, 9, 8, 7, 7, 7, 6])
    assert.deepStrictEqual(told, [1, 4, 5])
  })
)

it.effect("three rounds that leave all they were given are fatal, however it went before", () =>
  Effect.gen(function* () {
    const { asked, run } = leaving(9, 9, 9, 9, 9)
    const fiber = yield* Effect.forkChild(Effect.flip(run))
    yield* TestClock.adjust("10 seconds")
    const error = yield* Fiber.join(fiber)
    assert.isFalse(error.isRetryable)
    assert.strictEqual(error.reason.code, "retry_not_converging")
    assert.match(error.message, /9 records .* busy, later/)
    assert.deepStrictEqual(asked, [10, 9, 9, 9])
  })
)
