/**
 * How a run is brought to its end: the batch at work is finished first, and closing has no say in what became of it.
 *
 * @module
 */
import { assert, describe, it } from "@effect/vitest"
import { Deferred, Effect, Fiber, Schema } from "effect"
import { TestClock } from "effect/testing"
import type { Driver } from "../../src/drivers/Driver.ts"
import type { Sink } from "../../src/drivers/Sink.ts"
import { End, Millrace, Pipeline, Worker } from "../../src/index.ts"
import { type MemoryHub, makeMemoryHub } from "../../src/testing/index.ts"
import { whileTimePasses } from "../support/whileTimePasses.ts"

const Num = Schema.Struct({ n: Schema.Number })
type Num = typeof Num.Type
const numbers = (count: number): ReadonlyArray<Num> => Array.from({ length: count }, (_, n) => ({ n }))
const source = Pipeline.source("in", End.make({ use: "memory", name: "in" }, Num))
const sinkOf = (use: string) => Pipeline.sink("out", End.make({ use, name: "out" }, Num))

describe("a stop", () => {
  it.effect("waits for the batch at work; nothing of it is lost or done twice", () =>
    Effect.gen(function* () {
      const hub = makeMemoryHub()
      hub.source("in", numbers(6))
      const reached = yield* Deferred.make<void>()
      const open = yield* Deferred.make<void>()
      const told: Array<string> = []
      const tell = (what: string) => Effect.sync(() => void told.push(what))
      const worker = Worker.make<Num>({
        open: tell("open"),
        do: (batch) =>
          Effect.gen(function* () {
            const [first] = batch.activeRecords
            told.push(`do ${first?.offset}`)
            yield* Deferred.succeed(reached, undefined)
            yield* Deferred.await(open)
            told.push("done")
          }),
        stop: tell("stop"),
        close: tell("close")
      })
      const slow = Pipeline.make("p", { runtime: { batchSize: 2 } }).pipe(
        source,
        Pipeline.custom("slow", Num, worker),
        sinkOf("memory")
      )
      yield* Effect.gen(function* () {
        const millrace = yield* Millrace
        yield* millrace.define(slow)
        const running = yield* Effect.forkChild(millrace.run("p"))
        yield* Deferred.await(reached)
        const stopping = yield* Effect.forkChild(millrace.stop("p"))
        yield* TestClock.adjust("10 seconds")
        assert.deepStrictEqual(told, ["open", "do 0"], "the batch was left alone")
        yield* Deferred.succeed(open, undefined)
        yield* whileTimePasses(Fiber.join(stopping))
        yield* Fiber.join(running)
        const { deployment, lifecycle, open: left, run } = yield* millrace.state("p")
        assert.deepStrictEqual(
          [deployment, lifecycle, run?.failure?.code, left.length],
          ["Shutdown", "Crashed", "interrupted", 0]
        )
        assert.deepStrictEqual(told, ["open", "do 0", "done", "stop", "close"])
        assert.deepStrictEqual(hub.sink("out").records, numbers(2))

        yield* whileTimePasses(millrace.run("p"))
        assert.deepStrictEqual(hub.sink("out").records, numbers(6))
        assert.deepStrictEqual(
          told.slice(5).filter((what) => what !== "done"),
          ["open", "do 2", "do 4", "stop", "close"]
        )
      }).pipe(Effect.provide(Millrace.layerTest({ drivers: [hub.driver] })))
    })
  )
})

/** The memory driver, with a sink that cannot be closed. */
const stubborn = (hub: MemoryHub, closed: () => void): Driver => ({
  name: "stubborn",
  class: "memory",
  guarantee: "effectively_once",
  sink: {
    config: hub.driver.sink!.config,
    make: () =>
      Effect.sync((): Sink => {
        const sink = hub.sink("out")
        return {
          encode: (payload) => payload,
          open: (opening) =>
            Effect.acquireRelease(sink.open(opening), () =>
              Effect.sync(() => {
                closed()
                throw new Error("it does not close")
              })
            )
        }
      })
  }
})

describe("what cannot be closed", () => {
  it.effect("takes nothing back of a run that has come to its end, nor of the next one", () => {
    const hub = makeMemoryHub()
    hub.source("in", numbers(3))
    let closed = 0
    const drivers = [hub.driver, stubborn(hub, () => closed++)]
    return Effect.gen(function* () {
      const millrace = yield* Millrace
      yield* millrace.define(Pipeline.make("p").pipe(source, sinkOf("stubborn")))
      for (const time of [1, 2]) {
        const { state } = yield* whileTimePasses(millrace.run("p"))
        assert.deepStrictEqual([state.lifecycle, state.run?.failure], ["Completed", null])
        assert.deepStrictEqual([closed, hub.sink("out").records.length], [time, 3 * time])
      }
    }).pipe(Effect.provide(Millrace.layerTest({ drivers })))
  })

  it.effect("is closed again, where the stage is a program's, and then left", () => {
    const hub = makeMemoryHub()
    hub.source("in", numbers(3))
    let closes = 0
    const worker = Worker.make<Num>({
      do: () => Effect.void,
      close: Effect.suspend(() => {
        closes++
        return Effect.fail("busy")
      })
    })
    return Effect.gen(function* () {
      const millrace = yield* Millrace
      yield* millrace.define(
        Pipeline.make("p").pipe(source, Pipeline.custom("mine", Num, worker), sinkOf("memory"))
      )
      const { state } = yield* whileTimePasses(millrace.run("p"))
      assert.deepStrictEqual([state.lifecycle, closes], ["Completed", 6])
    }).pipe(Effect.provide(Millrace.layerTest({ drivers: [hub.driver] })))
  })
})
