/**
 * Event time over several sources: it never falls, whoever sleeps, comes back or ends.
 *
 * @module
 */
import { assert, describe, it } from "@effect/vitest"
import { Schema } from "effect"
import { WatermarkTracker as Tracker } from "../../../src/index.ts"

const two = [
  { source: "a", idleTimeoutMs: 30 },
  { source: "b", idleTimeoutMs: 50 }
]

/** A record of one of two sources, the end of one, or nothing, after some time. */
const Step = Schema.Struct({
  does: Schema.Literals(["record", "record", "record", "wait", "end"]),
  source: Schema.Literals(["a", "b"]),
  time: Schema.Int.check(Schema.isBetween({ minimum: -500, maximum: 1000 })),
  after: Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 60 }))
})
type Step = typeof Step.Type
const runs = { arbitrary: { runs: 400, size: 30 } }

const apply = (tracker: Tracker.WatermarkTracker, { does, source, time }: Step, now: number) => {
  if (does === "record") return Tracker.update(tracker, source, time, now)
  return does === "end" ? Tracker.ended(tracker, source, now) : tracker
}

/** Told by looking every millisecond. */
const plainly = (steps: ReadonlyArray<Step>): ReadonlyArray<number | null> => {
  const seen = new Map(
    two.map(({ idleTimeoutMs, source }) => [source, { at: 0, idleTimeoutMs, mark: Number.NaN, ended: false }])
  )
  let [now, best] = [0, null as number | null]
  const look = () => {
    const all = [...seen.values()]
    const active = all.filter(({ at, ended, idleTimeoutMs }) => !ended && now - at < idleTimeoutMs)
    const least = all.every(({ ended }) => ended) ? 8.64e15 : Math.min(...active.map(({ mark }) => mark))
    if (Number.isFinite(least)) best = Math.max(best ?? least, least)
    return best
  }
  return steps.map(({ after, does, source, time }) => {
    for (const until = now + after; now < until; now++) look()
    look()
    const of = seen.get(source)!
    if (does === "end") of.ended = true
    if (does === "record")
      Object.assign(of, {
        at: now,
        ended: false,
        mark: Number.isNaN(of.mark) ? time : Math.max(of.mark, time)
      })
    return look()
  })
}

describe("the combined watermark", () => {
  it.prop(
    "is max(previous, min(active)), and never falls (FLINK-32496)",
    [Schema.Array(Step)],
    ([steps]) => {
      const expected = plainly(steps)
      let [tracker, now, last] = [Tracker.make(two, 0), 0, Number.NEGATIVE_INFINITY]
      for (const [index, step] of steps.entries()) {
        now += step.after
        assert.isAtLeast(Tracker.combined(tracker, now) ?? Number.NEGATIVE_INFINITY, last)
        tracker = apply(tracker, step, now)
        assert.strictEqual(Tracker.combined(tracker, now), expected[index])
        last = expected[index] ?? Number.NEGATIVE_INFINITY
        // It is a value: what is kept of it as JSON goes on in the same way.
        assert.deepStrictEqual(JSON.parse(JSON.stringify(tracker)), tracker)
      }
    },
    runs
  )

  it.prop(
    "of sources that are restored is not less than what was sealed",
    [Schema.Array(Step)],
    ([steps]) => {
      let [tracker, now] = [Tracker.make(two, 0), 0]
      for (const step of steps) {
        now += step.after
        tracker = apply(tracker, step, now)
      }
      const sealed = Tracker.sealed(tracker, now)
      const again = Tracker.restore(two, sealed, now + 1_000_000)
      const least = Number.NEGATIVE_INFINITY
      assert.isAtLeast(Tracker.combined(again, now + 1_000_000) ?? least, sealed.combined ?? least)
      assert.deepStrictEqual(Tracker.sealed(again, now).watermarks, sealed.watermarks)
    },
    runs
  )

  it("a source that has given nothing yet holds it back until its idle timeout", () => {
    const tracker = Tracker.update(Tracker.make(two, 0), "a", 700, 20)
    assert.isNull(Tracker.combined(tracker, 49))
    assert.isFalse(Tracker.isLate(tracker, -1e9, 0, 49))
    // At 50 b is left out, and a has been heard of 30 ms ago: nobody is active.
    assert.isNull(Tracker.combined(tracker, 50))
    assert.strictEqual(Tracker.combined(Tracker.update(tracker, "a", 600, 50), 50), 700)
  })

  it("an idle source that comes back with older records takes nothing back: they are late", () => {
    const both = Tracker.update(Tracker.update(Tracker.make(two, 0), "b", 10, 0), "a", 500, 0)
    assert.strictEqual(Tracker.combined(both, 0), 10)
    const alone = Tracker.update(both, "a", 600, 60)
    assert.deepStrictEqual(Tracker.idle(alone, 60), ["b"])
    assert.strictEqual(Tracker.combined(alone, 60), 600)
    assert.isTrue(Tracker.isLate(alone, 20, 0, 60))
    const back = Tracker.update(alone, "b", 20, 61)
    assert.strictEqual(Tracker.combined(back, 61), 600)
  })

  it("a record is late by more than it is allowed to be", () => {
    const tracker = Tracker.update(Tracker.make([two[0]!], 0), "a", 1000, 0)
    assert.deepStrictEqual(
      [899, 900, 1000].map((time) => Tracker.isLate(tracker, time, 100, 0)),
      [true, false, false]
    )
  })

  it("an ended source waits for nothing; one that is only idle is not late for that", () => {
    const both = Tracker.update(Tracker.update(Tracker.make(two, 0), "b", 10, 0), "a", 500, 0)
    const one = Tracker.ended(both, "a", 0)
    assert.strictEqual(Tracker.combined(one, 0), 10)
    assert.strictEqual(Tracker.combined(one, 1000), 10)
    assert.strictEqual(Tracker.combined(Tracker.ended(one, "b", 1000), 1000), Tracker.endOfTime)
  })

  it("a source that is not asked for anything is not idle", () => {
    const both = Tracker.update(Tracker.update(Tracker.make(two, 0), "b", 10, 0), "a", 500, 0)
    const waits = Tracker.busy(both, "b", 1000)
    assert.deepStrictEqual(Tracker.idle(waits, 1000), ["a"])
    assert.strictEqual(Tracker.combined(Tracker.update(waits, "a", 600, 1000), 1000), 10)
  })
})
