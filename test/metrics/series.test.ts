/**
 * Which series there are: labels from the table and nothing else, and no more of them than there is room for.
 *
 * @module
 */
import { assert, describe, it } from "@effect/vitest"
import { Context, Effect, Fiber, Logger, Metric } from "effect"
import { TestClock } from "effect/testing"
import type { PipelineEvent } from "../../events/PipelineEvent.ts"
import * as PipelineState from "../../projections/PipelineState.ts"
import { EventLog } from "../../src/log/EventLog.ts"
import { reportingSlow } from "../../src/log/slowCommit.ts"
import { type MetricName, type MetricRow, metricTable } from "../../src/metrics/metricTable.ts"
import { PipelineMeter } from "../../src/metrics/PipelineMeter.ts"
import { pipelinesMost } from "../../src/metrics/SeriesRoom.ts"
import { LiveRoster } from "../../src/pipeline/LiveRoster.ts"
import * as Events from "../fixtures/events.ts"
import { topologies } from "../simulation/topologies.ts"
import { inProcess, makeWorld, runs, type Series, seriesIn } from "./measuring.ts"

const table: Readonly<Record<string, MetricRow>> = metricTable

const drivers = { stages: { in: { source: { use: "memory" } }, a: { sink: { use: "file" } } } }
const defined = (name: string, definition = drivers): PipelineEvent => ({
  ...Events.defined,
  name,
  definition
})

/** A meter that has been told these events, in the registry. */
const told = (registry: Metric.MetricRegistry, ...events: ReadonlyArray<PipelineEvent>): PipelineMeter => {
  const context = Context.make(Metric.MetricRegistry, registry)
  const meter = new PipelineMeter(context, PipelineState.initial, 0)
  tell(meter, events, PipelineState.initial)
  return meter
}

const tell = (
  meter: PipelineMeter,
  events: ReadonlyArray<PipelineEvent>,
  from: PipelineState.PipelineState
): PipelineState.PipelineState =>
  events.reduce((before, event) => {
    const after = PipelineState.evolve(before, event)
    meter.tell(event, before, after, 0)
    return after
  }, from)

const pipelinesIn = (series: Series): ReadonlySet<string> =>
  new Set(Object.keys(series).flatMap((key) => /pipeline=([^,}]*)/.exec(key)?.[1] ?? []))

describe("the series", () => {
  it.effect("have the labels of the table, with values of its sets, whatever the records say", () =>
    Effect.gen(function* () {
      const world = makeWorld()
      const topology = Object.values(topologies)
      for (const { definition, fill } of topology) {
        fill(world.hub)
        yield* inProcess(world, runs(definition as { readonly name: string }))
      }
      const snapshots = yield* Effect.provideService(Metric.snapshot, Metric.MetricRegistry, world.registry)
      for (const { attributes = {}, id } of snapshots) {
        const row = table[id as MetricName]
        assert.isDefined(row, id)
        assert.deepStrictEqual(Object.keys(attributes), [...row!.labels], id)
        for (const label of ["status", "reason"]) {
          if (attributes[label] !== undefined) assert.include([...(row!.values ?? [])], attributes[label], id)
        }
      }
      const names = topology.map(({ definition }) => (definition as { readonly name: string }).name)
      const pipelines = pipelinesIn(yield* seriesIn(world))
      assert.sameMembers([...pipelines], names)
    })
  )

  it("have names that say their unit, and a set of values for each label that is no name", () => {
    for (const [name, { bounds, kind, labels, unit, values }] of Object.entries(table)) {
      assert.match(name, /^millrace_[a-z_]+$/)
      assert.strictEqual(name.endsWith("_total"), kind === "counter", name)
      if (unit === "seconds" || unit === "bytes") assert.match(name, new RegExp(`_${unit}(?:_total)?$`))
      assert.strictEqual(
        labels.some((label) => label === "status" || label === "reason"),
        values !== undefined,
        name
      )
      assert.strictEqual(kind === "histogram", bounds !== undefined, name)
    }
  })

  it.effect("of one pipeline show the one status it has", () =>
    Effect.gen(function* () {
      const registry: Metric.MetricRegistry = new Map()
      const meter = told(registry, defined("p"), Events.triggered, Events.runStarted)
      const lifecycles = Effect.map(seriesIn({ registry }), (series) =>
        Object.keys(series).filter((key) => key.startsWith("lifecycle_status"))
      )
      assert.deepStrictEqual(yield* lifecycles, ["lifecycle_status{pipeline=p,status=Running}"])
      meter.close()
      assert.deepStrictEqual(yield* lifecycles, [])
    })
  )

  it.effect("of a source show the bytes it knows of, while it is read", () =>
    Effect.gen(function* () {
      const registry: Metric.MetricRegistry = new Map()
      const meter = told(registry, defined("p"), Events.triggered, Events.runStarted)
      const before = PipelineState.replay([defined("p"), Events.triggered, Events.runStarted])
      const bytes = Effect.map(seriesIn({ registry }), (series) =>
        Object.fromEntries(Object.entries(series).filter(([key]) => key.startsWith("source_")))
      )
      let done = 10
      const reading = (total: number | null, unit: "bytes" | "rows") =>
        Effect.gen(function* () {
          yield* meter.reading(() => [{ stage: "in", done, total, unit }])
          tell(meter, [Events.sealed(0)], before)
          done += 5
          return yield* bytes
        }).pipe(Effect.scoped)
      assert.deepStrictEqual(yield* reading(20, "bytes"), {
        "source_read_bytes{pipeline=p,stage=in}": 15,
        "source_size_bytes{pipeline=p,stage=in}": 20
      })
      assert.deepStrictEqual(yield* bytes, {})
      assert.deepStrictEqual(yield* reading(null, "bytes"), { "source_read_bytes{pipeline=p,stage=in}": 20 })
      assert.deepStrictEqual(yield* reading(3, "rows"), {})
    })
  )

  it.effect("go on when a pipeline wakes again, and begin anew when it has another name", () =>
    Effect.gen(function* () {
      const registry: Metric.MetricRegistry = new Map()
      const history = [defined("p"), Events.triggered, Events.runStarted]
      told(registry, ...history).close()
      const again = told(registry, ...history)
      assert.strictEqual((yield* seriesIn({ registry }))["runs_started_total{pipeline=p}"], 2)
      tell(again, [defined("q")], PipelineState.replay(history))
      assert.deepStrictEqual([...pipelinesIn(yield* seriesIn({ registry }))], ["q"])
    })
  )

  it.effect("are those of so many pipelines: who is awake takes the place of who sleeps", () =>
    Effect.gen(function* () {
      const registry: Metric.MetricRegistry = new Map()
      const run = (name: string) => told(registry, defined(name), Events.triggered, Events.runStarted)
      const awake = run("awake")
      for (let n = 0; n < 3 * pipelinesMost; n++) run(`p${n}`).close()
      const pipelines = pipelinesIn(yield* seriesIn({ registry }))
      assert.strictEqual(pipelines.size, pipelinesMost)
      assert.isTrue(pipelines.has("awake"))
      assert.isFalse(pipelines.has("p0"))
      const others = Array.from({ length: pipelinesMost + 1 }, (_, n) => run(`q${n}`))
      const full = yield* seriesIn({ registry })
      assert.strictEqual(pipelinesIn(full).size, pipelinesMost)
      assert.strictEqual(full["pipelines_unmeasured{}"], 2)
      for (const meter of [awake, ...others]) meter.close()
      assert.strictEqual((yield* seriesIn({ registry }))["pipelines_unmeasured{}"], 0)
    })
  )
})

describe("the metrics of the log", () => {
  it.effect("count appends, their events, and why one was not taken", () =>
    Effect.gen(function* () {
      const world = makeWorld()
      yield* inProcess(
        world,
        Effect.gen(function* () {
          const log = yield* EventLog
          const { epoch } = yield* log.claim("s")
          const event = (eventId: string) => ({
            ...{ eventId, type: "t", schemaVersion: 1, payload: "{}", at: 0, by: "test" },
            ...{ causationId: null, correlationId: null }
          })
          yield* log.append("s", { expectedVersion: 0, epoch }, [event("1"), event("2"), event("3")])
          yield* Effect.flip(log.append("s", { expectedVersion: 0, epoch }, [event("4")]))
          yield* log.claim("s")
          yield* Effect.flip(log.append("s", { expectedVersion: 3, epoch }, [event("5")]))
          yield* log.saveSnapshot({ stream: "s", fold: "f", foldVersion: 1, version: 3, state: "{}" })
        })
      )
      assert.deepInclude(yield* seriesIn(world), {
        "log_appends_total{}": 1,
        "log_append_events{}.sum": 3,
        "log_append_seconds{}.count": 1,
        "log_append_failures_total{reason=version_conflict}": 1,
        "log_append_failures_total{reason=fenced}": 1,
        "log_snapshots_saved_total{}": 1
      })
    })
  )
})

describe("a commit", () => {
  it.effect("is measured, with the appends that share it; a slow one is said to be slow", () =>
    Effect.gen(function* () {
      const registry: Metric.MetricRegistry = new Map()
      const lines: Array<string> = []
      const fiber = yield* Effect.andThen(
        // The clock is the test's.
        reportingSlow(3, Effect.sleep("20 millis")),
        // As above.
        reportingSlow(1, Effect.sleep("600 millis"))
      ).pipe(
        Effect.provideService(Metric.MetricRegistry, registry),
        Effect.provide(Logger.layer([Logger.make(({ message }) => void lines.push(String(message)))])),
        Effect.forkChild
      )
      yield* TestClock.adjust("20 millis")
      yield* TestClock.adjust("600 millis")
      yield* Fiber.join(fiber)
      const series = yield* seriesIn({ registry })
      assert.deepInclude(series, {
        "log_group_appends{}.count": 2,
        "log_group_appends{}.sum": 4,
        "log_slow_commits_total{}": 1
      })
      assert.closeTo(series["log_commit_seconds{}.sum"]!, 0.62, 1e-9)
      assert.deepStrictEqual(lines, ["The log took 600 ms to commit 1 appends."])
    })
  )
})

describe("the gauges of all pipelines", () => {
  it.effect("count them by status, and how far behind the roster is", () =>
    Effect.gen(function* () {
      const world = makeWorld()
      const { definition, fill } = topologies.linear!
      fill(world.hub)
      yield* inProcess(
        world,
        Effect.gen(function* () {
          yield* runs(definition as { readonly name: string })
          yield* (yield* LiveRoster).now
          assert.deepInclude(yield* seriesIn(world), {
            "pipelines_by_deployment{status=Shutdown}": 1,
            "pipelines_by_deployment{status=Failed}": 0,
            "pipelines_by_lifecycle{status=Completed}": 1,
            "read_model_lag_seconds{model=roster}": 0
          })
        })
      )
      const after = Object.keys(yield* seriesIn(world))
      assert.isEmpty(after.filter((key) => key.startsWith("pipelines_by") || key.startsWith("read_model")))
    })
  )
})
