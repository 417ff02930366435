/**
 * The address book: who is awake, who falls asleep, and by which log they live.
 */
import { assert, it } from "@effect/vitest"
import { Effect, Fiber, Layer } from "effect"
import { TestClock } from "effect/testing"
import { Drivers } from "../../src/drivers/Drivers.ts"
import { layerMemory, layerMemoryOn, makeMemoryStore } from "../../src/log/Memory.ts"
import { headsOf } from "../../src/log/MemoryStore.ts"
import { Pipelines } from "../../src/pipeline/Pipelines.ts"

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
