/**
 * Waiting under the test clock.
 *
 * @module
 */
import { Effect, Fiber } from "effect"
import { TestClock } from "effect/testing"

/**
 * Lets time pass until the effect has come to its end. In small steps, and between them whatever is due at
 * once happens: a pause that begins only when another one is over is waited for, too.
 */
export const whileTimePasses = <A, E, R>(effect: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
  Effect.gen(function* () {
    const fiber = yield* Effect.forkChild(effect)
    while (fiber.pollUnsafe() === undefined) {
      yield* TestClock.adjust("100 millis")
      yield* Effect.promise(() => new Promise((resolve) => setImmediate(resolve)))
    }
    return yield* Fiber.join(fiber)
  })
