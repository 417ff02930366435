import { assert, it } from "@effect/vitest"
import { Result } from "effect"
import { decodeDefinition } from "../../../events/Definition.ts"
import { validateGraph } from "../../../src/flow/graph/validateGraph.ts"

const untimed = { source: { use: "memory", name: "a" } }
const timed = { ...untimed, event_time: { field: "at" } }
const counted = { from: "in", aggregate: { window: { tumbling: "1h" }, make: { n: "count" } } }
const pointers = (stages: object) =>
  validateGraph(Result.getOrThrow(decodeDefinition({ name: "p", stages }))).map(
    ({ code, pointer }) => `${code} ${pointer}`
  )
const out = (from: string) => ({ from, sink: { use: "memory", name: from } })

it("an aggregate, and a dedupe within a time, need a source with event time", () => {
  const once = { from: "in", dedupe: { key: "record.id", within: "1h" } }
  const stages = { counted, once, always: { from: "in", dedupe: { key: "record.id" } } }
  const outs = { a: out("counted"), b: out("once"), c: out("always") }
  assert.deepStrictEqual(pointers({ in: untimed, ...stages, ...outs }), [
    "needs_event_time /stages/counted/aggregate",
    "needs_event_time /stages/once/dedupe"
  ])
  assert.deepStrictEqual(pointers({ in: timed, ...stages, ...outs }), [])
})

it("one of its sources is enough, and what nothing reaches has its own finding", () => {
  const both = { ...counted, from: ["in", "other"] }
  assert.deepStrictEqual(pointers({ in: untimed, other: timed, counted: both, a: out("counted") }), [])
  assert.notInclude(
    pointers({
      in: untimed,
      b: out("in"),
      counted: { ...counted, from: "nowhere" },
      a: out("counted")
    }).join(),
    "needs_event_time"
  )
})
