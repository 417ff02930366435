import { assert, describe as group, it } from "vitest"
import { describe } from "../../projections/Timeline.ts"
import * as fixtures from "../fixtures/events.ts"

const { applied, at, branch, letter, replayed, sealed, suppressed } = fixtures

group("one line an event", () => {
  const told = Object.values({ ...fixtures.lifecycleHistory, ...fixtures.deploymentHistory }).flat()
  it.each([...new Map(told.map((event) => [event._tag, event])).entries()])("%s", (_, event) => {
    const line = describe(event)
    assert.isAbove(line.length, 0)
    assert.notInclude(line, "\n")
    assert.notInclude(line, "undefined")
  })
})

it("tells a batch with what became of its records", () => {
  const event = sealed(3, {
    attempt: 2,
    branches: { a: branch(8, 1) },
    totals: { delivered: 8, filtered: 1, unrouted: 0, lettered: 1 },
    letters: [letter(33, "a")]
  })
  assert.equal(
    describe(event),
    "batch 3, attempt 2: 10 records of in from 30: 8 for a, 1 filtered, 1 dead letter"
  )
})

it("tells an application with the place it leads to", () => {
  const settled = "a holds 10 records of batch 0 after 5 ms; in is settled up to 10"
  assert.equal(describe(applied("a", 0, { checkpoint: at(0) })), settled)
  assert.equal(describe(suppressed("a", 0, 2)), "a has batch 0 already, from attempt 2")
})

it("tells spans as a person does, not in milliseconds alone", () => {
  const told = (lagMs: number) =>
    describe({ ...applied("a", 0), lagMs }).replace("a holds 10 records of batch 0 ", "")
  assert.deepEqual([999, 1000, 8049, 59_949, 90_500, 7_265_000].map(told), [
    "after 999 ms",
    "after 1 s",
    "after 8 s",
    "after 59.9 s",
    "after 1 min 30 s",
    "after 2 h 1 min"
  ])
})

it("tells where a run goes on", () => {
  const from = [{ source: "in", batch: 0, offset: 1234, position: null }]
  assert.equal(describe({ ...replayed, from }), "run r1 goes on from in 1,234")
})
