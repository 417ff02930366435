/**
 * Where the records of a stage come from.
 *
 * @module
 */
import { Schema, SchemaTransformation } from "effect"
import { Condition } from "./Condition.ts"
import { Name } from "./Text.ts"

/** An edge into a stage: from where, and for which records (all, when there is no `when`). */
const EdgeStruct = Schema.Struct({ stage: Name, when: Schema.optionalKey(Condition) })
export type Edge = typeof EdgeStruct.Type
const EdgeWire = Schema.Union([Name, EdgeStruct]).annotate({ expected: "a stage name or { stage, when }" })
const toEdge = (wire: string | Edge): Edge => (typeof wire === "string" ? { stage: wire } : wire)
const fromEdge = (edge: Edge): string | Edge => (edge.when === undefined ? edge.stage : edge)

/** `from: a`, `from: { stage: a, when: … }` or a list of either. */
const EdgesWire = Schema.Union([
  Name,
  EdgeStruct,
  Schema.Array(EdgeWire).check(Schema.isMinLength(1))
]).annotate({
  expected: "a stage name, { stage, when } or a list of them",
  description: "Where the records come from: a stage name, { stage, when } or a list of them"
})
export const Edges = EdgesWire.pipe(
  Schema.decodeTo(
    Schema.Array(EdgeStruct).check(Schema.isMinLength(1)),
    SchemaTransformation.transform({
      decode: (wire): ReadonlyArray<Edge> =>
        Array.isArray(wire) ? wire.map(toEdge) : [toEdge(wire as string | Edge)],
      encode: (edges: ReadonlyArray<Edge>): string | Edge | ReadonlyArray<string | Edge> =>
        edges.length === 1 ? fromEdge(edges[0]!) : edges.map(fromEdge)
    })
  )
)
