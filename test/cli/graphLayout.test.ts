import { it as effectIt } from "@effect/vitest"
import { Result } from "effect"
import { expect, it } from "vitest"
import { type Definition, decodeDefinition } from "../../events/Definition.ts"
import { type Box, layoutOf } from "../../src/cli/graphLayout.ts"
import { graphMermaid } from "../../src/cli/graphMermaid.ts"
import { graphSvg } from "../../src/cli/graphSvg.ts"
import { graphText } from "../../src/cli/graphText.ts"
import { type Edge, edgesOf } from "../../src/cli/stageGraph.ts"
import { Choices, chooser } from "../flow/condition/someCondition.ts"

const definition = (stages: Record<string, unknown>, more: Record<string, unknown> = {}): Definition =>
  Result.getOrThrow(decodeDefinition({ name: "p", stages, ...more }))

const source = { source: { use: "file", path: "in.ndjson" } }
const sink = (from: unknown) => ({ from, sink: { use: "memory" } })

/** Some stages, each from some of those before it, by edges with and without a condition. */
const someGraph = (choices: ReadonlyArray<number>): Definition => {
  const from = chooser(choices)
  const stages: Record<string, unknown> = { s0: source }
  const count = 2 + from.below(14)
  for (let at = 1; at < count; at++) {
    const edges = new Map<string, unknown>()
    for (let each = 0; each <= from.below(4); each++) {
      const stage = `s${from.below(at)}`
      edges.set(stage, from.below(2) === 0 ? stage : { stage, when: `record.a > ${at}` })
    }
    stages[`s${at}`] = { from: [...edges.values()], filter: "record.x == 1" }
  }
  return definition(stages)
}

const label = ({ when }: Edge) => (when === undefined ? { width: 0, height: 0 } : { width: 90, height: 38 })
const apart = (a: Box, b: Box): boolean =>
  a.x + a.width <= b.x || b.x + b.width <= a.x || a.y + a.height <= b.y || b.y + b.height <= a.y

effectIt.prop(
  "no box stands on another, no line crosses a box, no words on other words or on a box",
  [Choices],
  ([choices]) => {
    const graph = someGraph(choices)
    const edges = edgesOf(graph)
    const sizes = new Map(
      Object.keys(graph.stages).map((name, at) => [name, { width: 60 + at * 5, height: 48 }])
    )
    const { boxes, height, lines, width } = layoutOf(graph, edges, sizes, label)
    const all = [...boxes.values()]
    for (const box of all) {
      expect(box.x >= 0 && box.y >= 0 && box.x + box.width <= width && box.y + box.height <= height).toBe(
        true
      )
    }
    const words = lines.flatMap(({ edge, legs }): ReadonlyArray<Box> => {
      const { bend, y } = legs.at(-1)!
      return edge.when === undefined ? [] : [{ ...label(edge), x: bend, y: y - 19 }]
    })
    // What runs straight may touch its own two boxes from outside, and no other from inside.
    const straight = lines.flatMap(({ legs }) =>
      legs.map(({ bend, end, y }): Box => ({ x: bend, y: y - 1, width: end - bend, height: 2 }))
    )
    const solid = [...all, ...words]
    solid.forEach((one, at) => {
      for (const other of solid.slice(at + 1))
        expect(apart(one, other), JSON.stringify([one, other])).toBe(true)
    })
    for (const line of straight) for (const box of all) expect(apart(line, box)).toBe(true)
    lines.forEach((one, at) => {
      for (const two of lines.slice(at + 1)) {
        if (one.edge.to !== two.edge.to) continue
        const distance = Math.abs(one.legs.at(-1)!.y - two.legs.at(-1)!.y)
        expect(distance).toBeGreaterThanOrEqual(20)
      }
    })
  },
  { arbitrary: { runs: 200, size: 60 } }
)

const whole = definition(
  {
    a: {
      source: { use: "file", path: "a.ndjson" },
      event_time: { field: "at", allowed_lateness: "10m" }
    },
    b: { source: { use: "memory", name: "b" } },
    once: {
      from: ["a", { stage: "b", when: { not: { field: "test", equals: true } } }],
      dedupe: { key: "record.id", within: "2h" }
    },
    fits: { from: "once", validate: { contract: { id: "string", n: "number" }, on_invalid: "drop" } },
    parts: { from: "fits", explode: { field: "items", into: "item" } },
    asked: {
      from: "parts",
      service: {
        endpoints: [{ url: "http://a" }, { url: "http://b" }],
        balance: "consistent_hash",
        hash: "record.id"
      }
    },
    hourly: {
      from: "asked",
      aggregate: { window: { sliding: "1h", every: "10m" }, by: { k: "record.k" }, make: { n: "count" } }
    },
    out: sink({
      stage: "hourly",
      when: {
        all: [
          { field: "n", gt: 1 },
          { metadata: "kind", equals: "live" }
        ]
      }
    })
  },
  { merge: "event_time", on_unrouted: "drop", dead_letters: { sink: { use: "file", path: "dead.ndjson" } } }
)

it("text names what each kind does, where sources meet and where letters go", () => {
  expect(graphText(whole)).toBe(`p
a  source file a.ndjson (event time: at, up to 10m late)
└─ once  dedupe record.id (last 100,000 keys, within 2h) (merged by event time)
   └─ fits  validate id, n (drops what does not fit)
      └─ parts  explode item for each of items
         └─ asked  service 2 endpoints (consistent hash by record.id)
            └─ hourly  aggregate n (over 1h, every 10m by k)
               └─ [n > 1 and metadata kind = "live"] out  sink memory
b  source memory b
└─ [not test = true] once (see above)
dead letters  sink file dead.ndjson
(a record that no edge takes is dropped)
`)
})

it("so do Mermaid and SVG", () => {
  for (const drawn of [graphMermaid(whole), graphSvg(whole)]) {
    for (const words of [
      "dead letters",
      "merged by event time",
      "consistent hash by record.id",
      "up to 10m late"
    ]) {
      expect(drawn).toContain(words)
    }
  }
  expect(graphMermaid(whole)).toContain('-->|"not test = true"|')
  expect(graphSvg(whole)).toContain("n &#62; 1 and metadata kind = &#34;live&#34;")
})

it("a large graph is drawn in bounded time", () => {
  const stages: Record<string, unknown> = { s0: source }
  for (let at = 1; at < 500; at++) {
    const before = Array.from({ length: Math.min(at, 20) }, (_, back) => `s${at - 1 - back}`)
    stages[`s${at}`] = at === 499 ? sink(before) : { from: before, filter: "record.x == 1" }
  }
  const large = definition(stages)
  expect(edgesOf(large).length).toBeGreaterThan(9000)
  const started = performance.now()
  for (const draw of [graphSvg, graphText, graphMermaid]) draw(large)
  expect(performance.now() - started).toBeLessThan(20_000)
})
