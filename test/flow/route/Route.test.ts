/**
 * The way of records through the stages: small graphs by hand, and any graph against a plain telling of it.
 *
 * @module
 */
import { assert, describe, it } from "@effect/vitest"
import { Schema } from "effect"
import type { SourceRecord } from "../../../src/drivers/Record.ts"
import { type Outcome, sealedBranch } from "../../../src/flow/Outcome.ts"
import { compileRoute } from "../../../src/flow/route/Route.ts"
import { type Graph, type Node, randomGraph, reference, routeStages } from "../../fixtures/graph.ts"

type Policy = "dead_letter" | "drop"
const record = (n: number): SourceRecord => ({ payload: { n }, metadata: {} })
const broken: SourceRecord = { ...record(0), failure: { code: "not_json", message: "it is no JSON" } }

const to = (...names: ReadonlyArray<string>) => names.map((name) => ({ to: name, every: undefined }))
const node = (name: string, does: Node["does"], every: number, edges: Node["edges"] = []): Node => ({
  name,
  does,
  every,
  edges
})
const route = (graph: Graph, onUnrouted: Policy = "dead_letter") =>
  compileRoute(["in"], routeStages(graph), onUnrouted)
const numbers = (count: number) => Array.from({ length: count }, (_, n) => record(n))

/** Branches in the order of the graph, texts aside: what two tellings of one outcome must agree on. */
const told = ({ failures, ...outcome }: Outcome) => ({
  ...outcome,
  failures: failures.map(({ branches, reason, ...of }) => ({
    ...of,
    branches: branches.toSorted(),
    code: reason.code
  }))
})

const sumsAgree = (outcome: Outcome): void => {
  for (const stage of Object.keys(outcome.branches)) {
    const { aggregated = 0, delivered, filtered, lettered, unrouted } = sealedBranch(outcome, stage)
    assert.isAtLeast(filtered, 0)
    assert.strictEqual(delivered + filtered + unrouted + lettered + aggregated, outcome.count)
    const named = outcome.failures.filter(({ branches }) => branches.includes(stage))
    assert.strictEqual(named.length, lettered, `the letters that name ${stage}`)
  }
  const { aggregated = 0, delivered, filtered, lettered, unrouted } = outcome.totals
  assert.strictEqual(delivered + filtered + unrouted + lettered + aggregated, outcome.count)
}

describe("any graph", () => {
  const Numbers = Schema.Array(Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 1000 })))
  const inputs = {
    shape: Numbers.check(Schema.isMinLength(8)),
    payloads: Numbers,
    onUnrouted: Schema.Literals(["dead_letter", "drop"])
  }
  const runs = { arbitrary: { runs: 500, size: 30 } }
  const recordsOf = (payloads: ReadonlyArray<number>) =>
    payloads.map((n) => (n % 11 === 10 ? broken : record(n)))

  it.prop(
    "makes of records what its plain telling does",
    inputs,
    ({ onUnrouted, payloads, shape }) => {
      const graph = randomGraph(shape)
      const records = recordsOf(payloads)
      const [taken, wanted]: [Array<string>, Array<string>] = [[], []]
      assert.deepStrictEqual(
        told(compileRoute(["in"], routeStages(graph, taken), onUnrouted)(records)),
        told(reference(graph, records, onUnrouted, wanted))
      )
      assert.deepStrictEqual(taken, wanted)
    },
    runs
  )

  it.prop(
    "invariant 6: the sums agree, and every letter is counted where it is owed",
    inputs,
    (of) => {
      sumsAgree(route(randomGraph(of.shape), of.onUnrouted)(recordsOf(of.payloads)))
    },
    runs
  )

  it.prop(
    "invariant 4: every sink gets its records in source order",
    inputs,
    (of) => {
      const { branches, failures } = route(randomGraph(of.shape), of.onUnrouted)(recordsOf(of.payloads))
      for (const { rows } of [...Object.values(branches), { rows: failures.map(({ index }) => index) }]) {
        assert.deepStrictEqual(
          rows,
          rows.toSorted((a, b) => a - b)
        )
      }
    },
    runs
  )

  it.prop(
    "remembers nothing between batches",
    inputs,
    ({ onUnrouted, payloads, shape }) => {
      const travelled = route(randomGraph(shape), onUnrouted)
      const once = structuredClone(travelled(recordsOf(payloads)))
      travelled(recordsOf(payloads.toReversed()))
      assert.deepStrictEqual(travelled(recordsOf(payloads)), once)
    },
    runs
  )
})

describe("a filter", () => {
  it("hides records, and the others keep their places (Conduit #2729)", () => {
    const graph = [
      node("in", "pass", 1, to("f")),
      node("f", "filter", 2, to("a")),
      node("a", "encodeFails", 3)
    ]
    const outcome = route(graph)(numbers(6))
    assert.deepStrictEqual(outcome.branches.a, {
      records: ["a:1", "a:5"],
      rows: [1, 5],
      delivered: 2,
      unrouted: 0,
      lettered: 1
    })
    assert.deepStrictEqual(
      outcome.failures.map(({ index }) => index),
      [3]
    )
    assert.deepStrictEqual(outcome.totals, { delivered: 2, filtered: 3, unrouted: 0, lettered: 1 })
  })
})

describe("a record that goes several ways", () => {
  it("is one record, also when a sink gets it twice", () => {
    const graph = [node("in", "pass", 1, to("x", "a")), node("x", "add", 10, to("a")), node("a", "sink", 1)]
    const { branches, totals } = route(graph)(numbers(2))
    assert.deepStrictEqual(branches.a?.records, ["a:10", "a:0", "a:11", "a:1"])
    assert.deepStrictEqual(branches.a?.rows, [0, 0, 1, 1])
    assert.strictEqual(branches.a?.delivered, 2)
    assert.strictEqual(totals.delivered, 2)
  })
  it("with one failed piece is taken back where that piece could have gone (Conduit #2723)", () => {
    const graph = [
      node("in", "pass", 1, to("a", "b", "x")),
      node("x", "fail", 2, to("a")),
      node("a", "sink", 1),
      node("b", "sink", 1)
    ]
    const { branches, failures, totals } = route(graph)(numbers(3))
    assert.deepStrictEqual(branches.a?.records, ["a:1", "a:1"])
    assert.deepStrictEqual(branches.b?.records, ["b:0", "b:1", "b:2"])
    assert.deepStrictEqual(
      failures.map(({ branches, index }) => [index, ...branches]),
      [
        [0, "a"],
        [2, "a"]
      ]
    )
    assert.deepStrictEqual(totals, { delivered: 1, filtered: 0, unrouted: 0, lettered: 2 })
  })
  it("an encoding that fails costs one branch only", () => {
    const graph = [node("in", "pass", 1, to("a", "b")), node("a", "encodeFails", 2), node("b", "sink", 1)]
    const { branches, failures } = route(graph)(numbers(2))
    assert.deepStrictEqual([branches.a?.records, branches.b?.records], [["a:1"], ["b:0", "b:1"]])
    assert.deepStrictEqual(failures, [
      {
        index: 0,
        stage: "a",
        branches: ["a"],
        reason: { code: "encoding_failed", message: "a cannot hold 0" }
      }
    ])
  })
  it("keeps the first cause (Conduit #1659)", () => {
    const graph = [
      node("in", "pass", 1, to("x", "a")),
      node("x", "fail", 1, to("b")),
      node("a", "encodeFails", 1),
      node("b", "sink", 1)
    ]
    const [failure] = route(graph)(numbers(1)).failures
    assert.deepInclude(failure, { stage: "x", reason: { code: "too_round", message: "it divides" } })
    assert.sameMembers([...failure!.branches], ["a", "b"])
  })
  it("a condition sees the record as it was, not as another way made it", () => {
    const odd = [
      { to: "x", every: undefined },
      { to: "a", every: 2 }
    ]
    const graph = [
      node("in", "pass", 1, odd),
      node("x", "add", 1, to("b")),
      node("a", "sink", 1),
      node("b", "sink", 1)
    ]
    assert.deepStrictEqual(route(graph)([record(3), record(4)]).branches.a?.records, ["a:4"])
  })
})

describe("a record that no edge takes", () => {
  const graph = [
    node("in", "pass", 1, [
      { to: "a", every: 2 },
      { to: "b", every: 3 }
    ]),
    node("a", "sink", 1),
    node("b", "sink", 1)
  ]

  it("is a dead letter of every branch it might have reached", () => {
    const { failures, totals } = route(graph)([record(1), record(2)])
    assert.deepStrictEqual(failures, [
      {
        index: 0,
        stage: "in",
        branches: ["a", "b"],
        reason: { code: "unrouted", message: "no edge out of in takes this record" }
      }
    ])
    assert.deepStrictEqual(totals, { delivered: 1, filtered: 0, unrouted: 0, lettered: 1 })
  })
  it("or is counted, and never silently lost (Vector #21031)", () => {
    const outcome = route(graph, "drop")([record(1), record(2)])
    assert.deepStrictEqual(outcome.failures, [])
    assert.deepStrictEqual(sealedBranch(outcome, "a"), {
      records: 1,
      delivered: 1,
      filtered: 0,
      unrouted: 1,
      lettered: 0
    })
    assert.deepStrictEqual(sealedBranch(outcome, "b"), {
      records: 0,
      delivered: 0,
      filtered: 1,
      unrouted: 1,
      lettered: 0
    })
    assert.deepStrictEqual(outcome.totals, { delivered: 1, filtered: 0, unrouted: 1, lettered: 0 })
  })
  it("its letter, if it failed elsewhere, owes nothing where it was dropped by rule", () => {
    const split = [
      node("in", "pass", 1, to("x", "a")),
      node("x", "pass", 1, [{ to: "b", every: 2 }]),
      node("a", "encodeFails", 1),
      node("b", "sink", 1)
    ]
    const outcome = route(split, "drop")([record(1)])
    assert.deepStrictEqual(
      outcome.failures.map(({ branches }) => branches),
      [["a"]]
    )
    assert.include(outcome.branches.b, { unrouted: 1, lettered: 0 })
  })
})

describe("a record its source could not read", () => {
  it("is a dead letter of every branch, at the source, in its place", () => {
    const graph = [node("in", "pass", 1, to("a", "b")), node("a", "sink", 1), node("b", "sink", 1)]
    const { branches, failures } = route(graph)([record(0), broken, record(2)])
    assert.deepStrictEqual(failures, [
      { index: 1, stage: "in", branches: ["a", "b"], reason: broken.failure! }
    ])
    assert.deepStrictEqual(branches.b?.rows, [0, 2])
  })
})
