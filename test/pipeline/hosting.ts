/**
 * One process with one pipeline on a log in memory, and its time.
 *
 * @module
 */
import { Effect, Layer } from "effect"
import { TestClock } from "effect/testing"
import type { PipelineEvent } from "../../events/PipelineEvent.ts"
import type { PipelineState } from "../../projections/PipelineState.ts"
import { Drivers } from "../../src/drivers/Drivers.ts"
import type { MemoryHub } from "../../src/drivers/memory/MemoryHub.ts"
import { layerMemoryOn, makeMemoryStore } from "../../src/log/Memory.ts"
import { eventsOf, headsOf } from "../../src/log/MemoryStore.ts"
import { awaitState } from "../../src/pipeline/awaitState.ts"
import { Pipelines } from "../../src/pipeline/Pipelines.ts"
import { define } from "../../src/pipeline/runOnce.ts"

type Holds = (state: PipelineState) => boolean

export interface Hosted {
  /** Wants it running and triggers a run. */
  readonly start: Effect.Effect<unknown, unknown>
  readonly until: (holds: Holds) => Effect.Effect<PipelineState, unknown>
  /** The same, while the clock goes on, second by second, for at most an hour. */
  readonly whileTimePasses: (holds: Holds) => Effect.Effect<PipelineState, unknown>
  readonly events: () => ReadonlyArray<PipelineEvent>
}

/** Defines the pipeline, adopts it, and shuts everything down behind `use`. */
export const hosting = <A, E>(
  hub: MemoryHub,
  stages: object,
  use: (hosted: Hosted) => Effect.Effect<A, E>,
  settings: object = {}
) => {
  const store = makeMemoryStore()
  const wire = { name: "p", stages, ...settings }
  return Effect.gen(function* () {
    const definition = {
      ...{ name: "p", description: "", text: "", settings: {}, definition: wire as never, findings: [] },
      ...{ signature: "one", base: "/" }
    }
    const pipeline = yield* define({ define: definition, by: "test", abandon: false })
    yield* pipeline.adopt
    const { actor } = pipeline
    return yield* use({
      start: Effect.gen(function* () {
        yield* actor.send({ _tag: "SetDesired", desired: "Running", reason: "test" }, "test")
        yield* awaitState(actor, ({ deployment }) => deployment === "Running" || deployment === "Failed")
        if ((yield* actor.state).deployment === "Failed") return
        yield* actor.send({ _tag: "Trigger", reason: "test" }, "test")
      }),
      until: (holds) => awaitState(actor, holds),
      whileTimePasses: Effect.fnUntraced(function* (holds) {
        for (let second = 0; second < 3600; second++) {
          if (holds(yield* actor.state)) break
          yield* TestClock.adjust("1 second")
          // A turn of the event loop, so that real connections get on as well.
          yield* Effect.promise(() => new Promise((resolve) => setImmediate(resolve)))
        }
        return yield* awaitState(actor, holds)
      }),
      events: () => {
        const stream = headsOf(store).find((head) => head.stream.startsWith("pipeline/"))!.stream
        return eventsOf(store, stream).map(({ payload }): PipelineEvent => JSON.parse(payload))
      }
    })
  }).pipe(
    Effect.scoped,
    Effect.provide(
      Pipelines.layerLocal.pipe(Layer.provide(Layer.merge(layerMemoryOn(store), Drivers.layer([hub.driver]))))
    )
  )
}
