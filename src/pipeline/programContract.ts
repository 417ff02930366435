/**
 * A boundary of a program's stage: a Schema, told as the contract that the definition holds.
 *
 * @module
 */
import { Schema } from "effect"
import type { Contract } from "../../events/Definition.ts"

/** The `output` of a stage with this schema; nothing without one. */
export const contractOf = (schema: Schema.Top | undefined): { readonly output?: Contract } => {
  if (schema === undefined) return {}
  const { definitions, schema: body } = Schema.toJsonSchemaDocument(schema)
  const defined = Object.keys(definitions).length > 0 ? { $defs: plain(definitions) } : {}
  const $schema = "https://json-schema.org/draft/2020-12/schema"
  return { output: { $schema, ...(plain(body) as object), ...defined } as Contract }
}

/**
 * Records are JSON, where a number is always finite: the texts a codec would write for `NaN` and the
 * infinities are left out of the contract.
 */
const plain = (value: unknown): unknown => {
  if (Array.isArray(value)) return value.map(plain)
  if (typeof value !== "object" || value === null) return value
  const { anyOf, ...rest } = value as {
    readonly anyOf?: ReadonlyArray<{ readonly enum?: ReadonlyArray<unknown> }>
  }
  if (anyOf === undefined)
    return Object.fromEntries(Object.entries(value).map(([key, of]) => [key, plain(of)]))
  const finite = anyOf.filter((one) => !(one.enum?.includes("NaN") && one.enum.includes("Infinity")))
  return plainly({ ...rest }, finite)
}

const plainly = (rest: object, anyOf: ReadonlyArray<unknown>): unknown =>
  anyOf.length === 1
    ? { ...(plain(rest) as object), ...(plain(anyOf[0]) as object) }
    : { ...(plain(rest) as object), anyOf: anyOf.map(plain) }
