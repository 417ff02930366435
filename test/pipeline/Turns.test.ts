/**
 * One after the other, by a fiber that is there only while it is needed.
 *
 * @module
 */
import { assert, describe, it } from "@effect/vitest"
import { Deferred, Effect, Exit, Fiber, Scope, Stream } from "effect"
import { LiveValue } from "../../src/pipeline/LiveValue.ts"
import * as Turns from "../../src/pipeline/Turns.ts"

describe("turns", () => {
  it.effect("are taken in order, one at a time", () =>
    Effect.gen(function* () {
      const done = yield* Deferred.make<void>()
      const told: Array<string> = []
      const turns = yield* Turns.make((item: number) =>
        Effect.gen(function* () {
          told.push(`begin ${item}`)
          yield* Effect.yieldNow
          told.push(`end ${item}`)
          if (item === 1) turns.push(3)
          if (item === 3) yield* Deferred.succeed(done, undefined)
        })
      )
      turns.push(1)
      turns.push(2)
      assert.deepStrictEqual(told, [])
      yield* Deferred.await(done)
      assert.deepStrictEqual(
        told,
        [1, 2, 3].flatMap((item) => [`begin ${item}`, `end ${item}`])
      )
    }).pipe(Effect.scoped)
  )

  it.effect("begin again after a rest", () =>
    Effect.gen(function* () {
      let done = yield* Deferred.make<number>()
      const turns = yield* Turns.make((item: number) => Deferred.succeed(done, item).pipe(Effect.asVoid))
      for (const item of [1, 2, 3]) {
        done = yield* Deferred.make<number>()
        turns.push(item)
        assert.strictEqual(yield* Deferred.await(done), item)
        yield* Effect.yieldNow
      }
    }).pipe(Effect.scoped)
  )

  it.effect("that cannot wait any more make the next one wait", () =>
    Effect.gen(function* () {
      const gate = yield* Deferred.make<void>()
      const seen: Array<number> = []
      const turns = yield* Turns.make((item: number) =>
        Effect.andThen(
          Deferred.await(gate),
          Effect.sync(() => void seen.push(item))
        )
      )
      const offers = yield* Effect.forEach([1, 2, 3, 4, 5], (item) =>
        Effect.forkChild(turns.offer(item, 2), { startImmediately: true })
      )
      for (let turn = 0; turn < 10; turn++) yield* Effect.yieldNow
      // One is in hand, two wait.
      assert.deepStrictEqual(
        offers.map((offer) => offer.pollUnsafe() !== undefined),
        [true, true, true, false, false]
      )
      yield* Deferred.succeed(gate, undefined)
      yield* Fiber.joinAll(offers)
      while (seen.length < 5) yield* Effect.yieldNow
      assert.sameMembers(seen, [1, 2, 3, 4, 5])
    }).pipe(Effect.scoped)
  )

  it.effect("end with the first that fails, and say so once", () =>
    Effect.gen(function* () {
      const ended = yield* Deferred.make<Turns.Ended<string>>()
      const seen: Array<number> = []
      const turns = yield* Turns.make(
        (item: number) => {
          seen.push(item)
          return item === 2 ? Effect.fail("two") : Effect.void
        },
        (exit) => Deferred.doneUnsafe(ended, Exit.succeed(exit))
      )
      for (const item of [1, 2, 3]) turns.push(item)
      assert.isTrue(Exit.isFailure(yield* Deferred.await(ended)))
      turns.push(4)
      yield* Effect.yieldNow
      assert.deepStrictEqual(seen, [1, 2])
    }).pipe(Effect.scoped)
  )

  it.effect("end with their scope, when the step that is on its way has ended", () =>
    Effect.gen(function* () {
      const scope = yield* Scope.make()
      const [begun, gate] = [yield* Deferred.make<void>(), yield* Deferred.make<void>()]
      const seen: Array<number> = []
      const turns = yield* Scope.provide(
        Turns.make((item: number) =>
          Effect.uninterruptible(
            Effect.gen(function* () {
              yield* Deferred.succeed(begun, undefined)
              yield* Deferred.await(gate)
              seen.push(item)
            })
          )
        ),
        scope
      )
      turns.push(1)
      turns.push(2)
      yield* Deferred.await(begun)
      const closing = yield* Effect.forkChild(Scope.close(scope, Exit.void), { startImmediately: true })
      turns.push(3)
      yield* Deferred.succeed(gate, undefined)
      yield* Fiber.join(closing)
      yield* Effect.yieldNow
      assert.deepStrictEqual(seen, [1])
    })
  )
})

describe("a live value", () => {
  it.effect("is told to everybody from its present on, in order", () =>
    Effect.gen(function* () {
      const value = new LiveValue(0)
      const seen: Array<number> = []
      yield* value.runForEach((next) => Effect.sync(() => void seen.push(next)))
      const stream = yield* Effect.forkChild(Stream.runCollect(Stream.take(value.changes, 4)), {
        startImmediately: true
      })
      yield* Effect.yieldNow
      for (const next of [1, 2, 3]) value.set(next)
      assert.deepStrictEqual(yield* Fiber.join(stream), [0, 1, 2, 3])
      while (seen.length < 4) yield* Effect.yieldNow
      assert.deepStrictEqual(seen, [0, 1, 2, 3])
      assert.strictEqual(value.current, 3)
    }).pipe(Effect.scoped)
  )
})
