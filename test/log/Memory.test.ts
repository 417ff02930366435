import { assert, describe, it } from "@effect/vitest"
import { Deferred, Effect, Exit, Fiber, Stream } from "effect"
import { TestClock } from "effect/testing"
import { EventLog, LogError, VersionConflict } from "../../src/log/EventLog.ts"
import {
  type Crossing,
  type Fault,
  layerMemoryOn,
  layerMemoryWith,
  makeMemoryStore
} from "../../src/log/Memory.ts"
import { newEvents } from "../contracts/newEvent.ts"

const away = new LogError({ operation: "append", reason: { _tag: "Unavailable", message: "away" } })

const failing =
  (operation: Crossing["operation"], moment: Crossing["moment"], error: LogError | VersionConflict): Fault =>
  (crossing) =>
    crossing.operation === operation && crossing.moment === moment ? Effect.fail(error) : Effect.void

const appendTwo = Effect.gen(function* () {
  const log = yield* EventLog
  const { epoch } = yield* log.claim("a")
  return yield* log.append("a", { expectedVersion: 0, epoch }, newEvents("a", 2))
})

describe("the memory log's faults", () => {
  it.effect("failing before an append has no effect", () =>
    Effect.gen(function* () {
      const store = makeMemoryStore()
      const layer = layerMemoryOn(store, { fault: failing("append", "before", away) })
      assert.strictEqual(yield* Effect.flip(Effect.provide(appendTwo, layer)), away)
      assert.deepStrictEqual(store.events, [])
    })
  )

  it.effect("failing after one is ambiguous, and repeating it settles it", () =>
    Effect.gen(function* () {
      const store = makeMemoryStore()
      const layer = layerMemoryOn(store, { fault: failing("append", "after", away) })
      assert.strictEqual(yield* Effect.flip(Effect.provide(appendTwo, layer)), away)
      assert.strictEqual(store.events.length, 2)
      const head = yield* Effect.provide(appendTwo, layerMemoryOn(store))
      assert.strictEqual(head.version, 2)
      assert.strictEqual(store.events.length, 2)
    })
  )

  it.effect("a conflict can be made up for an append; elsewhere it is a defect", () =>
    Effect.gen(function* () {
      const conflict = new VersionConflict({ stream: "a", expected: 0, actual: 9 })
      const fault = failing("append", "before", conflict)
      assert.strictEqual(yield* Effect.flip(Effect.provide(appendTwo, layerMemoryWith({ fault }))), conflict)
      const wrong = layerMemoryWith({ fault: failing("claim", "before", conflict) })
      assert.isTrue(Exit.hasDies(yield* Effect.exit(Effect.provide(appendTwo, wrong))))
    })
  )

  it.effect("a delay takes virtual time", () =>
    Effect.gen(function* () {
      const fault: Fault = ({ moment }) =>
        moment === "before" ? Effect.delay(Effect.void, 1000) : Effect.void
      const fiber = yield* Effect.forkChild(Effect.provide(appendTwo, layerMemoryWith({ fault })))
      yield* TestClock.adjust(1999)
      assert.isUndefined(fiber.pollUnsafe())
      yield* TestClock.adjust(1)
      assert.strictEqual((yield* Fiber.join(fiber)).version, 2)
    })
  )

  for (const moment of ["before", "after"] as const) {
    it.effect(`a process that dies ${moment} its append leaves a log the next one finds`, () =>
      Effect.gen(function* () {
        const store = makeMemoryStore()
        const reached = yield* Deferred.make<void>()
        const fault: Fault = (crossing) =>
          crossing.operation === "append" && crossing.moment === moment
            ? Effect.andThen(Deferred.succeed(reached, undefined), Effect.never)
            : Effect.void
        const process = yield* Effect.forkChild(Effect.provide(appendTwo, layerMemoryOn(store, { fault })))
        yield* Deferred.await(reached)
        yield* Fiber.interrupt(process)
        const events = yield* EventLog.use((log) => Stream.runCollect(log.read("a"))).pipe(
          Effect.provide(layerMemoryOn(store))
        )
        assert.strictEqual(events.length, moment === "before" ? 0 : 2)
      })
    )
  }

  it.effect("every operation is a crossing, reads included", () =>
    Effect.gen(function* () {
      const crossings: Array<string> = []
      const fault: Fault = ({ events, moment, operation, stream }) =>
        Effect.sync(() => crossings.push(`${moment} ${operation} ${stream} ${events.length}`))
      yield* Effect.gen(function* () {
        yield* appendTwo
        const log = yield* EventLog
        yield* Stream.runDrain(log.read("a"))
        yield* Stream.runDrain(log.readAll())
        yield* log.heads
      }).pipe(Effect.provide(layerMemoryWith({ fault })))
      assert.deepStrictEqual(crossings, [
        "before claim a 0",
        "after claim a 0",
        "before append a 2",
        "after append a 2",
        "before read a 0",
        "before readAll null 0",
        "before heads null 0",
        "after heads null 0"
      ])
    })
  )
})
