/**
 * A log that is away: waited for, never written to twice, and given up in time.
 *
 * @module
 */
import { assert, describe, it } from "@effect/vitest"
import { Cause, Effect, Exit, Fiber, Logger } from "effect"
import { TestClock } from "effect/testing"
import { EventLog, LogError } from "../../src/log/EventLog.ts"
import { type Fault, layerMemoryOn, makeMemoryStore } from "../../src/log/Memory.ts"
import { appendPatiently, patienceMs } from "../../src/pipeline/appendPatiently.ts"
import { newEvents } from "../contracts/newEvent.ts"

const away = new LogError({ operation: "append", reason: { _tag: "Unavailable", message: "Away." } })

/** An append of two events that meets the faults one after the other, and none once they are used up. */
const appending = (
  faults: ReadonlyArray<{ readonly moment: "before" | "after"; readonly error: LogError }>
) => {
  const store = makeMemoryStore()
  const told: Array<unknown> = []
  let tries = 0
  const fault: Fault = ({ moment, operation }) => {
    if (operation !== "append") return Effect.void
    if (moment === "before") tries++
    const next = faults[tries - 1]
    return next?.moment === moment ? Effect.fail(next.error) : Effect.void
  }
  const append = Effect.gen(function* () {
    const log = yield* EventLog
    const { epoch } = yield* log.claim("a")
    return yield* appendPatiently(log, "a", { expectedVersion: 0, epoch }, newEvents("a", 2))
  }).pipe(
    Effect.uninterruptible,
    Effect.provide([
      layerMemoryOn(store, { fault }),
      Logger.layer([Logger.make(({ message }) => void told.push(...[message].flat()))])
    ])
  )
  return { append, store, told, tries: () => tries }
}

const times = (count: number, moment: "before" | "after" = "before") =>
  Array.from({ length: count }, () => ({ moment, error: away }))

describe("an append to a log that is away", () => {
  it.effect("goes through once the log is back, and says so", () =>
    Effect.gen(function* () {
      const { append, store, told, tries } = appending(times(3))
      const fiber = yield* Effect.forkChild(append)
      yield* TestClock.adjust(699)
      assert.strictEqual(tries(), 3)
      yield* TestClock.adjust(1)
      assert.strictEqual((yield* Fiber.join(fiber)).version, 2)
      assert.strictEqual(store.events.length, 2)
      assert.deepStrictEqual(told, ["Away. Trying again for 60 s.", "The log answers again, after 0.7 s."])
    })
  )

  it.effect("stores once what was stored without an answer", () =>
    Effect.gen(function* () {
      const { append, store, tries } = appending(times(2, "after"))
      const fiber = yield* Effect.forkChild(append)
      yield* TestClock.adjust(patienceMs)
      assert.strictEqual((yield* Fiber.join(fiber)).version, 2)
      assert.strictEqual(store.events.length, 2)
      assert.strictEqual(tries(), 3)
    })
  )

  it.effect("is given up when its time is over", () =>
    Effect.gen(function* () {
      const { append, store } = appending(times(1000))
      const fiber = yield* Effect.forkChild(append)
      yield* TestClock.adjust(patienceMs - 1)
      assert.isUndefined(fiber.pollUnsafe())
      yield* TestClock.adjust(2001)
      assert.strictEqual(yield* Effect.flip(Fiber.join(fiber)), away)
      assert.deepStrictEqual(store.events, [])
    })
  )

  it.effect("is tried once where waiting cannot help", () =>
    Effect.gen(function* () {
      const error = new LogError({ operation: "append", reason: { _tag: "DiskFull", message: "Full." } })
      const { append, tries } = appending([{ moment: "before", error }])
      assert.strictEqual(yield* Effect.flip(append), error)
      assert.strictEqual(tries(), 1)
    })
  )

  it.effect("does not keep whoever is to end", () =>
    Effect.gen(function* () {
      const { append } = appending(times(1000))
      const fiber = yield* Effect.forkChild(append, { startImmediately: true })
      yield* TestClock.adjust(150)
      yield* Fiber.interrupt(fiber)
      const exit = yield* Fiber.await(fiber)
      assert.isTrue(Exit.isFailure(exit) && Cause.hasInterruptsOnly(exit.cause))
    })
  )
})
