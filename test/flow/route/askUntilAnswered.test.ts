/**
 * Records a stage wants to be asked about again.
 *
 * @module
 */
import { assert, describe, it } from "@effect/vitest"
import { Clock, Effect, Exit, Fiber } from "effect"
import { TestClock } from "effect/testing"
import { askUntilAnswered } from "../../../src/flow/route/askUntilAnswered.ts"
import type { Answers, WaitingStep } from "../../../src/flow/route/Route.ts"

const again: Answers[number] = { _tag: "Retry", reason: { code: "retry", message: "not yet" } }
const passed = (payload: unknown): Answers[number] => ({ _tag: "Passed", payload })

/** A step that says of each payload what `says` does, and remembers after how long it was asked about which. */
const step = (says: (payload: number, asked: number) => Answers[number]) => {
  const asked: Array<readonly [number, ReadonlyArray<unknown>]> = []
  let began: number | undefined
  const of: WaitingStep = (payloads) =>
    Effect.map(Clock.currentTimeMillis, (now) => {
      began ??= now
      asked.push([now - began, payloads])
      return payloads.map((payload) => says(payload as number, asked.length))
    })
  return { asked, of }
}

const ask = (of: WaitingStep, count: number) => {
  const payloads = Array.from({ length: count }, (_, at) => at)
  const origins = payloads.map((at) => ({ offset: 50 + at, record: { payload: at, metadata: {} } }))
  return Effect.gen(function* () {
    const fiber = yield* Effect.forkChild(Effect.exit(askUntilAnswered("slow", of, payloads, origins)))
    yield* TestClock.adjust("1 hour")
    return yield* Fiber.join(fiber)
  })
}

describe("a record that is to be retried", () => {
  it.effect("is asked about again alone, in order, after a pause; the others keep their answers", () =>
    Effect.gen(function* () {
      const { asked, of } = step((n, time) => (n % 2 === 1 && time < 2 ? again : passed(n * 10 + time)))
      const exit = yield* ask(of, 5)
      assert.deepStrictEqual<unknown>(exit, Exit.succeed([1, 12, 21, 32, 41].map(passed)))
      assert.deepStrictEqual(asked, [
        [0, [0, 1, 2, 3, 4]],
        [50, [1, 3]]
      ])
    })
  )

  it.effect("may take as long as the group gets smaller, however large it is", () =>
    Effect.gen(function* () {
      const { asked, of } = step((n, time) => (n >= time - 1 ? again : passed(n)))
      const exit = yield* ask(of, 1000)
      assert.isTrue(Exit.isSuccess(exit))
      assert.strictEqual(asked.length, 1001)
    })
  )

  it.effect("three times in vain is fatal, and no other number", () =>
    Effect.gen(function* () {
      // Twice in vain, then one fewer, and twice in vain again: the count begins anew.
      const { of } = step((n, time) => (n < 2 && time <= 3 + 3 * (1 - n) ? again : passed(n)))
      assert.isTrue(Exit.isSuccess(yield* ask(of, 3)))

      const never = step((n) => (n === 1 ? again : passed(n)))
      const error = yield* Effect.flip(yield* ask(never.of, 3))
      assert.strictEqual(error._tag, "StageError")
      assert.strictEqual(error.reason.code, "retry_not_converging")
      assert.match(error.reason.message, /slow: 1 records .* not yet/)
      assert.isTrue(error.isFatal)
      assert.deepStrictEqual(
        never.asked.map(([now, payloads]) => [now, payloads.length]),
        [
          [0, 3],
          [50, 1],
          [150, 1],
          [350, 1]
        ]
      )
    })
  )

  it.effect("a step that answers for another number of records dies, also when it is asked again", () =>
    Effect.gen(function* () {
      let first = true
      const exit = yield* ask(() => {
        const answers = first ? [again, again] : [passed(1)]
        first = false
        return Effect.succeed(answers)
      }, 2)
      assert.match(String(exit), /slow answered for 1 of 2 records/)
    })
  )
})
