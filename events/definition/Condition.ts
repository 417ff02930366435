/**
 * For which records: a condition of a filter or of an edge.
 *
 * @module
 */
import { Schema } from "effect"
import { beyond } from "../extent.ts"
import { Expression } from "./Text.ts"

/** What JSON calls the kinds of its values. */
export const jsonTypes = ["object", "array", "string", "number", "boolean", "null"] as const
export type JsonType = (typeof jsonTypes)[number]

/** Lists and mappings inside each other, and values, as a file has them: what is within fits into every file. */
export const conditionBounds = { depth: 24, values: 1000 } as const

/** What is asked of one value; where several things are, all of them hold. */
export type Comparison = {
  /** Is it there? A `null` is. */
  readonly exists?: boolean
  /** Is it this very JSON value, lists and objects included? */
  readonly equals?: Schema.Json
  /** Does this RE2 pattern occur in the text? */
  readonly matches?: string
  /** Numbers are compared with numbers, texts with texts (by UTF-16 units). */
  readonly gt?: number | string
  readonly gte?: number | string
  readonly lt?: number | string
  readonly lte?: number | string
}

/**
 * A condition is a text in CEL, or data, at every level. Data has two values, true and false: what is
 * asked of a value that is not there, or is of another type, is false (but `exists: false`), and `not` of
 * it is true. `always` and `never` look at nothing; `all` of none is always, `any` of none never. `field`
 * is a path into the payload, joined by dots, through objects only; `type` is the JSON type of the payload.
 */
export type Condition =
  | string
  | { readonly all: ReadonlyArray<Condition> }
  | { readonly any: ReadonlyArray<Condition> }
  | { readonly not: Condition }
  | FieldCondition
  | MetadataCondition
  | { readonly type: JsonType }
  | { readonly cel: string }
export type FieldCondition = { readonly field: string } & Comparison
export type MetadataCondition = { readonly metadata: string } & Comparison

export const comparisons = ["exists", "equals", "matches", "gt", "gte", "lt", "lte"] as const

const Bound = Schema.Union([Schema.Finite, Schema.String]).annotate({ expected: "a number or a text" })
const Comparisons = {
  exists: Schema.optionalKey(Schema.Boolean),
  equals: Schema.optionalKey(Schema.Json),
  matches: Schema.optionalKey(Schema.String),
  gt: Schema.optionalKey(Bound),
  gte: Schema.optionalKey(Bound),
  lt: Schema.optionalKey(Bound),
  lte: Schema.optionalKey(Bound)
}

const asksSomething = Schema.makeFilter(
  (asked: Comparison) =>
    comparisons.some((key) => asked[key] !== undefined) ||
    `it asks nothing; say one of ${comparisons.join(", ")}`
)

const isBounded = Schema.makeFilter((condition: Condition) => {
  const bound = beyond(condition, conditionBounds)
  if (bound === undefined) return true
  return bound === "depth"
    ? `a condition is at most ${conditionBounds.depth} levels deep`
    : `a condition has at most ${conditionBounds.values} values`
})

const Inner = Schema.suspend((): Schema.Codec<Condition> => Condition)
export const Condition: Schema.Codec<Condition> = Schema.Union([
  Schema.Literals(["always", "never"]),
  Expression,
  Schema.Struct({ all: Schema.Array(Inner) }),
  Schema.Struct({ any: Schema.Array(Inner) }),
  Schema.Struct({ not: Inner }),
  Schema.Struct({ field: Schema.NonEmptyString, ...Comparisons }).check(asksSomething),
  Schema.Struct({ metadata: Schema.NonEmptyString, ...Comparisons }).check(asksSomething),
  Schema.Struct({ type: Schema.Literals(jsonTypes) }),
  Schema.Struct({ cel: Expression })
])
  .annotate({
    identifier: "Condition",
    expected: "an expression, always, never, or a condition as data",
    description:
      "For which records: a CEL expression; always or never; { all | any: [conditions] } or { not: condition }; { field | metadata: name } with exists, equals, matches, gt, gte, lt or lte; { type: a JSON type }; { cel: expression }"
  })
  .check(isBounded)
