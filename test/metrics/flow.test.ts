/**
 * What a run leaves in the metrics: the numbers of the log and of the sinks, counted once.
 *
 * @module
 */
import { assert, describe, it } from "@effect/vitest"
import { Deferred, Effect, Fiber } from "effect"
import { TestClock } from "effect/testing"
import { DriverError } from "../../src/drivers/DriverError.ts"
import { topologies } from "../simulation/topologies.ts"
import { inProcess, makeWorld, runs, type Series, seriesIn } from "./measuring.ts"

/** A run of a topology of the simulation, in a world of its own. */
const ran = (topology: keyof typeof topologies) =>
  Effect.gen(function* () {
    const world = makeWorld()
    const { definition, fill } = topologies[topology]!
    fill(world.hub)
    yield* inProcess(world, runs(definition as { readonly name: string }))
    return yield* seriesIn(world)
  })

describe("the metrics of a run", () => {
  it.effect("count each record once on each branch, by the attempt that won", () =>
    Effect.gen(function* () {
      const series = yield* ran("letters")
      assert.deepInclude(series, {
        "records_read_total{pipeline=letters,stage=in,driver=memory}": 12,
        "records_applied_total{pipeline=letters,stage=plain,driver=memory}": 10,
        "records_applied_total{pipeline=letters,stage=mapped,driver=memory}": 9,
        "records_dead_lettered_total{pipeline=letters,stage=plain}": 2,
        "records_dead_lettered_total{pipeline=letters,stage=mapped}": 3,
        "records_filtered_total{pipeline=letters,stage=plain}": 0,
        "batches_sealed_total{pipeline=letters,stage=in}": 4,
        "batches_applied_total{pipeline=letters,stage=plain}": 4,
        "batch_duration_seconds{pipeline=letters,stage=plain,driver=memory}.count": 4,
        "runs_started_total{pipeline=letters}": 1,
        "runs_ended_total{pipeline=letters,status=completed}": 1
      })
    })
  )

  it.effect("count what a seal settles with nothing to write", () =>
    Effect.gen(function* () {
      const series = yield* ran("sparse")
      assert.strictEqual(series["records_read_total{pipeline=sparse,stage=in,driver=memory}"], 14)
      assert.strictEqual(series["records_applied_total{pipeline=sparse,stage=out,driver=memory}"], 1)
      assert.strictEqual(series["records_filtered_total{pipeline=sparse,stage=out}"], 13)
      assert.strictEqual(series["batches_applied_total{pipeline=sparse,stage=out}"], 1)
    })
  )

  it.effect("count what no edge took", () =>
    Effect.gen(function* () {
      const series = yield* ran("fanOut")
      assert.strictEqual(series["records_unrouted_total{pipeline=fan-out,stage=all}"], 0)
      const [big, small] = ["big", "small"].map(
        (stage) =>
          series[`records_applied_total{pipeline=fan-out,stage=${stage},driver=memory}`]! +
          series[`records_unrouted_total{pipeline=fan-out,stage=${stage}}`]! +
          series[`records_filtered_total{pipeline=fan-out,stage=${stage}}`]!
      )
      assert.deepStrictEqual([big, small], [10, 10])
    })
  )

  it.effect("count a retry, and the time it takes", () =>
    Effect.gen(function* () {
      const world = makeWorld()
      world.hub.source("a", [{ n: 1 }])
      world.hub.sink("x")
      let writes = 0
      world.hub.interpose((call) =>
        call.operation === "sink.write" && call.phase === "before" && writes++ === 0
          ? Effect.fail(away)
          : Effect.void
      )
      const fiber = yield* Effect.forkChild(inProcess(world, runs(copy)))
      yield* overTime(fiber)
      const series = yield* seriesIn(world)
      assert.strictEqual(series["retries_total{pipeline=copy,stage=out,driver=memory}"], 1)
      assert.strictEqual(series["batch_duration_seconds{pipeline=copy,stage=out,driver=memory}.count"], 1)
      // The first pause before a retry is a quarter of a second.
      assert.isAtLeast(series["batch_duration_seconds{pipeline=copy,stage=out,driver=memory}.sum"]!, 0.25)
    })
  )

  it.effect("show what is in flight, and how old the oldest of it is, while it is", () =>
    Effect.gen(function* () {
      const world = makeWorld()
      world.hub.source("a", [{ n: 1 }, { n: 2 }, { n: 3 }])
      world.hub.sink("x")
      const reached = yield* Deferred.make<void>()
      const goOn = yield* Deferred.make<void>()
      world.hub.interpose((call) =>
        call.operation === "sink.write" && call.phase === "before"
          ? Effect.andThen(Deferred.succeed(reached, undefined), Deferred.await(goOn))
          : Effect.void
      )
      const fiber = yield* Effect.forkChild(inProcess(world, runs(copy)))
      // The pump waits a few milliseconds for a second batch to seal with the first.
      yield* TestClock.adjust("1 second")
      yield* Deferred.await(reached)
      const before = yield* seriesIn(world)
      yield* TestClock.adjust("30 seconds")
      const after = yield* seriesIn(world)
      assert.strictEqual(before[inFlight], 1)
      assert.strictEqual(after[inFlight], 1)
      assert.strictEqual(after[lag], before[lag]! + 30)
      assert.deepStrictEqual(statuses(after), [
        "deployment_status{pipeline=copy,status=Running}",
        "lifecycle_status{pipeline=copy,status=Running}"
      ])
      yield* Deferred.succeed(goOn, undefined)
      yield* overTime(fiber)
    })
  )
})

const copy = {
  name: "copy",
  stages: {
    in: { source: { use: "memory", name: "a" } },
    out: { from: "in", sink: { use: "memory", name: "x" } }
  },
  runtime: { batch_size: 2, in_flight: 1, checkpoint_interval: "0s" }
}

/** What the fiber comes to while the clock goes on, second by second, for at most ten minutes. */
const overTime = Effect.fnUntraced(function* <A, E>(fiber: Fiber.Fiber<A, E>) {
  for (let second = 0; second < 600 && fiber.pollUnsafe() === undefined; second++) {
    yield* TestClock.adjust("1 second")
  }
  return yield* Fiber.join(fiber)
})

const away = new DriverError({
  driver: "memory",
  operation: "write",
  reason: { _tag: "Unavailable", code: "away", message: "the sink is away" }
})

const lag = "lag_seconds{pipeline=copy}"
const inFlight = "batches_in_flight{pipeline=copy}"

const statuses = (series: Series) =>
  Object.keys(series).filter((key) => /^(?:deployment|lifecycle)_status/.test(key))
