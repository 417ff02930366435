/**
 * The address book: who is awake, who falls asleep, and by which log they live.
 */
import { assert, it } from "@effect/vitest"
import { Effect, Fiber, Layer } from "effect"
import { TestClock } from "effect/testing"
import { Drivers } from "../../src/drivers/Drivers.ts"
import { LogError } from "../../src/log/EventLog.ts"
import { layerMemory, layerMemoryOn, makeMemoryStore } from "../../src/log/Memory.ts"
import { headsOf } from "../../src/log/MemoryStore.ts"
import { Pipelines } from "../../src/pipeline/Pipelines.ts"
import * as Events from "../fixtures/events.ts"

const local = (store: ReturnType<typeof makeMemoryStore>) =>
  Pipelines.layerLocal.pipe(Layer.provide(Layer.merge(layerMemoryOn(store), Drivers.layer([]))))

it.effect("an actor that nobody asks for falls asleep, and is gone for whoever still holds it", () =>
  Effect.gen(function* () {
    const pipelines = yield* Pipelines
    const id = yield* pipelines.register("p", "test")
    const { actor } = yield* Effect.scoped(pipelines.get(id))
    const gone = yield* Effect.forkChild(Effect.flip(actor.gone))
    yield* TestClock.adjust("4 minutes")
    assert.isUndefined(gone.pollUnsafe())
    yield* TestClock.adjust("2 minutes")
    assert.match((yield* Fiber.join(gone)).message, /is closed/)
    assert.isUndefined(yield* Effect.scoped(pipelines.awake(id)))
  }).pipe(Effect.provide(local(makeMemoryStore())))
)

it.effect("an actor lives by the log of its address book, whoever wakes it", () => {
  const store = makeMemoryStore()
  return Effect.gen(function* () {
    const pipelines = yield* Pipelines
    const id = yield* pipelines.register("p", "test")
    yield* Effect.scoped(pipelines.get(id)).pipe(Effect.provide(layerMemory))
    assert.sameMembers(
      headsOf(store).map(({ stream }) => stream),
      ["catalog", `pipeline/${id}`]
    )
  }).pipe(Effect.provide(local(store)))
})

it.effect("a log that was away for longer than an actor waits finds its pipelines at work again", () => {
  const store = makeMemoryStore()
  const unavailable = new LogError({
    operation: "append",
    reason: { _tag: "Unavailable", message: "The log is away." }
  })
  let isAway = false
  const log = layerMemoryOn(store, {
    fault: ({ operation }) => (isAway && operation !== "read" ? Effect.fail(unavailable) : Effect.void)
  })
  const layer = Pipelines.layerLocal.pipe(Layer.provide(Layer.merge(log, Drivers.layer([]))))
  const passing = (seconds: number) =>
    Effect.forEach(Array.from({ length: seconds }), () => TestClock.adjust("1 second"), { discard: true })
  return Effect.gen(function* () {
    const pipelines = yield* Pipelines
    const id = yield* pipelines.register("p", "test")
    const first = yield* Effect.scoped(
      Effect.gen(function* () {
        const { actor } = yield* pipelines.get(id)
        yield* actor.send({ _tag: "Define", definition: { ...Events.defined, id } }, "test")
        // Paused: what this definition would do cannot be compiled, and need not be.
        yield* actor.send({ _tag: "SetDesired", desired: "Paused", reason: "test" }, "test")
        return actor
      })
    )
    isAway = true
    yield* pipelines.adopt(id)
    yield* passing(90)
    assert.isTrue(yield* first.isGone)
    isAway = false
    yield* passing(10)
    const again = yield* Effect.scoped(pipelines.get(id))
    assert.isFalse(yield* again.actor.isGone)
    // Somebody steers it again: what cannot be compiled is said to have failed.
    assert.strictEqual((yield* again.actor.state).deployment, "Failed")
  }).pipe(Effect.provide(layer))
})
