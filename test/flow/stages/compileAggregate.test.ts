/**
 * An aggregating stage makes of many records what a plain grouping of all of them makes.
 *
 * @module
 */
import { Effect } from "effect"
import fc from "fast-check"
import { expect, it } from "vitest"
import type { Aggregate, Window } from "../../../events/Definition.ts"
import type { WindowsDelta } from "../../../events/WindowsDelta.ts"
import { largestSummed } from "../../../projections/ExactSum.ts"
import { apply, close, empty, openCount, type Windows } from "../../../projections/Windows.ts"
import type { Scope } from "../../../src/flow/expression/Expression.ts"
import { RecordFailure } from "../../../src/flow/route/Route.ts"
import { compileAggregate } from "../../../src/flow/stages/compileAggregate.ts"
import { type Happened, naiveWindows } from "./naiveWindows.ts"

const collected = 3
const make: Aggregate["make"] = {
  count: "count",
  sum: { sum: "record.n" },
  avg: { avg: "record.n" },
  min: { min: "record.n" },
  max: { max: "record.n" },
  earliest: { min: "record.text" },
  first: { first: "record.text" },
  last: { last: "record.text" },
  all: { collect: "record.text", limit: collected }
}

const compile = (window: Window, of: Partial<Aggregate> = {}) =>
  Effect.runSync(
    compileAggregate("hourly", { window, by: { group: "record.group" }, make, limit: 1e6, ...of })
  )
type Aggregator = ReturnType<typeof compile>

const scopeAt = (at: number | null): Scope => ({ record: null, metadata: {}, key: null, event_time: at })
const deltaOf = (aggregator: Aggregator, open: Windows, batch: ReadonlyArray<Happened>): WindowsDelta => {
  const { add, delta } = aggregator.contribution(open)
  for (const record of batch) add(record, scopeAt(record.at))
  return delta()
}
const stored = <A>(value: A): A => JSON.parse(JSON.stringify(value)) as A

const length = fc.integer({ min: 1, max: 60 })
const anyWindow: fc.Arbitrary<Window> = fc.oneof(
  fc.record({ tumbling: length }),
  // `every` may be longer than the window, or not divide it.
  fc.record({ sliding: length, every: fc.integer({ min: 1, max: 80 }) }),
  fc.record({ session: length })
)
const anyGroup = fc.constantFrom<unknown>(
  "a",
  "b",
  "__proto__",
  "",
  null,
  0,
  -1.5,
  1e21,
  true,
  ["a"],
  [null, []],
  { x: { y: 1 } },
  { __proto__: null, a: 1 }
)
/** Near each other, on both sides of 1970, or at the ends of what a date can say. */
const anyTime = fc.tuple(
  fc.constantFrom(0, 0, 0, 0, 1.7e12, 8.64e15 - 1000, -8.64e15 + 1000),
  fc.integer({ min: -150, max: 150 })
)
const anyRecord: fc.Arbitrary<Happened> = fc.record({
  at: anyTime.map(([around, off]) => around + off),
  group: anyGroup,
  n: fc.oneof(
    fc.constant(null),
    fc.integer({ min: -50, max: 50 }).map((n) => n / 10),
    fc.double({ min: -largestSummed, max: largestSummed, noNaN: true }),
    fc.constantFrom(-0, 2 ** 53, largestSummed, -largestSummed)
  ),
  text: fc.string({ maxLength: 3 })
})
const anyRecords = fc.oneof(
  fc.array(anyRecord, { maxLength: 40 }),
  // Many groups and few of them, so that the tree of groups grows branches and loses them again.
  fc.array(
    fc.tuple(anyRecord, fc.integer({ min: 0, max: 300 })).map(([record, group]) => ({ ...record, group })),
    {
      minLength: 60,
      maxLength: 200
    }
  )
)
const anyCuts = fc.array(fc.nat(200), { maxLength: 12 })

const batchesOf = (records: ReadonlyArray<Happened>, cuts: ReadonlyArray<number>) =>
  [0, ...cuts.toSorted((a, b) => a - b), records.length].map((from, index, all) =>
    records.slice(from, all[index + 1] ?? records.length)
  )

it("has the same windows, to the letter, however the records were parted into batches", () => {
  fc.assert(
    fc.property(anyWindow, anyRecords, anyCuts, (window, records, cuts) => {
      const aggregator = compile(window)
      const whole = apply(empty, deltaOf(aggregator, empty, records))
      let parted: Windows = empty
      for (const batch of batchesOf(records, cuts)) {
        // What another process goes on with is what the log holds.
        parted = apply(stored(parted), stored(deltaOf(aggregator, parted, batch)))
      }
      expect(JSON.stringify(parted)).toBe(JSON.stringify(whole))
    }),
    { numRuns: 400 }
  )
})

it("closes into what a plain grouping of all records gives", () => {
  fc.assert(
    fc.property(anyWindow, anyRecords, anyCuts, (window, records, cuts) => {
      const aggregator = compile(window)
      let windows: Windows = empty
      for (const batch of batchesOf(records, cuts)) {
        windows = apply(windows, deltaOf(aggregator, windows, batch))
      }
      const ended = close(windows, Number.MAX_SAFE_INTEGER)
      expect(ended.closed.map(aggregator.record)).toEqual(naiveWindows(window, records, collected))
      expect(ended.closed).toHaveLength(openCount(windows))
      expect(ended.windows).toStrictEqual({ ...empty, arrivals: records.length })
    }),
    { numRuns: 300 }
  )
})

it("closes the same windows along the way as at the end, in their order, and forgets nothing that is open", () => {
  fc.assert(
    fc.property(anyWindow, anyRecords, anyCuts, (window, unordered, cuts) => {
      const records = unordered.toSorted((a, b) => a.at - b.at)
      const aggregator = compile(window)
      let windows: Windows = empty
      const closed: Array<unknown> = []
      let ahead = 0
      for (const batch of batchesOf(records, cuts)) {
        windows = apply(windows, deltaOf(aggregator, windows, batch))
        ahead += batch.length
        const now = close(windows, records[ahead]?.at ?? Number.MAX_SAFE_INTEGER)
        closed.push(...now.closed.map(aggregator.record))
        // A tree that has lost groups is the tree that never had them.
        const left = { records: 0, sessions: false, windows: close(now.windows, Infinity).closed }
        expect(apply(empty, left).tree).toStrictEqual(now.windows.tree)
        windows = now.windows
      }
      expect(closed).toEqual(naiveWindows(window, records, collected))
    }),
    { numRuns: 300 }
  )
})

it("takes the pieces of a failed record back as if they had never come", () => {
  fc.assert(
    fc.property(
      anyWindow,
      fc.array(fc.tuple(anyRecord, fc.boolean()), { maxLength: 40 }),
      (window, pieces) => {
        const aggregator = compile(window)
        const { add, delta } = aggregator.contribution(empty)
        for (const [record, kept] of pieces) {
          const takeBack = add(record, scopeAt(record.at))
          const again = kept ? undefined : add({ ...record, group: "other" }, scopeAt(record.at))
          again?.()
          if (!kept) takeBack()
        }
        const left = pieces.flatMap(([record, kept]) => (kept ? [record] : []))
        expect(apply(empty, delta())).toStrictEqual(apply(empty, deltaOf(aggregator, empty, left)))
      }
    ),
    { numRuns: 300 }
  )
})

const failure = (act: () => unknown): string => {
  try {
    act()
  } catch (error) {
    if (error instanceof RecordFailure) return `${error.code} ${error.message}`
    throw error
  }
  return "none"
}
const adding = (window: Window, payload: object, at: number | null, of: Partial<Aggregate> = {}) =>
  failure(() =>
    compile(window, of)
      .contribution(empty)
      .add({ group: 1, n: 1, text: "", ...payload }, scopeAt(at))
  )

it("refuses a record that belongs to no window, group or measure, with the reason", () => {
  const hour = { tumbling: 3_600_000 }
  expect(adding(hour, {}, 0)).toBe("none")
  expect(adding(hour, {}, null)).toMatch(/^no_event_time/)
  expect(adding(hour, {}, Number.NaN)).toMatch(/^bad_event_time/)
  expect(adding(hour, {}, 8.64e15)).toMatch(/^bad_event_time/)
  expect(adding({ session: 10 }, {}, 8.64e15 - 5)).toMatch(/^bad_event_time/)
  expect(adding(hour, { n: "7" }, 0)).toBe("bad_measure sum: sum needs a number, not a text")
  expect(adding(hour, { n: 1e300 }, 0)).toMatch(
    /^bad_measure sum: sum takes numbers up to 9\.97.*e\+291, not 1e\+300/
  )
  expect(adding(hour, { text: [] }, 0)).toBe("bad_measure earliest: min needs a number or a text, not a list")
  expect(adding(hour, {}, 0, { by: { group: "record.nowhere" } })).toBe(
    "expression_failed group: missing: nowhere"
  )
  expect(adding(hour, {}, 0, { make: { sum: { sum: "record.n + record.text" } } })).toMatch(
    /^expression_failed sum: /
  )
})

it("leaves a missing field out of its measures, and counts the record all the same", () => {
  const aggregator = compile({ tumbling: 10 })
  const { add, delta } = aggregator.contribution(empty)
  add({ group: 1 }, scopeAt(3))
  const lonely = close(apply(empty, delta()), 10).closed.map(aggregator.record)
  const nothing = {
    sum: 0,
    avg: null,
    min: null,
    max: null,
    earliest: null,
    first: null,
    last: null,
    all: []
  }
  const extent = { window_start: "1970-01-01T00:00:00.000Z", window_end: "1970-01-01T00:00:00.010Z" }
  expect(lonely).toEqual([{ group: 1, ...extent, count: 1, ...nothing }])
  add({ group: 1, n: null, text: "late" }, scopeAt(1))
  add({ group: 1, n: 2 }, scopeAt(1))
  const all = close(apply(empty, delta()), 10).closed.map(aggregator.record)
  const some = {
    sum: 2,
    avg: 2,
    min: 2,
    max: 2,
    earliest: "late",
    first: "late",
    last: "late",
    all: ["late"]
  }
  expect(all).toEqual([{ group: 1, ...extent, count: 3, ...some }])
})

it("opens windows up to the limit, and counts sessions that become one as one", () => {
  const record = (group: number) => ({ group, n: 1, text: "" })
  const open = (window: Window, adds: ReadonlyArray<readonly [number, number]>, batched: boolean) => {
    const aggregator = compile(window, { limit: 2 })
    let windows: Windows = empty
    let contribution = aggregator.contribution(windows)
    return adds.map(([group, at]) => {
      const found = failure(() => contribution.add(record(group), scopeAt(at)))
      if (!batched) {
        windows = apply(windows, contribution.delta())
        contribution = aggregator.contribution(windows)
      }
      return found === "none"
    })
  }
  for (const batched of [true, false]) {
    const windows = [
      [1, 0],
      [2, 0],
      [1, 5],
      [3, 0],
      [1, 10],
      [2, 9]
    ] as const
    expect(open({ tumbling: 10 }, windows, batched)).toEqual([true, true, true, false, false, true])
    // The third joins the first two; then there is room for one more, and no further.
    const sessions = [
      [1, 0],
      [1, 18],
      [1, 9],
      [1, 40],
      [2, 0],
      [1, 49]
    ] as const
    expect(open({ session: 10 }, sessions, batched)).toEqual([true, true, true, true, false, true])
  }
})

it("collects by arrival, the first ones, from sessions that grew by turns and then became one", () => {
  const aggregator = compile({ session: 10 })
  const times = { a: 0, b: 18, c: 1, d: 19, e: 9 }
  const records = Object.entries(times).map(([text, at]) => ({ group: 1, n: 1, text, at }))
  for (const cuts of [[], [1, 2, 3, 4], [3]]) {
    let windows: Windows = empty
    for (const batch of batchesOf(records, cuts)) {
      windows = apply(windows, deltaOf(aggregator, windows, batch))
    }
    const [only, ...others] = close(windows, 100).closed.map(aggregator.record)
    expect(others).toEqual([])
    expect(only).toMatchObject({ count: 5, first: "a", last: "d", all: ["a", "b", "c"] })
  }
})

it("has room again for the windows of what was taken back", () => {
  const { add } = compile({ tumbling: 10 }, { limit: 1 }).contribution(empty)
  const takeBack = add({ group: 1, n: 1, text: "" }, scopeAt(0))
  takeBack()
  expect(failure(() => add({ group: 2, n: 1, text: "" }, scopeAt(0)))).toBe("none")
  expect(failure(() => add({ group: 3, n: 1, text: "" }, scopeAt(0)))).toMatch(/^too_many_windows/)
})
