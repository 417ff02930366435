/**
 * Pipelines as programs write them: what compiles, what comes out, and that it is what a file would say.
 *
 * @module
 */
import { assert, describe, it } from "@effect/vitest"
import { Deferred, Effect, Fiber, Layer, Result, Schema } from "effect"
import { encodeYaml, parsePipelineFile } from "../../src/config/PipelineFile.ts"
import { End, File, Millrace, Pipeline } from "../../src/index.ts"
import { makeMemoryHub } from "../../src/testing/index.ts"

const Flight = Schema.Struct({ origin: Schema.String, delay: Schema.Number })
const Late = Schema.Struct({ from: Schema.String, hours: Schema.Number })
type Flight = typeof Flight.Type

const flights = Pipeline.source("flights", File.ndjson("flights.ndjson", Flight))
const toLate = ({ delay, origin }: Flight) => ({ from: origin, hours: delay / 60 })

const delays = Pipeline.make("delays", { runtime: { batchSize: 10 } }).pipe(
  flights,
  Pipeline.filter("late", (flight) => flight.delay > 60),
  Pipeline.map("shaped", Late, toLate),
  Pipeline.sink("store", File.ndjson("out/late.ndjson", Late)),
  Pipeline.sink("alerts", File.csv("out/alerts.csv"), { when: "record.hours > 6" }),
  Pipeline.from("flights"),
  Pipeline.filterBy("on-time", "record.delay <= 0"),
  Pipeline.sink("punctual", File.ndjson("out/punctual.ndjson", Flight))
)

describe("a pipeline of a program", () => {
  it("is the definition its file would give", () => {
    const definition = Result.getOrThrow(Pipeline.definition(delays))
    const read = parsePipelineFile({ text: encodeYaml(definition), environment: {} })
    assert.deepStrictEqual(read.definition, definition)
    assert.deepStrictEqual(definition.stages["on-time"]?.from, [{ stage: "flights" }])
    assert.deepStrictEqual(definition.stages.alerts?.from, [{ stage: "shaped", when: "record.hours > 6" }])
    assert.strictEqual(definition.runtime.batchSize, 10)
  })

  it("has the schedule its file would give", () => {
    const scheduled = (schedule: ReturnType<typeof Pipeline.cron>) =>
      Result.getOrThrow(Pipeline.definition({ ...delays, options: { schedule } })).schedule
    const written = (schedule: string) =>
      parsePipelineFile({
        text: `name: p\nschedule: ${schedule}\nstages:\n  a: { source: { use: m } }\n  b: { from: a, sink: { use: m } }\n`,
        environment: {}
      }).definition?.schedule
    assert.deepStrictEqual(
      scheduled(Pipeline.cron("0 6 * * *", "Europe/Berlin")),
      written("{ cron: '0 6 * * *', time_zone: Europe/Berlin }")
    )
    assert.deepStrictEqual(
      scheduled(Pipeline.every("5 minutes", { overlap: "buffer_one", catchUp: "all" })),
      written("{ interval: 5m, overlap: buffer_one, catch_up: all }")
    )
  })

  it("does not compile when adjacent stages do not fit", () => {
    Pipeline.make("wrong").pipe(
      flights,
      // @ts-expect-error a flight has no hours
      Pipeline.filter("late", (flight) => flight.hours > 1)
    )
    Pipeline.make("wrong").pipe(
      flights,
      // @ts-expect-error the sink takes late flights, not flights
      Pipeline.sink("store", File.ndjson("late.ndjson", Late))
    )
    Pipeline.make("wrong").pipe(
      flights,
      // @ts-expect-error what the function makes is not what the boundary promises
      Pipeline.map("shaped", Late, ({ origin }) => ({ from: origin }))
    )
    // @ts-expect-error there is no such stage to go back to
    delays.pipe(Pipeline.from("nowhere"))
  })

  it("names a stage once", () => {
    assert.throws(
      () => delays.pipe(Pipeline.from("flights"), Pipeline.filterBy("late", "true")),
      /two stages called late/
    )
  })
})

const run = (pipeline: Pipeline.Any<never>, payloads: ReadonlyArray<unknown>) => {
  const hub = makeMemoryHub()
  hub.source("in", payloads)
  return Effect.gen(function* () {
    const millrace = yield* Millrace
    yield* millrace.define(pipeline)
    const { state } = yield* millrace.run("p")
    return { state, letters: yield* millrace.deadLetters("p"), out: hub.sink("out").records }
  }).pipe(Effect.provide(Millrace.layerTest({ drivers: [hub.driver] })))
}

const Num = Schema.Struct({ n: Schema.Number })
const source = Pipeline.source("in", End.make({ use: "memory", name: "in" }, Num))
const sink = Pipeline.sink("out", End.make({ use: "memory", name: "out" }, Num))
const numbers = (count: number) => Array.from({ length: count }, (_, n) => ({ n }))

describe("functions of stages", () => {
  it.effect("a batch function answers for each record, and may nack some of them", () =>
    Effect.gen(function* () {
      const pipeline = Pipeline.make("p").pipe(
        source,
        Pipeline.mapBatch("doubled", Num, (records) =>
          Effect.succeed(
            records.map(({ n }) => (n === 3 ? Pipeline.nack("no threes", "three") : { n: n * 2 }))
          )
        ),
        sink
      )
      const { letters, out } = yield* run(pipeline, numbers(5))
      assert.deepStrictEqual(out, [{ n: 0 }, { n: 2 }, { n: 4 }, { n: 8 }])
      assert.deepStrictEqual(
        letters.map(({ offset, reason }) => [offset, reason.code]),
        [[3, "three"]]
      )
    })
  )

  it.effect("what does not keep the boundary it promised is a dead letter (invariant 8)", () =>
    Effect.gen(function* () {
      const pipeline = Pipeline.make("p").pipe(
        source,
        Pipeline.map("odd", Num, ({ n }) => ({ n: n === 1 ? ("one" as unknown as number) : n })),
        sink
      )
      const { letters, out } = yield* run(pipeline, numbers(3))
      assert.deepStrictEqual(out, [{ n: 0 }, { n: 2 }])
      assert.strictEqual(letters[0]?.reason.code, "contract_violation")
    })
  )

  it.effect("a defect of the program ends the run, which keeps its place", () =>
    Effect.gen(function* () {
      const pipeline = Pipeline.make("p").pipe(
        source,
        Pipeline.mapEffect("broken", Num, () => Effect.die("a bug")),
        sink
      )
      const { out, state } = yield* run(pipeline, numbers(3))
      assert.deepStrictEqual(out, [])
      assert.strictEqual(state.lifecycle, "Crashed")
      assert.match(state.run?.failure?.message ?? "", /a bug/)
    })
  )

  it.effect("a run under way is not resumed by whoever asks for it again", () =>
    Effect.gen(function* () {
      const hub = makeMemoryHub()
      hub.source("in", numbers(3))
      const open = yield* Deferred.make<void>()
      const reached = yield* Deferred.make<void>()
      const waits = Pipeline.make("p").pipe(
        source,
        Pipeline.mapEffect("waits", Num, (record) =>
          Deferred.succeed(reached, undefined).pipe(Effect.andThen(Deferred.await(open)), Effect.as(record))
        ),
        sink
      )
      yield* Effect.gen(function* () {
        const millrace = yield* Millrace
        yield* millrace.define(waits)
        const first = yield* Effect.forkChild(millrace.run("p"))
        yield* Deferred.await(reached)
        for (const again of [millrace.run("p"), millrace.trigger("p")]) {
          const refused = yield* Effect.flip(again)
          assert.strictEqual(refused._tag === "Rejection" && refused.code, "already_running")
        }
        yield* Deferred.succeed(open, undefined)
        const { state } = yield* Fiber.join(first)
        assert.strictEqual(state.run?.lives, 1)
        assert.deepStrictEqual(hub.sink("out").records, numbers(3))
      }).pipe(Effect.provide(Millrace.layerTest({ drivers: [hub.driver] })))
    })
  )

  it.effect("a pipeline with findings is not defined", () =>
    Effect.gen(function* () {
      const error = yield* Effect.flip(run(Pipeline.make("p").pipe(source), []))
      assert.strictEqual(error._tag, "InvalidDefinition")
    })
  )

  it.effect("a program that no longer provides a function is told so", () =>
    Effect.gen(function* () {
      const hub = makeMemoryHub()
      hub.source("in", numbers(1))
      const definition = Result.getOrThrow(
        Pipeline.definition(
          Pipeline.make("p").pipe(
            source,
            Pipeline.filter("some", () => true),
            sink
          )
        )
      )
      const { compile } = yield* Effect.promise(() => import("../../src/flow/Plan.ts"))
      const { Drivers } = yield* Effect.promise(() => import("../../src/drivers/Drivers.ts"))
      const error = yield* compile(definition, { pipeline: { id: "1", name: "p" }, base: "/" }).pipe(
        Effect.scoped,
        Effect.flip,
        Effect.provide(Layer.mergeAll(Drivers.layer([hub.driver])))
      )
      assert.match(error.message, /missing_function/)
    })
  )
})
