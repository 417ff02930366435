/**
 * Schedules at work, under virtual time: every tick ends in exactly one event, whatever else happens.
 *
 * @module
 */
import { assert, describe, it } from "@effect/vitest"
import { Deferred, Effect, Layer, Result } from "effect"
import { TestClock } from "effect/testing"
import type { ScheduleDefinition } from "../../events/Definition.ts"
import { pipelineStream } from "../../events/PipelineEvent.ts"
import { decodePipelineEvent } from "../../events/upcast.ts"
import { Millrace, Pipeline } from "../../src/index.ts"
import { layerMemoryOn, makeMemoryStore } from "../../src/log/Memory.ts"
import { eventsOf, headsOf, type MemoryStore } from "../../src/log/MemoryStore.ts"
import { ticksBetween } from "../../src/schedule/Ticks.ts"
import { makeMemoryHub } from "../../src/testing/index.ts"
import { memoryEnd } from "./memoryEnd.ts"

const hour = 3_600_000
const day = 24 * hour

const copying = (name: string, schedule: ScheduleDefinition) =>
  Pipeline.make(name, { schedule }).pipe(
    Pipeline.source("in", memoryEnd("in")),
    Pipeline.sink("out", memoryEnd("out"))
  )

/** What became of each tick of the one pipeline in this log. */
const fates = (store: MemoryStore, stream = onlyStream(store)): ReadonlyArray<string> =>
  eventsOf(store, stream).flatMap((row) => {
    const event = Result.getOrThrow(decodePipelineEvent(row))
    if (event._tag === "Triggered" && event.tick !== undefined) return [`${event.tick} run`]
    if (event._tag !== "TickSkipped") return []
    const range = event.until === undefined ? event.tick : `${event.tick}..${event.until} (${event.count})`
    return [`${range} ${event.reason}`]
  })

const onlyStream = (store: MemoryStore): string =>
  headsOf(store).find(({ stream }) => stream.startsWith(pipelineStream("")))!.stream

const world = () => {
  const hub = makeMemoryHub()
  hub.source("in", [{ id: 1 }])
  const store = makeMemoryStore()
  const process = Millrace.layer({ drivers: [hub.driver] }).pipe(Layer.provide(layerMemoryOn(store)))
  return { hub, store, process }
}

/** Lets everything that is under way come to rest, without getting far. */
const settle = Effect.gen(function* () {
  const millrace = yield* Millrace
  let calm = 0
  for (let turn = 0; turn < 1000; turn++) {
    yield* TestClock.adjust("5 millis")
    const busy = (yield* millrace.list).some(
      ({ deployment, desired, lifecycle }) =>
        (desired.value === "Running" && deployment.value !== "Running") ||
        !["Idle", "Scheduled", "Completed"].includes(lifecycle.value)
    )
    // Between two runs of a line that waits it is calm for a moment.
    calm = busy ? 0 : calm + 1
    if (calm === 5) return
  }
  throw new Error("the pipelines do not come to rest")
})

describe("a thousand pipelines, a virtual month", () => {
  it.effect(
    "every tick is exactly one run",
    () => {
      const { process, store } = world()
      return Effect.gen(function* () {
        const millrace = yield* Millrace
        const everyDays = (index: number): number => [5, 7, 10, 15][index % 4]!
        const names = Array.from({ length: 1000 }, (_, index) => `p${index}`)
        for (const [index, name] of names.entries()) {
          yield* millrace.define(copying(name, Pipeline.every(`${everyDays(index)} days`)))
          yield* millrace.start(name)
        }
        yield* settle
        for (let at = 1; at <= 30; at++) {
          yield* TestClock.setTime(at * day)
          yield* settle
        }
        for (const [index, { id }] of (yield* millrace.list).entries()) {
          const interval = everyDays(index) * day
          const runs = fates(store, pipelineStream(id)).map((fate) => Date.parse(fate.replace(/ run$/, "")))
          const due = runs.map((_, nth) => runs[0]! + nth * interval)
          assert.deepStrictEqual(runs, due)
          assert.lengthOf(runs, Math.floor((30 * day - (runs[0]! - interval)) / interval))
        }
      }).pipe(Effect.provide(process))
    },
    240_000
  )
})

describe("a service that is stopped over due ticks", () => {
  const policies = {
    skip: ["1970-01-01T02:00:00.000Z..1970-01-01T05:00:00.000Z (4) missed"],
    one: ["1970-01-01T02:00:00.000Z..1970-01-01T04:00:00.000Z (3) missed", "1970-01-01T05:00:00.000Z run"],
    all: [2, 3, 4, 5].map((at) => `1970-01-01T0${at}:00:00.000Z run`)
  } as const

  for (const [catchUp, missed] of Object.entries(policies)) {
    it.effect(`catch_up: ${catchUp}`, () => {
      const { process, store } = world()
      const pipeline = copying("p", Pipeline.cron("0 * * * *", "UTC", { catchUp: catchUp as "skip" }))
      return Effect.gen(function* () {
        yield* Effect.gen(function* () {
          const millrace = yield* Millrace
          yield* millrace.define(pipeline)
          yield* millrace.start("p")
          yield* settle
          yield* TestClock.setTime(hour)
          yield* settle
        }).pipe(Effect.provide(process))
        yield* TestClock.setTime(5.5 * hour)
        yield* Effect.gen(function* () {
          const millrace = yield* Millrace
          yield* millrace.define(pipeline)
          yield* millrace.start("p")
          yield* settle
          yield* TestClock.setTime(6 * hour)
          yield* settle
        }).pipe(Effect.provide(process))
        assert.deepStrictEqual(fates(store), [
          "1970-01-01T01:00:00.000Z run",
          ...missed,
          "1970-01-01T06:00:00.000Z run"
        ])
      })
    })
  }
})

describe("what keeps a tick from running", () => {
  it.effect("a pause and a shutdown are told as ranges, when they end", () => {
    const { process, store } = world()
    return Effect.gen(function* () {
      const millrace = yield* Millrace
      yield* millrace.define(copying("p", Pipeline.every("1 hour")))
      yield* millrace.start("p")
      yield* settle
      const { anchor } = (yield* millrace.state("p")).schedule
      yield* millrace.pause("p")
      yield* TestClock.setTime(3.5 * hour)
      yield* millrace.start("p")
      yield* settle
      yield* TestClock.setTime(4.5 * hour)
      yield* settle
      yield* millrace.stop("p")
      yield* TestClock.setTime(6.5 * hour)
      yield* millrace.start("p")
      yield* settle
      const due = ticksBetween({ interval: hour, overlap: "skip", catch_up: "one" }, anchor!, 0, 7 * hour, 10)
      const [first, , third, fourth, fifth, sixth] = due.map(({ tick }) => tick)
      assert.deepStrictEqual(fates(store), [
        `${first}..${third} (3) paused`,
        `${fourth} run`,
        `${fifth}..${sixth} (2) shutdown`
      ])
    }).pipe(Effect.provide(process))
  })

  it.effect("a run under way: skipped, waited for, or taken the place of", () => {
    const overlaps = {
      skip: ["1 run", "2 overlap", "3 overlap", "4 run"],
      buffer_one: ["1 run", "3 overlap", "2 run", "4 run"],
      cancel_running: ["1 run", "2 run", "3 run", "4 run"]
    } as const
    return Effect.forEach(Object.entries(overlaps), ([overlap, expected]) => {
      const { hub, process, store } = world()
      const gate = Deferred.makeUnsafe<void>()
      hub.interpose(({ operation }) => (operation === "source.next" ? Deferred.await(gate) : Effect.void))
      return Effect.gen(function* () {
        const millrace = yield* Millrace
        yield* TestClock.setTime(0)
        yield* millrace.define(
          copying("p", Pipeline.cron("0 * * * *", "UTC", { overlap: overlap as "skip" }))
        )
        yield* millrace.start("p")
        yield* settle
        for (const at of [1, 2, 3]) {
          yield* TestClock.setTime(at * hour)
          for (let turn = 0; turn < 50; turn++) yield* TestClock.adjust("5 millis")
        }
        yield* Deferred.succeed(gate, undefined)
        yield* settle
        yield* TestClock.setTime(4 * hour)
        yield* settle
        const short = fates(store).map((fate) =>
          fate.replace(/1970-01-01T0(\d):00:00\.000Z/g, (_, at: string) => at)
        )
        assert.deepStrictEqual(short, [...expected], overlap)
      }).pipe(Effect.provide(process))
    })
  })
})
