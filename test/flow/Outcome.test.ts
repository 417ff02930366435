/**
 * What is sealed of an outcome, and what is left of it when a sink refuses some of its records.
 *
 * @module
 */
import { assert, describe, it } from "@effect/vitest"
import { Schema } from "effect"
import { letters, type Outcome, sealedBranch, without } from "../../src/flow/Outcome.ts"
import { compileRoute } from "../../src/flow/route/Route.ts"
import { randomGraph, routeStages } from "../fixtures/graph.ts"

const reason = { code: "broken", message: "it broke" }
const raw = (index: number) => ({ encoding: "utf8" as const, data: `${index}`, size: 1 })

/** Five records: 0 goes to `a` in two pieces, 1 fails for `b`, 2 was filtered, 3 and 4 go everywhere. */
const five: Outcome = {
  count: 5,
  branches: {
    a: {
      records: ["0x", "0y", "1", "3", "4"],
      rows: [0, 0, 1, 3, 4],
      delivered: 4,
      unrouted: 0,
      lettered: 0
    },
    b: { records: ["3", "4"], rows: [3, 4], delivered: 2, unrouted: 1, lettered: 1 }
  },
  failures: [{ index: 1, stage: "clean", branches: ["b"], reason }],
  totals: { delivered: 3, filtered: 1, unrouted: 0, lettered: 1 }
}

describe("what is sealed of a branch", () => {
  it("what is neither delivered, unrouted nor lettered was filtered", () => {
    assert.deepStrictEqual(sealedBranch(five, "a"), {
      records: 5,
      delivered: 4,
      filtered: 1,
      unrouted: 0,
      lettered: 0
    })
    assert.deepStrictEqual(sealedBranch(five, "b"), {
      records: 2,
      delivered: 2,
      filtered: 1,
      unrouted: 1,
      lettered: 1
    })
  })
})

describe("dead letters", () => {
  const of = { source: "in", batch: 7, generation: 2, offset: 100, branches: new Set(["a", "b"]), raw }

  it("name record, stage, branches, cause and bytes", () =>
    assert.deepStrictEqual(letters(five, of), [
      { id: "2.7.101", source: "in", offset: 101, stage: "clean", branches: ["b"], reason, raw: raw(1) }
    ]))
  it("C1: name only branches that are being sealed", () => {
    assert.deepStrictEqual(letters(five, { ...of, branches: new Set(["a"]) }), [])
    const both = { ...five, failures: [{ index: 1, stage: "clean", branches: ["a", "b"], reason }] }
    assert.deepStrictEqual(letters(both, { ...of, branches: new Set(["a"]) })[0]?.branches, ["a"])
  })
  it("have one id whichever attempt decides them", () => {
    const later = without(five, "a", [{ index: 4, message: "too long" }])
    assert.deepStrictEqual(
      letters(later, of).map(({ id }) => id),
      ["2.7.101", "2.7.104"]
    )
  })
  it("are told apart by generation, batch and place", () => {
    const ids = [of, { ...of, generation: 3 }, { ...of, batch: 8 }, { ...of, offset: 101 }]
      .flatMap((each) => letters(five, each))
      .map(({ id }) => id)
    assert.strictEqual(new Set(ids).size, 4)
  })
})

describe("a sink that refuses records", () => {
  it("gets the batch without them; each is its dead letter", () => {
    const left = without(five, "a", [{ index: 3, message: "too long" }])
    assert.deepStrictEqual(left.branches.a, {
      records: ["0x", "0y", "1", "4"],
      rows: [0, 0, 1, 4],
      delivered: 3,
      unrouted: 0,
      lettered: 1
    })
    assert.deepStrictEqual(left.failures.at(-1), {
      index: 3,
      stage: "a",
      branches: ["a"],
      reason: { code: "refused_by_sink", message: "too long" }
    })
    assert.deepStrictEqual(left.branches.b, five.branches.b)
  })
  it("a record that was split leaves whole, once, with the first cause (Conduit #2723, #1659)", () => {
    const left = without(five, "a", [
      { index: 1, message: "first" },
      { index: 0, message: "second" }
    ])
    assert.deepStrictEqual(left.branches.a?.records, ["1", "3", "4"])
    assert.include(left.branches.a, { delivered: 3, lettered: 1 })
    assert.deepStrictEqual(left.failures[0], {
      index: 0,
      stage: "a",
      branches: ["a"],
      reason: { code: "refused_by_sink", message: "first" }
    })
  })
  it("a record that is lettered already is counted once in the totals", () => {
    const left = without(five, "a", [{ index: 2, message: "too long" }])
    assert.deepStrictEqual(left.totals, five.totals)
    assert.include(left.branches.a, { delivered: 3, lettered: 1 })
  })
  it("what it never got it cannot refuse", () => {
    const left = without(five, "a", [{ index: 99, message: "too long" }])
    assert.deepStrictEqual(left, five)
  })
  it("the outcome before stays as it was", () => {
    const before = structuredClone(five)
    without(five, "a", [{ index: 0, message: "too long" }])
    assert.deepStrictEqual(five, before)
  })

  const Numbers = Schema.Array(Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 1000 })))
  const inputs = { shape: Numbers.check(Schema.isMinLength(8)), payloads: Numbers, refused: Numbers }
  it.prop(
    "invariant 6: however often it refuses, the sums agree and the order stays",
    inputs,
    (of) => {
      const records = of.payloads.map((n) => ({ payload: { n }, metadata: {} }))
      let outcome = compileRoute(["in"], routeStages(randomGraph(of.shape)), "dead_letter")(records)
      for (const number of of.refused) {
        const stages = Object.keys(outcome.branches)
        const stage = stages[number % stages.length]!
        const { rows } = outcome.branches[stage]!
        const index = number % (rows.length + 1)
        const left = without(outcome, stage, [{ index, message: "no" }])
        assert.notInclude(left.branches[stage]!.rows, rows[index])
        assert.deepStrictEqual(
          left.branches[stage]!.rows,
          rows.filter((row) => row !== rows[index])
        )
        outcome = left
      }
      for (const [stage, branch] of Object.entries(outcome.branches)) {
        const { aggregated = 0, delivered, filtered, lettered, unrouted } = sealedBranch(outcome, stage)
        assert.strictEqual(delivered + filtered + unrouted + lettered + aggregated, outcome.count)
        assert.strictEqual(new Set(branch.rows).size, delivered)
        assert.strictEqual(
          outcome.failures.filter(({ branches }) => branches.includes(stage)).length,
          lettered
        )
      }
      const { aggregated = 0, delivered, filtered, lettered, unrouted } = outcome.totals
      assert.strictEqual(delivered + filtered + unrouted + lettered + aggregated, outcome.count)
      assert.strictEqual(new Set(outcome.failures.map(({ index }) => index)).size, lettered)
    },
    { arbitrary: { runs: 500, size: 30 } }
  )
})
