/**
 * Records are judged one by one, and judged alike when their batch is made again.
 *
 * @module
 */
import { assert, describe, it } from "@effect/vitest"
import { Schema } from "effect"
import type { SealedTime } from "../../../events/BatchMemory.ts"
import { EventClock } from "../../../src/flow/time/EventClock.ts"

const sources = ["a", "b", "c"].map((source, index) => ({ source, idleTimeoutMs: 20 + 15 * index }))

const Batch = Schema.Struct({
  source: Schema.Literals(["a", "b", "c"]),
  times: Schema.Array(Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 300 }))),
  after: Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 30 })),
  ended: Schema.Boolean
})
const Batches = Schema.Array(Batch).check(Schema.isMinLength(4))
const runs = { arbitrary: { runs: 300, size: 25 } }

const judged = (clock: EventClock, { source, times }: typeof Batch.Type) =>
  times.map((time) => clock.judge(source, time))

describe("a batch that is made again", () => {
  it.prop(
    "is judged as it was, by its seal and the one before it",
    [Batches],
    ([batches]) => {
      const live = new EventClock(sources)
      live.restore(null, 0)
      let [now, before] = [0, null as SealedTime | null]
      const over = new Set<string>()
      for (const batch of batches) {
        if (over.has(batch.source)) continue
        if (batch.ended) over.add(batch.source)
        now += batch.after
        live.busy([batch.source], now)
        live.begin([batch.source], undefined, now)
        const marks = judged(live, batch)
        const time = live.learned([batch.source], [], now)
        live.keep(time, [batch.source], [], now)
        const again = new EventClock(sources)
        again.restore(before, now + 100_000)
        again.begin([batch.source], time, now + 100_000)
        assert.deepStrictEqual(judged(again, batch), marks)
        before = time
        // Between two batches a source may end, and no seal says so before the next.
        if (batch.ended) live.ended([batch.source], now)
      }
    },
    runs
  )

  it.prop(
    "judges by what the records before it have brought, and never takes anything back",
    [Batches],
    ([batches]) => {
      const clock = new EventClock(sources)
      clock.restore(null, 0)
      let [now, last] = [0, Number.NEGATIVE_INFINITY]
      for (const batch of batches) {
        now += batch.after
        clock.busy([batch.source], now)
        clock.begin([batch.source], undefined, now)
        for (const mark of judged(clock, batch)) {
          assert.isAtLeast(mark ?? Number.NEGATIVE_INFINITY, last)
          last = mark ?? last
        }
        clock.keep(clock.learned([batch.source], [], now), [batch.source], [], now)
        assert.isAtLeast(clock.combined ?? Number.NEGATIVE_INFINITY, last)
        last = clock.combined ?? last
      }
    },
    runs
  )
})

it("the records of a batch that is not kept bring nothing on", () => {
  const clock = new EventClock([sources[0]!])
  clock.restore(null, 0)
  for (const time of [500, 100]) {
    clock.begin(["a"], undefined, 0)
    assert.strictEqual(clock.judge("a", time), time)
  }
})

it("records of sources that are read as one are judged in the order they were read, whoever is asked first", () => {
  const arrivals = [
    { source: "a", timeMs: 100 },
    { source: "b", timeMs: 90 },
    { source: "a", timeMs: 200 },
    { source: "b", timeMs: 190 },
    { source: "a", timeMs: 50 }
  ]
  const judgedBy = (order: ReadonlyArray<string>) => {
    const clock = new EventClock(sources.slice(0, 2))
    clock.restore(null, 0)
    clock.begin(["a", "b"], undefined, 0, arrivals)
    const marks: Record<string, ReadonlyArray<number | null>> = {}
    for (const source of order) {
      const own = arrivals.filter((arrival) => arrival.source === source)
      marks[source] = own.map(({ timeMs }) => clock.judge(source, timeMs))
    }
    return { marks, combined: clock.learned(["a", "b"], [], 0).combined }
  }
  const expected = { marks: { a: [null, 90, 190], b: [90, 190] }, combined: 190 }
  assert.deepStrictEqual(judgedBy(["a", "b"]), expected)
  assert.deepStrictEqual(judgedBy(["b", "a"]), expected)
})

const Together = Schema.Array(
  Schema.Struct({
    arrivals: Schema.Array(
      Schema.Struct({
        source: Schema.Literals(["a", "b"]),
        timeMs: Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 300 }))
      })
    ),
    after: Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 60 }))
  })
).check(Schema.isMinLength(3))

it.prop(
  "a batch of several sources is judged as it was when it is made again, whoever of them was idle before it",
  [Together],
  ([batches]) => {
    const members = ["a", "b"]
    const live = new EventClock(sources)
    live.restore(null, 0)
    let [now, before] = [0, null as SealedTime | null]
    for (const { after, arrivals } of batches) {
      now += after
      live.begin(members, undefined, now, arrivals)
      const marks = arrivals.map(({ source, timeMs }) => live.judge(source, timeMs))
      const time = live.learned(members, [], now)
      live.keep(time, members, [], now)
      const again = new EventClock(sources)
      again.restore(before, now + 100_000)
      again.begin(members, time, now + 100_000, arrivals)
      assert.deepStrictEqual(
        arrivals.map(({ source, timeMs }) => again.judge(source, timeMs)),
        marks
      )
      before = time
    }
  },
  runs
)
