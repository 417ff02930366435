/**
 * When schedules are due: through every change of the clocks, and the same however the time is cut up.
 */
import { assert, it } from "@effect/vitest"
import fc from "fast-check"
import { describe } from "vitest"
import type { ScheduleDefinition } from "../../events/Definition.ts"
import { nextTick, ticksBetween, ticksOf } from "../../src/schedule/Ticks.ts"
import { type OracleCron, slowTicks } from "./cronOracle.ts"

const cron = (text: string, time_zone: string): ScheduleDefinition => ({
  cron: text,
  time_zone,
  overlap: "skip",
  catch_up: "one"
})
const every = (interval: number): ScheduleDefinition => ({ interval, overlap: "skip", catch_up: "one" })
const many = 1_000_000

/** The local times of all ticks of some days. */
const local = (schedule: ScheduleDefinition, from: string, to: string): ReadonlyArray<string> => {
  if (typeof schedule === "string" || !("cron" in schedule)) throw new Error("a cron is wanted")
  const format = new Intl.DateTimeFormat("sv-SE", {
    timeZone: schedule.time_zone,
    dateStyle: "short",
    timeStyle: "short"
  })
  const after = Date.parse(from)
  return ticksBetween(schedule, 0, after, Date.parse(to), many).map(({ dueAt }) => format.format(dueAt))
}

describe("a fixed time of a day", () => {
  it("that is left out is made up for at the first instant after", () => {
    const daily = cron("30 2 * * *", "Europe/Berlin")
    assert.deepStrictEqual(local(daily, "2026-03-27T23:00Z", "2026-03-30T22:00Z"), [
      "2026-03-28 02:30",
      "2026-03-29 03:00",
      "2026-03-30 02:30"
    ])
  })
  it("that comes twice is due the first time", () => {
    const daily = cron("30 1 * * *", "America/New_York")
    const ticks = ticksBetween(
      daily,
      0,
      Date.parse("2026-10-31T12:00Z"),
      Date.parse("2026-11-02T12:00Z"),
      many
    )
    assert.deepStrictEqual(
      ticks.map(({ tick }) => tick),
      ["2026-11-01T05:30:00.000Z", "2026-11-02T06:30:00.000Z"]
    )
  })
  it("several that are left out are made up for once", () => {
    const several = cron("*/15 2,3 * * *", "Europe/Berlin")
    assert.deepStrictEqual(local(several, "2026-03-29T00:00Z", "2026-03-29T12:00Z"), [
      "2026-03-29 03:00",
      "2026-03-29 03:15",
      "2026-03-29 03:30",
      "2026-03-29 03:45"
    ])
  })
  it("of a day that a zone skipped is due when the next one begins", () => {
    assert.deepStrictEqual(
      local(cron("0 6 * * *", "Pacific/Apia"), "2011-12-29T17:00Z", "2012-01-01T17:00Z"),
      ["2011-12-31 00:00", "2011-12-31 06:00", "2012-01-01 06:00", "2012-01-02 06:00"]
    )
  })
  it("that is left out where a year begins, which is where years are looked through apart", () => {
    const first = nextTick(cron("0 6 * * *", "Antarctica/Casey"), -1e12, Date.parse("1968-12-31T12:00Z"))
    assert.strictEqual(first?.tick, "1969-01-01T00:00:00.000Z")
  })
  it("in the half hour of Lord Howe", () => {
    const half = cron("10 2 * * *", "Australia/Lord_Howe")
    assert.deepStrictEqual(local(half, "2026-10-02T14:00Z", "2026-10-04T14:00Z"), [
      "2026-10-03 02:10",
      "2026-10-04 02:30"
    ])
    const twice = cron("45 1 * * *", "Australia/Lord_Howe")
    assert.deepStrictEqual(local(twice, "2026-04-03T14:00Z", "2026-04-05T14:00Z"), [
      "2026-04-04 01:45",
      "2026-04-05 01:45"
    ])
  })
})

describe("an expression that counts time", () => {
  const hours = (schedule: ScheduleDefinition, from: string, to: string): ReadonlyArray<number> => {
    const ticks = ticksBetween(schedule, 0, Date.parse(from), Date.parse(to), many)
    return ticks.slice(1).map(({ dueAt }, index) => (dueAt - ticks[index]!.dueAt) / 3_600_000)
  }
  it.each(["0 * * * *", "30 * * * *", "0 */1 * * *", "0 0-23 * * *"])("%s is due every real hour", (text) => {
    const hourly = cron(text, "Europe/Berlin")
    const spring = hours(hourly, "2026-03-28T12:00Z", "2026-03-29T12:00Z")
    const autumn = hours(hourly, "2026-10-24T12:00Z", "2026-10-25T12:00Z")
    assert.deepStrictEqual(new Set([...spring, ...autumn]), new Set([1]))
    assert.strictEqual(spring.length, 23)
    assert.strictEqual(autumn.length, 23)
  })
  it("every other hour is never further away than two, but for the hour that comes twice", () => {
    const other = cron("0 */2 * * *", "Europe/Berlin")
    assert.deepStrictEqual(local(other, "2026-03-28T22:00Z", "2026-03-29T03:00Z"), [
      "2026-03-29 00:00",
      "2026-03-29 03:00",
      "2026-03-29 04:00"
    ])
    assert.deepStrictEqual(hours(other, "2026-10-24T21:00Z", "2026-10-25T05:00Z"), [2, 1, 2, 2])
  })
  it("in one hour of one day a year, when it comes twice and the first is over", () => {
    const rare = cron("30 2-2/1 25 10 *", "Europe/Berlin")
    const first = Date.parse("2026-10-25T00:30Z")
    assert.strictEqual(nextTick(rare, 0, first + 900_000)?.tick, "2026-10-25T01:30:00.000Z")
  })
})

describe("the calendar", () => {
  it("29 February, the end of a year, the last second", () => {
    assert.deepStrictEqual(local(cron("0 12 29 2 *", "UTC"), "2026-01-01T00:00Z", "2036-12-31T00:00Z"), [
      "2028-02-29 12:00",
      "2032-02-29 12:00",
      "2036-02-29 12:00"
    ])
    assert.strictEqual(
      nextTick(cron("59 59 23 31 12 *", "UTC"), 0, Date.parse("2026-12-31T23:59:58.999Z"))?.tick,
      "2026-12-31T23:59:59.000Z"
    )
    assert.strictEqual(
      nextTick(cron("@yearly", "Asia/Tokyo"), 0, Date.parse("2026-12-31T14:59:59Z"))?.tick,
      "2026-12-31T15:00:00.000Z"
    )
  })
  it("a leap day over the century that has none", () =>
    assert.strictEqual(
      nextTick(cron("0 0 29 2 *", "Europe/Berlin"), 0, Date.parse("2096-03-01"))?.tick,
      "2104-02-28T23:00:00.000Z"
    ))
  it("either day field, when both are restricted", () =>
    assert.deepStrictEqual(local(cron("0 0 13 * FRI", "UTC"), "2026-03-01T00:00Z", "2026-03-21T00:00Z"), [
      "2026-03-06 00:00",
      "2026-03-13 00:00",
      "2026-03-20 00:00"
    ]))
  it("both day fields, when one begins with a star", () =>
    assert.deepStrictEqual(local(cron("0 0 */2 * MON", "UTC"), "2026-03-01T00:00Z", "2026-03-31T00:00Z"), [
      "2026-03-09 00:00",
      "2026-03-23 00:00"
    ]))
  it("30 February has no tick", () => {
    assert.isUndefined(nextTick(cron("0 0 30 2 *", "UTC"), 0, 0))
  })
})

const zones = [
  "Europe/Berlin",
  "America/New_York",
  "Australia/Lord_Howe",
  "Africa/Casablanca",
  "Africa/Cairo",
  "America/Sao_Paulo",
  "Pacific/Apia",
  "Asia/Kathmandu",
  "UTC"
]

/** Instants shortly before something happens to the clocks of one of the zones. */
const changes = [
  "2026-03-29T01:00Z",
  "2026-10-25T01:00Z",
  "2026-03-08T07:00Z",
  "2026-11-01T06:00Z",
  "2026-04-04T15:00Z",
  "2026-10-03T15:30Z",
  "2026-02-15T02:00Z",
  "2026-03-22T02:00Z",
  "2026-04-23T22:00Z",
  "2017-10-15T03:00Z",
  "2018-02-18T02:00Z",
  "2011-12-30T10:00Z",
  "2026-12-31T23:59Z"
].map((at) => Date.parse(at))

const list = (low: number, high: number): fc.Arbitrary<ReadonlyArray<number>> =>
  fc
    .uniqueArray(fc.integer({ min: low, max: high }), { minLength: 1, maxLength: 4 })
    .map((values) => values.sort((left, right) => left - right))

const anyMinutes = list(0, 59).map((values) => ({ text: values.join(","), values }))
const anyHours = fc.oneof(
  list(0, 23).map((values) => ({ text: values.join(","), values, recurs: false })),
  fc.constantFrom(1, 2, 3, 5, 23).map((step) => ({
    text: `*/${step}`,
    values: Array.from({ length: 24 }, (_, hour) => hour).filter((hour) => hour % step === 0),
    recurs: true
  })),
  fc.constant({ text: "1-3", values: [1, 2, 3], recurs: false })
)
const anyCron: fc.Arbitrary<OracleCron> = fc.tuple(anyMinutes, anyHours).map(([minutes, hours]) => ({
  text: `${minutes.text} ${hours.text} * * *`,
  minutes: minutes.values,
  hours: hours.values,
  recurs: hours.recurs
}))

it("ticks are those that looking at every minute finds", () =>
  fc.assert(
    fc.property(anyCron, fc.constantFrom(...zones), fc.constantFrom(...changes), (each, zone, change) => {
      const [from, to] = [change - 86_400_000, change + 86_400_000]
      const slow = slowTicks(each, zone, from, to)
      const schedule = cron(each.text, zone)
      const fast = ticksBetween(schedule, 0, from, to, many).map(({ dueAt }) => dueAt)
      assert.deepStrictEqual(fast, slow)
      const ticks = ticksOf(schedule, 0)
      assert.strictEqual(ticks.count(from, to), slow.length)
      for (const cut of [from + 1, change - 1, change, change + 1, change + 1_799_999]) {
        assert.strictEqual(
          ticks.last(from, cut),
          slow.findLast((due) => due <= cut)
        )
        assert.strictEqual(ticks.count(cut, to), slow.filter((due) => due > cut).length)
      }
    }),
    { numRuns: 60 }
  ))

const anySchedule: fc.Arbitrary<ScheduleDefinition> = fc.oneof(
  fc.integer({ min: 60_000, max: 86_400_000 }).map(every),
  fc.tuple(anyCron, fc.constantFrom(...zones)).map(([each, zone]) => cron(each.text, zone)),
  fc.constantFrom(
    cron("*/50 */7 * * * *", "Africa/Casablanca"),
    cron("0 0 1,15 * MON-FRI", "America/New_York"),
    cron("59 23 31 12 *", "Pacific/Apia"),
    cron("15 3 29 2 *", "Europe/Berlin")
  )
)

it("every tick once, however the time is cut up", () =>
  fc.assert(
    fc.property(
      anySchedule,
      fc.constantFrom(...changes),
      fc.array(fc.integer({ min: -129_600_000, max: 129_600_000 }), { minLength: 3, maxLength: 8 }),
      fc.integer({ min: -200_000_000, max: 0 }),
      (schedule, change, offsets, age) => {
        const cuts = offsets.map((offset) => change + offset).sort((left, right) => left - right)
        const [from, to] = [cuts[0]!, cuts.at(-1)!]
        const anchor = change + age
        const whole = ticksBetween(schedule, anchor, from, to, many)
        const parts = cuts
          .slice(1)
          .flatMap((cut, index) => ticksBetween(schedule, anchor, cuts[index]!, cut, many))
        assert.deepStrictEqual(parts, whole)
        const ticks = ticksOf(schedule, anchor)
        assert.strictEqual(ticks.count(from, to), whole.length)
        assert.strictEqual(ticks.last(from, to), whole.at(-1)?.dueAt)
        assert.isTrue(whole.every(({ dueAt }) => dueAt > anchor && dueAt > from && dueAt <= to))
      }
    ),
    { numRuns: 200 }
  ))

it("an interval counts from its anchor, whenever it is asked", () => {
  const anchor = Date.parse("2026-11-21T09:00:00.250Z")
  assert.strictEqual(nextTick(every(5000), anchor, anchor)?.tick, "2026-11-21T09:00:05.250Z")
  assert.strictEqual(nextTick(every(5000), anchor, anchor + 12_345)?.tick, "2026-11-21T09:00:15.250Z")
  assert.strictEqual(nextTick(every(5000), anchor, anchor - 60_000)?.dueAt, anchor + 5000)
})

it("neither manual nor continuous is ever due", () => {
  assert.isUndefined(nextTick("manual", 0, 0))
  assert.isUndefined(nextTick("continuous", 0, 0))
})

it("a year of minutes, one after the other", () => {
  const ticks = ticksOf(cron("* * * * *", "Europe/Berlin"), 0)
  let due = Date.parse("2026-01-01T00:00Z")
  const end = Date.parse("2027-01-01T00:00Z")
  const distances = new Set<number>()
  let count = 0
  for (let next = ticks.next(due)!; next <= end; next = ticks.next(due)!) {
    distances.add(next - due)
    due = next
    count++
  }
  assert.strictEqual(count, 365 * 1440)
  assert.deepStrictEqual([...distances], [60_000])
})
