/**
 * Being asked to settle: what is in flight is durable and in the log at once, whatever the interval says.
 *
 * @module
 */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber, Layer } from "effect"
import { TestClock } from "effect/testing"
import { checkpoints } from "../../projections/PipelineState.ts"
import { Drivers } from "../../src/drivers/Drivers.ts"
import { makeMemoryHub } from "../../src/drivers/memory/MemoryHub.ts"
import { layerMemoryOn, makeMemoryStore } from "../../src/log/Memory.ts"
import { awaitState } from "../../src/pipeline/awaitState.ts"
import { type HostedPipeline, Pipelines } from "../../src/pipeline/Pipelines.ts"
import { define } from "../../src/pipeline/runOnce.ts"

const wire = {
  name: "p",
  stages: {
    in: { source: { use: "memory", name: "in" } },
    out: { from: "in", sink: { use: "memory", name: "out" } }
  },
  runtime: { batch_size: 2, checkpoint_interval: "1h" }
}

/** A run that has read two batches, and whose third is on its way for ever. */
const halfway = <A, E>(use: (pipeline: HostedPipeline) => Effect.Effect<A, E>) => {
  const hub = makeMemoryHub()
  hub.source("in", [1, 2, 3, 4, 5, 6])
  hub.interpose(({ operation, ordinal }) =>
    operation === "source.next" && ordinal === 2 ? Effect.never : Effect.void
  )
  return Effect.gen(function* () {
    const definition = {
      ...{ name: "p", description: "", text: "", settings: {}, definition: wire, findings: [] },
      ...{ signature: "one", base: "/" }
    }
    const pipeline = yield* define({ define: definition, by: "test", abandon: false })
    yield* pipeline.adopt
    yield* pipeline.actor.send({ _tag: "Run", reason: "test" }, "test")
    // Long enough for the batches to be sealed together, too short for a source that is quiet.
    for (let ms = 0; ms < 10; ms++) yield* TestClock.adjust("1 milli")
    yield* awaitState(pipeline.actor, ({ open }) => open.length === 2)
    return yield* use(pipeline)
  }).pipe(
    Effect.scoped,
    Effect.provide(
      Pipelines.layerLocal.pipe(
        Layer.provide(Layer.merge(layerMemoryOn(makeMemoryStore()), Drivers.layer([hub.driver])))
      )
    )
  )
}

describe("to settle", () => {
  it.effect("confirms what is in flight, without a moment passing", () =>
    halfway(({ actor, settle }) =>
      Effect.gen(function* () {
        assert.deepStrictEqual(checkpoints(yield* actor.state), [])
        yield* settle
        const state = yield* actor.state
        assert.deepStrictEqual(state.open, [])
        assert.deepStrictEqual(
          checkpoints(state).map(({ batch, offset }) => [batch, offset]),
          [[1, 4]]
        )
        // Nothing is in flight any more, so it is settled.
        yield* settle
      })
    )
  )

  it.effect("is over when the run is", () =>
    halfway((pipeline) =>
      Effect.gen(function* () {
        const { actor, settle } = pipeline
        const asked = yield* Effect.forkChild(Effect.andThen(settle, settle), { startImmediately: true })
        const reason = { code: "service_stopped", message: "" }
        const retiring = yield* Effect.forkChild(pipeline.retire(reason), { startImmediately: true })
        yield* TestClock.adjust("2 minutes")
        yield* Fiber.join(retiring)
        yield* Fiber.join(asked)
        assert.strictEqual((yield* actor.state).lifecycle, "Crashed")
        yield* settle
      })
    )
  )
})
