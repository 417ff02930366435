import { assert, it } from "@effect/vitest"
import type { PipelineEvent } from "../../events/PipelineEvent.ts"
import { dueAtOf, tickAt } from "../../events/Tick.ts"
import { evolve, initial } from "../../projections/ScheduleState.ts"
import { describe } from "../../projections/Timeline.ts"

const fold = (...events: ReadonlyArray<PipelineEvent>) => events.reduce(evolve, initial)
const line: PipelineEvent = {
  _tag: "Scheduled",
  tick: tickAt(1000),
  dueAt: 1000,
  until: tickAt(5000),
  count: 5
}

it("ticks leave the line at its front", () => {
  assert.deepStrictEqual(fold(line, { _tag: "Triggered", reason: "schedule", tick: tickAt(1000) }), {
    anchor: null,
    lastDueAt: 5000,
    lastTriggered: tickAt(1000),
    waiting: [{ after: 1000, until: 5000, count: 4 }]
  })
  const skipped = {
    _tag: "TickSkipped",
    tick: tickAt(1000),
    until: tickAt(3000),
    count: 3,
    reason: "missed"
  } as const
  assert.deepStrictEqual(fold(line, skipped).waiting, [{ after: 3000, until: 5000, count: 2 }])
  assert.deepStrictEqual(fold(line, { ...skipped, until: tickAt(5000), count: 5 }).waiting, [])
})

it("ticks behind the line leave it as it is, and time never goes back", () => {
  const state = fold(line, { _tag: "TickSkipped", tick: tickAt(9000), reason: "overlap" })
  assert.deepStrictEqual([state.lastDueAt, state.waiting.length], [9000, 1])
  const late = evolve(state, { _tag: "Triggered", reason: "schedule", tick: tickAt(1000) })
  assert.deepStrictEqual([late.lastDueAt, late.waiting[0]?.count], [9000, 4])
})

it("a new anchor empties the line and forgets no decision", () =>
  assert.deepStrictEqual(fold(line, { _tag: "Scheduled", tick: tickAt(9000), dueAt: 9000, anchor: 7000 }), {
    anchor: 7000,
    lastDueAt: 5000,
    lastTriggered: null,
    waiting: []
  }))

it("names that a program made up, and runs that somebody asked for, are nothing to it", () => {
  assert.strictEqual(fold({ _tag: "Scheduled", tick: "t1", dueAt: 1000 }), initial)
  assert.strictEqual(fold({ _tag: "TickSkipped", tick: "2026-11-21", reason: "missed" }), initial)
  assert.strictEqual(fold({ _tag: "Triggered", reason: "asked" }), initial)
})

it("a tick is named by its instant, and only in one way", () => {
  assert.strictEqual(dueAtOf(tickAt(1_792_890_000_123)), 1_792_890_000_123)
  assert.isUndefined(dueAtOf("2026-03-29T01:00:00Z"))
})

it("is told in ranges", () => {
  const [a, b] = [tickAt(1000), tickAt(5000)]
  assert.strictEqual(describe(line), `5 ticks from ${a} to ${b} were due and wait their turn`)
  assert.strictEqual(
    describe({ _tag: "TickSkipped", tick: a, until: b, count: 5, reason: "missed" }),
    `5 ticks from ${a} to ${b} were skipped: missed`
  )
  assert.strictEqual(
    describe({ _tag: "TickSkipped", tick: a, reason: "overlap" }),
    `tick ${a} was skipped: overlap`
  )
})
