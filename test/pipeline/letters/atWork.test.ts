/**
 * Redrives beside a run that is at work, at a bench that is asked for a rate, taken back, or stalled.
 *
 * @module
 */
import { assert, describe, it } from "@effect/vitest"
import { Deferred, Effect, Fiber, Layer } from "effect"
import { TestClock } from "effect/testing"
import { DriverError } from "../../../src/drivers/DriverError.ts"
import { Drivers } from "../../../src/drivers/Drivers.ts"
import { type MemoryHub, makeMemoryHub } from "../../../src/drivers/memory/MemoryHub.ts"
import { EventLog } from "../../../src/log/EventLog.ts"
import { layerMemory } from "../../../src/log/Memory.ts"
import { awaitState } from "../../../src/pipeline/awaitState.ts"
import { awaitRedrive } from "../../../src/pipeline/letters/awaitRedrive.ts"
import { discardLetters, withdrawRedrive } from "../../../src/pipeline/letters/discardLetters.ts"
import { requestRedrive } from "../../../src/pipeline/letters/requestRedrive.ts"
import { type HostedPipeline, Pipelines } from "../../../src/pipeline/Pipelines.ts"
import { define, runDefined } from "../../../src/pipeline/runOnce.ts"

const wire = {
  name: "p",
  stages: {
    in: { source: { use: "memory", name: "in" } },
    a: { from: "in", sink: { use: "memory", name: "a" } }
  },
  dead_letters: { window: 0 },
  runtime: { batch_size: 4, checkpoint_interval: "0s", in_flight: 1 }
}

const idOf = (record: unknown): number => (record as { id: number }).id
const held = (hub: MemoryHub) => hub.sink("a").records.map(idOf)

/** Twelve records of which the sink has refused every third. */
const hubOf = () => {
  const hub = makeMemoryHub()
  hub.source(
    "in",
    Array.from({ length: 12 }, (_, id) => ({ id }))
  )
  hub.sink("a").refuse = (record) => (idOf(record) % 3 === 1 ? "not now" : undefined)
  return hub
}

const on = <A, E>(
  hub: MemoryHub,
  act: (
    pipeline: HostedPipeline,
    log: EventLog["Service"]
  ) => Effect.Effect<A, E, import("effect").Scope.Scope>
) =>
  Effect.gen(function* () {
    const definition = {
      ...{ name: "p", description: "", text: "", settings: {}, definition: wire, findings: [] },
      ...{ signature: "s", base: "/" }
    }
    const pipeline = yield* define({ define: definition, by: "test", abandon: false })
    return yield* act(pipeline, yield* EventLog)
  }).pipe(
    Effect.scoped,
    Effect.provide(
      Pipelines.layerLocal.pipe(Layer.provide(Drivers.layer([hub.driver])), Layer.provideMerge(layerMemory))
    )
  )

const run = (pipeline: HostedPipeline) =>
  Effect.scoped(runDefined(pipeline, { by: "test", reason: "test", stop: Effect.never }))

/** Lets a second pass after the other until it is so; answers with how many that were, at most a thousand. */
const secondsUntil = Effect.fnUntraced(function* (isSo: () => boolean) {
  let seconds = 0
  while (!isSo() && seconds < 1000) {
    yield* TestClock.adjust("1 second")
    seconds++
  }
  return seconds
})

/** Runs an effect while time passes. */
const passing = Effect.fnUntraced(function* <A, E, R>(effect: Effect.Effect<A, E, R>) {
  const fiber = yield* Effect.forkChild(effect)
  yield* secondsUntil(() => fiber.pollUnsafe() !== undefined)
  return yield* Fiber.join(fiber)
})

const outcomesOf = (outcomes: ReadonlyArray<{ readonly letter: string; readonly outcome: string }>) =>
  outcomes.map(({ letter, outcome }) => [letter, outcome])

describe("redrives", () => {
  it.live("are worked on by the run that is at work", () => {
    const hub = hubOf()
    return on(hub, (pipeline, log) =>
      Effect.gen(function* () {
        const isSettled = yield* Deferred.make<void>()
        hub.interpose((call) =>
          call.operation === "source.next" && call.ordinal === 1 && call.phase === "before"
            ? Deferred.await(isSettled)
            : Effect.void
        )
        const running = yield* Effect.forkScoped(run(pipeline))
        yield* awaitState(pipeline.actor, ({ nextBatch, open }) => nextBatch === 1 && open.length === 0)
        hub.sink("a").refuse = () => undefined
        const requested = yield* requestRedrive(pipeline, log, { letters: ["0.0.1"], by: "test" })
        const outcomes = yield* awaitRedrive(pipeline, log, requested)
        assert.deepStrictEqual(outcomesOf(outcomes), [["0.0.1", "left"]])
        assert.strictEqual((yield* pipeline.actor.state).lifecycle, "Running")
        assert.lengthOf(hub.sink("a").openings, 1)
        yield* Deferred.succeed(isSettled, undefined)
        const { state } = yield* Fiber.join(running)
        assert.strictEqual(state.lifecycle, "Completed")
        assert.deepStrictEqual(held(hub), [0, 2, 3, 1, 4, 5, 6, 7, 8, 9, 10, 11])
        assert.strictEqual(state.run?.counts.applied.a, 12)
      })
    )
  })

  it.live("are asked for again by who was too late, and not twice", () => {
    const hub = hubOf()
    return on(hub, (pipeline, log) =>
      Effect.gen(function* () {
        yield* run(pipeline)
        hub.sink("a").refuse = () => undefined
        const ask = requestRedrive(pipeline, log, { letters: "all", by: "test" })
        const asked = yield* Effect.all([ask, Effect.exit(ask), Effect.exit(ask)], {
          concurrency: "unbounded"
        })
        yield* awaitState(pipeline.actor, ({ bench }) => bench?.open.length === 0)
        assert.lengthOf(asked[0].letters, 4)
        assert.deepStrictEqual(held(hub).slice(8), [1, 4, 7, 10])
      })
    )
  })

  it.live("of a batch that is not settled are refused", () => {
    const hub = hubOf()
    return on(hub, (pipeline, log) =>
      Effect.gen(function* () {
        yield* run(pipeline)
        const wrong = yield* Effect.flip(requestRedrive(pipeline, log, { letters: ["0.0.0"], by: "test" }))
        assert.strictEqual("code" in wrong ? wrong.code : "", "unknown_letter")
      })
    )
  })

  it.effect("keep to their rate, and can be taken back before they begin", () => {
    const hub = hubOf()
    return on(hub, (pipeline, log) =>
      Effect.gen(function* () {
        const running = yield* Effect.forkScoped(run(pipeline))
        yield* TestClock.adjust("1 minute")
        yield* Fiber.join(running)
        hub.sink("a").refuse = () => undefined
        const requested = yield* requestRedrive(pipeline, log, { letters: "all", rate: 0.1, by: "test" })
        assert.lengthOf(requested.letters, 4)
        const first = yield* secondsUntil(() => held(hub).length > 8)
        const second = yield* secondsUntil(() => held(hub).length > 9)
        // A second of the clock is a few turns of the fibers: a write may take several of them.
        assert.isAtMost(first, 8)
        assert.isAtLeast(first + second, 10)
        assert.deepStrictEqual(held(hub).slice(8), [1, 4])
        yield* TestClock.adjust("1 second")
        const back = yield* withdrawRedrive(pipeline, "all", "enough", "test")
        assert.deepStrictEqual(back, ["0.1.7", "0.2.10"])
        const outcomes = yield* passing(awaitRedrive(pipeline, log, requested))
        assert.deepStrictEqual(outcomesOf(outcomes), [
          ["0.0.1", "left"],
          ["0.1.4", "left"],
          ["0.1.7", "withdrawn"],
          ["0.2.10", "withdrawn"]
        ])
        yield* TestClock.adjust("1 minute")
        assert.deepStrictEqual(held(hub).slice(8), [1, 4])
        yield* discardLetters(pipeline, log, { letters: ["0.1.7"], reason: "gone", by: "test" })
        const rest = yield* requestRedrive(pipeline, log, { letters: "all", by: "test" })
        assert.deepStrictEqual(rest.letters, [{ letter: "0.2.10", n: 2 }])
        yield* passing(awaitRedrive(pipeline, log, rest))
        assert.deepStrictEqual(held(hub).slice(8), [1, 4, 10])
      })
    )
  })

  it.effect("wait for a sink that is away, and go on by themselves", () => {
    const hub = hubOf()
    return on(hub, (pipeline, log) =>
      Effect.gen(function* () {
        const running = yield* Effect.forkScoped(run(pipeline))
        yield* TestClock.adjust("1 minute")
        yield* Fiber.join(running)
        hub.sink("a").refuse = () => undefined
        let isAway = true
        hub.interpose((call) =>
          isAway && call.operation === "sink.write" && call.phase === "before"
            ? Effect.fail(
                new DriverError({
                  driver: "memory",
                  operation: "write",
                  reason: { _tag: "Unavailable", code: "away", message: "nobody answers" }
                })
              )
            : Effect.void
        )
        const requested = yield* requestRedrive(pipeline, log, { letters: ["0.0.1"], by: "test" })
        const stalled = yield* passing(awaitRedrive(pipeline, log, requested))
        assert.deepStrictEqual(outcomesOf(stalled), [["0.0.1", "open"]])
        assert.strictEqual(stalled[0]?.reason?.code, "away")
        isAway = false
        // Nobody asks again: it is the pause that passes.
        yield* secondsUntil(() => held(hub).length > 8)
        assert.deepStrictEqual(held(hub).slice(8), [1])
        const [outcome] = yield* passing(awaitRedrive(pipeline, log, requested))
        assert.strictEqual(outcome?.outcome, "left")
      })
    )
  })
})
