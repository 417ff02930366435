/**
 * A continuous pipeline has its run of its own accord, and one run only for sources that end.
 *
 * @module
 */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Layer, type Schema } from "effect"
import { TestClock } from "effect/testing"
import type { PipelineState } from "../../projections/PipelineState.ts"
import { Drivers } from "../../src/drivers/Drivers.ts"
import { makeHttpDriver } from "../../src/drivers/http/HttpDriver.ts"
import { makeIngress } from "../../src/drivers/http/Ingress.ts"
import { makeMemoryHub } from "../../src/drivers/memory/MemoryHub.ts"
import { settledPosition } from "../../src/flow/merge/MergedPosition.ts"
import { layerMemoryOn, makeMemoryStore } from "../../src/log/Memory.ts"
import { eventsOf, headsOf } from "../../src/log/MemoryStore.ts"
import { awaitState } from "../../src/pipeline/awaitState.ts"
import { Pipelines } from "../../src/pipeline/Pipelines.ts"
import { define } from "../../src/pipeline/runOnce.ts"
import { lines, ndjson, push } from "../drivers/http/pushing.ts"
import { tempFolder } from "../drivers/support.ts"

const wireOf = (source: Schema.Json) => ({
  name: "p",
  schedule: "continuous",
  stages: { stage: { source }, out: { from: "stage", sink: { use: "memory", name: "out" } } },
  runtime: { batch_size: 10, max_buffering: "0s", checkpoint_interval: "0s" }
})

const hosted = Effect.fnUntraced(function* (source: Schema.Json, wire: Schema.Json = wireOf(source)) {
  const definition = {
    ...{ name: "p", description: "", text: "", settings: {}, definition: wire, findings: [] },
    ...{ signature: JSON.stringify(source), base: "/" }
  }
  const pipeline = yield* define({ define: definition, by: "test", abandon: false })
  yield* pipeline.adopt
  const { actor } = pipeline
  return {
    actor,
    want: (desired: PipelineState["desired"]) =>
      actor.send({ _tag: "SetDesired", desired, reason: "test" }, "test"),
    until: (deployment: PipelineState["deployment"], lifecycle: PipelineState["lifecycle"]) =>
      awaitState(actor, (state) => state.deployment === deployment && state.lifecycle === lifecycle)
  }
})

const layerOf = (store: ReturnType<typeof makeMemoryStore>, drivers: Parameters<typeof Drivers.layer>[0]) =>
  Pipelines.layerLocal.pipe(Layer.provide(Layer.merge(layerMemoryOn(store), Drivers.layer(drivers))))

describe("a continuous pipeline", () => {
  it.effect("whose source ends has one run for each start, however often it is paused", () => {
    const hub = makeMemoryHub()
    hub.source("in", [{ n: 1 }])
    const store = makeMemoryStore()
    const runs = () => {
      const stream = headsOf(store).find((head) => head.stream.startsWith("pipeline/"))!.stream
      return eventsOf(store, stream).filter(({ type }) => type === "RunStarted").length
    }
    return Effect.gen(function* () {
      const { actor, until, want } = yield* hosted({ use: "memory", name: "in" })
      yield* want("Running")
      yield* until("Running", "Completed")
      yield* want("Paused")
      yield* until("Paused", "Completed")
      yield* want("Running")
      yield* until("Running", "Completed")
      yield* TestClock.adjust("1 day")
      assert.strictEqual(runs(), 1)
      yield* want("Shutdown")
      yield* until("Shutdown", "Completed")
      yield* want("Running")
      yield* awaitState(actor, ({ isDone }) => isDone)
      assert.strictEqual(runs(), 2)
    }).pipe(Effect.scoped, Effect.provide(layerOf(store, [hub.driver])))
  })

  it.live("that is pushed into delivers what came while it was paused, and each record once", () =>
    Effect.gen(function* () {
      const ingress = yield* makeIngress({ directory: yield* tempFolder })
      const hub = makeMemoryHub()
      yield* Effect.gen(function* () {
        const { actor, until, want } = yield* hosted(ndjson)
        const to = { pipeline: actor.id }
        const settled = (records: number) =>
          awaitState(actor, ({ run }) => run?.sources.stage?.checkpoint?.offset === records)
        yield* push(ingress, lines(0, 3), to)
        yield* want("Running")
        yield* settled(3)
        yield* push(ingress, lines(3, 25), to)
        yield* settled(25)
        yield* want("Paused")
        yield* until("Paused", "Crashed")
        const { token } = yield* push(ingress, lines(25, 30), to)
        const isThrough = Effect.flatMap(actor.state, ({ run }) =>
          ingress.isThrough({
            ...to,
            token,
            checkpoint: (stage) => run?.sources[stage]?.checkpoint?.position ?? null
          })
        )
        assert.isFalse(yield* isThrough)
        yield* want("Running")
        yield* settled(30)
        assert.isTrue(yield* isThrough)
        const strange = yield* Effect.flip(
          ingress.isThrough({ pipeline: "another", token, checkpoint: () => null })
        )
        assert.strictEqual(strange.reason._tag, "UnknownToken")
        // A run that is given up has no place any more: the next one goes on where it had settled.
        yield* want("Shutdown")
        yield* until("Shutdown", "Crashed")
        yield* actor.send({ _tag: "FailRun", reason: { code: "abandoned", message: "test" } }, "test")
        yield* push(ingress, lines(30, 32), to)
        yield* want("Running")
        yield* settled(2)
        assert.deepStrictEqual(
          hub.sink("out").records,
          Array.from({ length: 32 }, (_, n) => ({ n }))
        )
      }).pipe(Effect.scoped, Effect.provide(layerOf(makeMemoryStore(), [hub.driver, ingress.driver])))
    }).pipe(Effect.scoped)
  )

  it.live("whose sources are read as one follows each of them, and knows what of each is through", () =>
    Effect.gen(function* () {
      const ingress = yield* makeIngress({ directory: yield* tempFolder })
      const hub = makeMemoryHub()
      yield* Effect.gen(function* () {
        const { stages, ...settings } = wireOf(ndjson)
        const { actor, until, want } = yield* hosted(ndjson, {
          ...settings,
          stages: {
            left: stages.stage,
            right: stages.stage,
            out: { ...stages.out, from: ["left", "right"] }
          },
          merge: "round_robin"
        })
        const left = { pipeline: actor.id, stage: "left" }
        const settled = (records: number) =>
          awaitState(actor, ({ run }) => run?.sources["left+right"]?.checkpoint?.offset === records)
        yield* push(ingress, lines(0, 3), left)
        yield* want("Running")
        yield* settled(3)
        yield* push(ingress, lines(100, 105), { ...left, stage: "right" })
        yield* settled(8)
        yield* want("Paused")
        yield* until("Paused", "Crashed")
        const { token } = yield* push(ingress, lines(3, 30), left)
        const isThrough = Effect.flatMap(actor.state, ({ run }) =>
          ingress.isThrough({
            ...left,
            token,
            checkpoint: (stage) => settledPosition(run?.sources ?? {}, stage)
          })
        )
        assert.isFalse(yield* isThrough)
        yield* want("Running")
        yield* settled(35)
        assert.isTrue(yield* isThrough)
        const held = hub.sink("out").records.map((record) => (record as { n: number }).n)
        assert.deepStrictEqual(
          held.filter((n) => n < 100),
          Array.from({ length: 30 }, (_, n) => n)
        )
        assert.strictEqual(held.length, 35)
      }).pipe(Effect.scoped, Effect.provide(layerOf(makeMemoryStore(), [hub.driver, ingress.driver])))
    }).pipe(Effect.scoped)
  )

  it.effect("that is pushed into fails where nobody listens, and says what to do", () =>
    Effect.gen(function* () {
      const { actor, want } = yield* hosted(ndjson)
      yield* want("Running")
      const { deploymentError } = yield* awaitState(actor, ({ deployment }) => deployment === "Failed")
      assert.strictEqual(deploymentError?.code, "no_ingress")
    }).pipe(
      Effect.scoped,
      Effect.provide(layerOf(makeMemoryStore(), [makeMemoryHub().driver, makeHttpDriver(undefined)]))
    )
  )
})
