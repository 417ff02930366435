/**
 * Replaying from a program: while the pipeline is started, and while it is not.
 *
 * @module
 */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Schema } from "effect"
import { End, Millrace, Pipeline } from "../../../src/index.ts"
import { makeMemoryHub } from "../../../src/testing/index.ts"

const Num = Schema.Struct({ n: Schema.Number })
const numbers = [{ n: 1 }, { n: 2 }, { n: 3 }]

/** A pipeline whose function is another one from life to life: why somebody replays. */
const doubling = (by: { factor: number }) =>
  Pipeline.make("p").pipe(
    Pipeline.source("in", End.make({ use: "memory", name: "in" }, Num)),
    Pipeline.map("times", Num, ({ n }) => ({ n: n * by.factor })),
    Pipeline.sink("out", End.make({ use: "memory", name: "out" }, Num))
  )

const onMillrace = <A, E>(
  use: (of: {
    readonly millrace: Millrace["Service"]
    readonly hub: ReturnType<typeof makeMemoryHub>
    readonly by: { factor: number }
  }) => Effect.Effect<A, E>
) => {
  const hub = makeMemoryHub()
  hub.source("in", numbers)
  const by = { factor: 1 }
  return Effect.gen(function* () {
    const millrace = yield* Millrace
    yield* millrace.define(doubling(by))
    return yield* use({ millrace, hub, by })
  }).pipe(Effect.provide(Millrace.layerTest({ drivers: [hub.driver] })))
}

describe("a program replays", () => {
  it.effect("a pipeline that is started: it goes on at once, and is awaited like a run", () =>
    onMillrace(({ by, hub, millrace }) =>
      Effect.gen(function* () {
        yield* millrace.start("p")
        yield* millrace.trigger("p")
        yield* millrace.await("p")
        by.factor = 10
        yield* millrace.replay("p", { from: "start", reason: "the factor was wrong" })
        const state = yield* millrace.await("p")
        assert.strictEqual(state.lifecycle, "Completed")
        assert.strictEqual(state.generation, 1)
        assert.deepStrictEqual(hub.sink("out").records, [...numbers, { n: 10 }, { n: 20 }, { n: 30 }])
      })
    )
  )

  it.effect(
    "one that is not: it waits for its next run, and a sink that holds its keys keeps what it has",
    () =>
      onMillrace(({ by, hub, millrace }) =>
        Effect.gen(function* () {
          yield* millrace.run("p")
          by.factor = 10
          const asked = yield* millrace.replay("p", { from: "start", generation: "same", dryRun: true })
          assert.deepStrictEqual(asked.sinks, [{ stage: "out", suppressed: 1, rewritten: 0, new: 0 }])
          assert.strictEqual((yield* millrace.state("p")).lifecycle, "Completed")
          yield* millrace.replay("p", { from: "start", generation: "same" })
          assert.strictEqual((yield* millrace.state("p")).run?.failure?.code, "set_back")
          const { state } = yield* millrace.run("p")
          assert.strictEqual(state.lifecycle, "Completed")
          assert.deepStrictEqual(hub.sink("out").records, numbers)
        })
      )
  )

  it.effect("no pipeline that has not run yet", () =>
    onMillrace(({ millrace }) =>
      Effect.gen(function* () {
        const refused = yield* Effect.flip(millrace.replay("p", { from: "start" }))
        assert.strictEqual(refused._tag === "Rejection" && refused.code, "nothing_to_replay")
      })
    )
  )
})
