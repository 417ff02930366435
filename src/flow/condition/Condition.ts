/**
 * Conditions as a program writes them. What comes out is data, the same as in a pipeline file:
 *
 *     Pipeline.filterBy("late", Condition.and(
 *       Condition.field("delay", { gt: 60 }),
 *       Condition.not(Condition.metadataEquals("type", "test"))
 *     ))
 *
 * A question that a record cannot answer is false; `not` of it is true.
 *
 * @module
 */
import type { Schema } from "effect"
import { dual } from "effect/Function"
import type { Comparison, Condition as Data, JsonType } from "../../../events/Definition.ts"

/** A CEL text, or a condition as data. */
export type Condition = Data
export type { Comparison, JsonType } from "../../../events/Definition.ts"

/** Holds for every record. */
export const always: Condition = "always"
/** Holds for no record. */
export const never: Condition = "never"

/** Holds where every one of them does; `always` for none. */
export const all = (...conditions: ReadonlyArray<Condition>): Condition => ({ all: conditions })
/** Holds where at least one of them does; `never` for none. */
export const any = (...conditions: ReadonlyArray<Condition>): Condition => ({ any: conditions })
/** Holds where the condition does not. */
export const not = (condition: Condition): Condition => ({ not: condition })

/** Both hold. */
export const and: {
  (that: Condition): (self: Condition) => Condition
  (self: Condition, that: Condition): Condition
} = dual(2, (self: Condition, that: Condition) => all(self, that))

/** At least one of the two holds. */
export const or: {
  (that: Condition): (self: Condition) => Condition
  (self: Condition, that: Condition): Condition
} = dual(2, (self: Condition, that: Condition) => any(self, that))

/** A CEL expression over `record`, `metadata`, `key` and `event_time`. */
export const cel = (expression: string): Condition => ({ cel: expression })

/** The JSON type of the payload itself. */
export const recordType = (type: JsonType): Condition => ({ type })

/** Of a field of the payload: `a.b` is the field `b` of the object in `a`. Everything asked has to hold. */
export const field = (path: string, comparison: Comparison): Condition => ({ field: path, ...comparison })

/** Of a value beside the payload. Everything asked has to hold. */
export const metadata = (name: string, comparison: Comparison): Condition => ({
  metadata: name,
  ...comparison
})

/** There is such a value; a `null` counts. */
export const metadataExists = (name: string): Condition => metadata(name, { exists: true })
/** Deep and exact. */
export const metadataEquals = (name: string, value: Schema.Json): Condition =>
  metadata(name, { equals: value })
/** The RE2 pattern occurs in the text. */
export const metadataMatches = (name: string, pattern: string): Condition =>
  metadata(name, { matches: pattern })
/** Numbers are compared with numbers, texts with texts. */
export const metadataGt = (name: string, bound: number | string): Condition => metadata(name, { gt: bound })
export const metadataGte = (name: string, bound: number | string): Condition => metadata(name, { gte: bound })
export const metadataLt = (name: string, bound: number | string): Condition => metadata(name, { lt: bound })
export const metadataLte = (name: string, bound: number | string): Condition => metadata(name, { lte: bound })
