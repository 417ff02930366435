/**
 * What becomes of ticks: tables for each policy, and any history of runs, pauses and outages in which
 * every tick must end exactly once.
 */
import { assert, it } from "@effect/vitest"
import fc from "fast-check"
import { describe } from "vitest"
import { catchUpTicksMost, type ScheduleDefinition } from "../../events/Definition.ts"
import { dueAtOf } from "../../events/Tick.ts"
import * as ScheduleState from "../../projections/ScheduleState.ts"
import { decideAt, decideTicks } from "../../src/schedule/decideTicks.ts"
import type { Situation } from "../../src/schedule/dueTicks.ts"
import { reschedule } from "../../src/schedule/reschedule.ts"
import type { TickEvent } from "../../src/schedule/Span.ts"
import { ticksBetween } from "../../src/schedule/Ticks.ts"

type Policy = {
  readonly overlap?: "skip" | "buffer_one" | "cancel_running"
  readonly catch_up?: "skip" | "one" | "all"
}

const minute = 60_000
const anchor = Date.parse("2026-11-21T09:00:00.000Z")
const every = (
  interval: number,
  { catch_up = "one", overlap = "skip" }: Policy = {}
): ScheduleDefinition => ({
  interval,
  overlap,
  catch_up
})
const folded = (
  events: ReadonlyArray<TickEvent>,
  from = ScheduleState.initial
): ScheduleState.ScheduleState => events.reduce(ScheduleState.evolve, from)
const fresh = folded(
  decideTicks({
    schedule: every(minute),
    state: ScheduleState.initial,
    now: anchor,
    situation: "idle"
  }).events
)

/** The nth tick: an event's fate in short, `+` run, `w` waits, `-reason` skipped. */
const short = (events: ReadonlyArray<TickEvent>): ReadonlyArray<string> =>
  events.map((event) => {
    const nth = (tick: string): string => String((dueAtOf(tick)! - anchor) / minute)
    const range =
      "until" in event && event.until !== undefined
        ? `${nth(event.tick!)}..${nth(event.until)}(${event.count})`
        : nth(event.tick!)
    if (event._tag === "Triggered") return `+${range}`
    return event._tag === "Scheduled" ? `w${range}` : `-${range} ${event.reason}`
  })

/** Decides at each of these minutes in turn; the state is what the fold says in between. */
const told = (policy: Policy, steps: ReadonlyArray<readonly [at: number, Situation]>) => {
  let state = fresh
  let cancel = false
  const lines = steps.map(([at, situation]) => {
    const now = anchor + at * minute
    const decision = decideTicks({ schedule: every(minute, policy), state, now, situation })
    state = folded(decision.events, state)
    cancel = decision.cancel
    return short(decision.events).join(" ")
  })
  return cancel ? [...lines, "cancel"] : lines
}

it("takes effect at the first instant it is asked about", () => {
  assert.deepStrictEqual(
    decideTicks({ schedule: every(minute), state: ScheduleState.initial, now: anchor, situation: "paused" })
      .events,
    [{ _tag: "Scheduled", tick: "2026-11-21T09:01:00.000Z", dueAt: anchor + minute, anchor }]
  )
  assert.deepStrictEqual(fresh, { ...ScheduleState.initial, anchor })
})

describe("overlap", () => {
  const busyMinutes = [
    [1, "idle"],
    [2, "running"],
    [3, "running"],
    [3.5, "idle"],
    [4, "idle"]
  ] as const
  it.each<[Policy["overlap"], ReadonlyArray<string>]>([
    ["skip", ["+1", "-2 overlap", "-3 overlap", "", "+4"]],
    ["buffer_one", ["+1", "w2", "-3 overlap", "+2", "+4"]],
    ["cancel_running", ["+1", "w2", "-2 overlap w3", "+3", "+4"]]
  ])("%s", (overlap, expected) => assert.deepStrictEqual(told({ overlap: overlap! }, busyMinutes), expected))

  it("cancel_running asks for the run to be stopped, until it is", () => {
    const steps = [
      [1, "idle"],
      [2, "running"],
      [2.2, "running"]
    ] as const
    assert.deepStrictEqual(told({ overlap: "cancel_running" }, steps), ["+1", "w2", "", "cancel"])
    assert.deepStrictEqual(told({ overlap: "cancel_running" }, [...steps, [2.4, "idle"]]), [
      "+1",
      "w2",
      "",
      "+2"
    ])
  })
})

describe("catch_up", () => {
  const outage: ReadonlyArray<readonly [number, Situation]> = [
    [1, "idle"],
    [7.9, "idle"],
    [8, "running"],
    [8.2, "idle"]
  ]
  it.each<[string, Policy, ReadonlyArray<string>]>([
    ["skip", { catch_up: "skip" }, ["+1", "-2..7(6) missed", "-8 overlap", ""]],
    ["one", { catch_up: "one" }, ["+1", "-2..6(5) missed +7", "-8 overlap", ""]],
    ["all", { catch_up: "all" }, ["+1", "+2 w3..7(5)", "-8 overlap", "+3"]],
    [
      "all, and no room in the buffer",
      { catch_up: "all", overlap: "buffer_one" },
      ["+1", "+2 w3..7(5)", "-8 overlap", "+3"]
    ],
    [
      "all means the newest where it cancels",
      { catch_up: "all", overlap: "cancel_running" },
      ["+1", "-2..6(5) missed +7", "w8", "+8"]
    ]
  ])("%s", (_, policy, expected) => assert.deepStrictEqual(told(policy, outage), expected))

  it("one: a tick on time runs in place of those that were missed", () =>
    assert.deepStrictEqual(told({ catch_up: "one" }, [[7.1, "idle"]]), ["-1..6(6) missed +7"]))
  it("one: the run that goes on after the outage is no catching up", () => {
    assert.deepStrictEqual(
      told({ catch_up: "one" }, [
        [7.1, "running"],
        [7.3, "idle"]
      ]),
      ["-1..5(5) missed w6 -7 overlap", "+6"]
    )
    assert.deepStrictEqual(
      told({ catch_up: "one", overlap: "buffer_one" }, [
        [7.1, "running"],
        [7.3, "idle"]
      ]),
      ["-1..6(6) missed w7", "+7"]
    )
  })
  it("one: who waits already catches up", () =>
    assert.deepStrictEqual(
      told({ catch_up: "one", overlap: "buffer_one" }, [
        [1, "running"],
        [7.9, "idle"]
      ]),
      ["w1", "-2..7(6) missed +1"]
    ))
  it("all: one outage after the other, in order, and what was skipped between stays skipped", () =>
    assert.deepStrictEqual(
      told({ catch_up: "all" }, [
        [2.9, "idle"],
        [3, "running"],
        [5.9, "running"],
        [6, "idle"],
        [6.1, "idle"],
        [6.2, "idle"],
        [6.3, "idle"]
      ]),
      ["+1 w2", "-3 overlap", "w4..5(2)", "+2 -6 overlap", "+4", "+5", ""]
    ))
  it("a restart within the grace is none", () =>
    assert.deepStrictEqual(told({ catch_up: "skip" }, [[1.5, "idle"]]), ["+1"]))
  it("a moment beyond the grace is", () =>
    assert.deepStrictEqual(told({ catch_up: "skip" }, [[1.5 + 1 / minute, "idle"]]), ["-1 missed"]))
})

it.each(["paused", "failed", "unavailable", "shutdown"] as const)(
  "%s: nothing runs, waiting or due",
  (reason) =>
    assert.deepStrictEqual(
      told({ overlap: "buffer_one" }, [
        [1, "running"],
        [2, "running"],
        [5.9, reason]
      ]),
      ["w1", "-2 overlap", `-1 ${reason} -3..5(3) ${reason}`]
    )
)

it("a week of seconds is few events, and only the bound is caught up with", () => {
  const now = anchor + 7 * 1440 * minute
  const of = (policy: Policy, state = fresh) =>
    decideTicks({ schedule: every(1000, policy), state, now, situation: "idle" }).events
  const [missed, run, waits, ...others] = of({ catch_up: "all" })
  assert.deepInclude(missed, { reason: "missed", count: 604_800 - 31 - catchUpTicksMost })
  assert.deepInclude(waits, { _tag: "Scheduled", count: catchUpTicksMost - 1 })
  assert.strictEqual(run!._tag, "Triggered")
  assert.deepStrictEqual(
    others.map(({ _tag }) => _tag),
    ["TickSkipped"]
  )
  for (const policy of [{ catch_up: "one" }, { catch_up: "skip" }, { overlap: "cancel_running" }] as const) {
    assert.isAtMost(of(policy).length, 4)
  }
})

it("the bound holds over several outages: the oldest give way", () => {
  const schedule = every(1000, { catch_up: "all" })
  const line = (count: number, minutes: number): TickEvent => ({
    _tag: "Scheduled",
    tick: new Date(anchor + minutes * minute).toISOString(),
    until: new Date(anchor + minutes * minute + (count - 1) * 1000).toISOString(),
    dueAt: anchor + minutes * minute,
    count
  })
  const state = folded([line(300, 1), line(600, 10)], fresh)
  const now = anchor + 20 * minute + 400_000 + 30_000
  const [dropped, ...rest] = decideTicks({ schedule, state, now, situation: "running" }).events
  assert.deepInclude(dropped, { _tag: "TickSkipped", reason: "missed", count: 300 })
  const left = folded([dropped!, ...rest], state).waiting.reduce((sum, { count }) => sum + count, 0)
  assert.strictEqual(left, catchUpTicksMost)
})

describe("another schedule", () => {
  const state = folded(
    decideTicks({
      schedule: every(minute, { overlap: "buffer_one" }),
      state: fresh,
      now: anchor + minute,
      situation: "running"
    }).events,
    fresh
  )
  const change = { from: every(minute), state, now: anchor + 3.5 * minute, situation: "running" } as const
  it("settles what was due and counts from now", () => {
    const events = reschedule({ ...change, to: every(2 * minute) })
    assert.deepStrictEqual(short(events), ["-1 missed", "-2..3(2) missed", "w5.5"])
    assert.deepInclude(folded(events, state), {
      anchor: change.now,
      waiting: [],
      lastDueAt: anchor + 3 * minute
    })
  })
  it("is none when only the policies differ", () =>
    assert.deepStrictEqual(reschedule({ ...change, to: every(minute, { overlap: "cancel_running" }) }), []))
  it("may be none at all", () =>
    assert.deepStrictEqual(short(reschedule({ ...change, to: "manual" })), ["-1 missed", "-2..3(2) missed"]))
})

it("a tick that waits runs, although a newer time zone database knows it no more", () => {
  const state = { ...fresh, lastDueAt: anchor + 1, waiting: [{ after: anchor, until: anchor + 1, count: 1 }] }
  const { events } = decideTicks({ schedule: every(minute), state, now: anchor + 2, situation: "idle" })
  assert.deepInclude(events[0], { _tag: "Triggered", tick: "2026-11-21T09:00:00.001Z" })
  assert.lengthOf(folded(events, state).waiting, 0)
})

describe("when to decide next", () => {
  const at = (situation: Situation, policy: Policy = {}, interval = minute, state = fresh) => {
    const due = decideAt({ schedule: every(interval, policy), state, now: anchor, situation })
    return due === undefined ? undefined : due - anchor
  }
  it("is not put off by asking again", () => {
    const input = { schedule: every(1000), state: fresh, situation: "running" } as const
    assert.strictEqual(decideAt({ ...input, now: anchor + 9000 }), anchor + 10_000)
  })
  it("at the next tick, at once if one waits, not at all while nothing can run", () => {
    assert.strictEqual(at("idle"), minute)
    assert.strictEqual(at("running"), minute)
    assert.strictEqual(at("running", {}, 1000), 10_000)
    assert.strictEqual(at("running", { overlap: "buffer_one" }, 1000), 1000)
    assert.isUndefined(at("paused"))
    const waiting = { ...fresh, waiting: [{ after: anchor, until: anchor + minute, count: 1 }] }
    assert.strictEqual(at("idle", {}, minute, waiting), 0)
    assert.strictEqual(at("idle", {}, minute, ScheduleState.initial), 0)
    assert.isUndefined(at("idle", {}, 0, ScheduleState.initial))
  })
})

const step = fc.record({
  passes: fc.oneof(
    fc.integer({ min: 0, max: 3000 }),
    fc.integer({ min: 0, max: 40_000 }),
    fc.integer({ min: 0, max: 4_000_000 })
  ),
  next: fc.constantFrom<Situation | "stay">("stay", "stay", "idle", "paused", "failed")
})

it("every tick is run or skipped exactly once, or waits, whatever happens", () =>
  fc.assert(
    fc.property(
      fc.integer({ min: 1000, max: 60_000 }),
      fc.constantFrom("skip", "buffer_one", "cancel_running"),
      fc.constantFrom("skip", "one", "all"),
      fc.array(step, { maxLength: 25 }),
      (interval, overlap, catch_up, steps) => {
        const schedule = every(interval, { overlap, catch_up })
        let state = folded(
          decideTicks({ schedule, state: ScheduleState.initial, now: anchor, situation: "idle" }).events
        )
        let now = anchor
        let situation: Situation = "idle"
        const settled: Array<number> = []
        for (const { next, passes } of steps) {
          now += passes
          const { events } = decideTicks({ schedule, state, now, situation })
          const triggers = events.filter(({ _tag }) => _tag === "Triggered")
          assert.isAtMost(triggers.length, situation === "idle" ? 1 : 0)
          for (const event of events) {
            if (event._tag === "Scheduled") continue
            const from = dueAtOf(event.tick!)!
            const until =
              event._tag === "TickSkipped" && event.until !== undefined ? dueAtOf(event.until)! : from
            const range = ticksBetween(schedule, anchor, from - 1, until, 1_000_000)
            if (event._tag === "TickSkipped") assert.strictEqual(event.count ?? 1, range.length)
            for (const { dueAt } of range) settled.push(dueAt)
          }
          state = folded(events, state)
          if (triggers.length > 0) situation = "running"
          const again = decideTicks({ schedule, state, now, situation })
          assert.deepStrictEqual(again.events, [])
          if (next !== "stay") situation = next
        }
        const waiting = state.waiting.flatMap(({ after: from, count, until }) => {
          const range = ticksBetween(schedule, anchor, from, until, 1_000_000)
          assert.strictEqual(range.length, count)
          return range.map(({ dueAt }) => dueAt)
        })
        assert.isAtMost(
          waiting.length,
          overlap === "cancel_running" || catch_up !== "all" ? 1 : catchUpTicksMost
        )
        const due = ticksBetween(schedule, anchor, anchor, now, 1_000_000).map(({ dueAt }) => dueAt)
        assert.deepStrictEqual(
          [...settled, ...waiting].sort((left, right) => left - right),
          due
        )
      }
    ),
    { numRuns: 300 }
  ))
