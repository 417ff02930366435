/**
 * What the records of a stage look like, as a check that runs per record.
 *
 * A contract is written in one of two ways, told apart like this: with a value that is not a text, or with
 * `$schema` or `$ref`, it is JSON Schema; otherwise it is the short form, field names to type names. So
 * `{ type: string }` is a record with a field called `type`; a JSON Schema this bare needs a `$schema`.
 *
 * @module
 */
import { createHash } from "node:crypto"
import { Result } from "effect"
import { pointer } from "../../../events/Finding.ts"
import { nearest } from "../../../events/nearest.ts"
import { type Check, compileJsonSchema, SchemaError, type Violation } from "./jsonSchema.ts"

export const fieldTypes = ["string", "number", "integer", "boolean", "object", "array", "any"] as const
export type FieldType = (typeof fieldTypes)[number]

/** What is known of a field. An optional one may be absent or null. */
export interface Field {
  readonly type: FieldType
  readonly optional: boolean
}

export type Fields = ReadonlyMap<string, Field>

export interface CompiledContract {
  /** What is wrong with a record, `undefined` when it fits. `path` is a JSON pointer into the record. */
  readonly check: Check
  /** SHA-256 (hex) of the canonical form: the name of the contract. */
  readonly hash: string
  /** The top-level fields, where the contract lists them. There may be others. */
  readonly fields: Fields | undefined
}

/** Why a contract cannot be used; `path` is a JSON pointer into the contract. */
export interface ContractError extends Violation {
  readonly suggestion?: string
}

/** Compiles either form. */
export const compileContract = (contract: {
  readonly [key: string]: unknown
}): Result.Result<CompiledContract, ContractError> => {
  const hash = createHash("sha256").update(canonical(contract)).digest("hex")
  if (isShortForm(contract)) {
    return Result.map(shortFields(contract), (fields) => ({ check: checkFields(fields), hash, fields }))
  }
  if (!Object.keys(contract).some((key) => schemaKeys.has(key))) return Result.fail(neither(contract))
  try {
    return Result.succeed({ check: compileJsonSchema(contract), hash, fields: schemaFields(contract) })
  } catch (error) {
    if (error instanceof SchemaError) return Result.fail({ path: error.path, message: error.message })
    throw error
  }
}

/**
 * Where the records of a producer would not fit the contract of their consumer. Only what both list is
 * compared; `any` fits with everything.
 */
export const agree = (
  producer: Fields | undefined,
  consumer: Fields | undefined
): ReadonlyArray<Violation> => {
  if (producer === undefined || consumer === undefined) return []
  const violations: Array<Violation> = []
  for (const [name, wanted] of consumer) {
    const given = producer.get(name)
    const path = pointer([name])
    if (given === undefined) {
      if (!wanted.optional) violations.push({ path, message: `the field ${name} does not arrive here` })
    } else if (!fits(given.type, wanted.type)) {
      violations.push({ path, message: `${name} arrives as ${given.type}, ${wanted.type} is promised` })
    } else if (given.optional && !wanted.optional && wanted.type !== "any") {
      violations.push({ path, message: `${name} may be absent when it arrives, but is promised always` })
    }
  }
  return violations
}

/** JSON with sorted keys: equal values have equal texts. */
export const canonical = (value: unknown): string =>
  JSON.stringify(value, (_, part: unknown) =>
    typeof part === "object" && part !== null && !Array.isArray(part)
      ? Object.fromEntries(Object.entries(part).sort(([left], [right]) => (left < right ? -1 : 1)))
      : part
  )

const fits = (given: FieldType, wanted: FieldType): boolean =>
  given === wanted || given === "any" || wanted === "any" || (given === "integer" && wanted === "number")

const isShortForm = (contract: { readonly [key: string]: unknown }): boolean =>
  !("$schema" in contract || "$ref" in contract) &&
  Object.values(contract).every((value) => typeof value === "string")

const schemaKeys = new Set(
  "$schema $ref $defs type properties required additionalProperties items enum const anyOf oneOf allOf not".split(
    " "
  )
)

const neither = (contract: { readonly [key: string]: unknown }): ContractError => {
  const [name] = Object.entries(contract).find(([, value]) => typeof value !== "string")!
  return {
    path: pointer([name]),
    message: `A field's type is one of ${fieldTypes.join(", ")}, with ? behind it when it may be absent`,
    suggestion: "Nested fields need a JSON Schema: { type: object, properties: { … } }"
  }
}

const shortFields = (contract: { readonly [key: string]: unknown }): Result.Result<Fields, ContractError> => {
  const fields = new Map<string, Field>()
  for (const [name, text] of Object.entries(contract) as ReadonlyArray<[string, string]>) {
    const optional = text.endsWith("?")
    const written = optional ? text.slice(0, -1) : text
    const type = fieldTypes.find((each) => each === written)
    if (type === undefined) {
      const near = nearest(written, fieldTypes) ?? synonyms[written.toLowerCase()]
      return Result.fail({
        path: pointer([name]),
        message: `${text} is not a type; there are ${fieldTypes.join(", ")}, with ? behind for what may be absent`,
        ...(near === undefined ? {} : { suggestion: optional ? `${near}?` : near })
      })
    }
    fields.set(name, { type, optional })
  }
  return Result.succeed(fields)
}

const synonyms: Readonly<Record<string, FieldType>> = {
  bool: "boolean",
  double: "number",
  float: "number",
  decimal: "number",
  int: "integer",
  long: "integer",
  text: "string",
  str: "string",
  list: "array",
  map: "object"
}

const holds: Record<FieldType, (value: unknown) => boolean> = {
  string: (value) => typeof value === "string",
  number: (value) => typeof value === "number",
  integer: (value) => Number.isInteger(value),
  boolean: (value) => typeof value === "boolean",
  object: (value) => typeof value === "object" && value !== null && !Array.isArray(value),
  array: Array.isArray,
  any: () => true
}

const checkFields = (fields: Fields): Check => {
  const checks = [...fields].map(([name, field]) => ({
    name,
    ...field,
    holds: holds[field.type],
    // Only for a name that every object inherits must be asked whose it is; asking costs as much as the rest.
    inherited: name in Object.prototype
  }))
  return (payload) => {
    if (!holds.object(payload)) return { path: "", message: "not an object with fields" }
    const record = payload as Readonly<Record<string, unknown>>
    for (const { holds, inherited, name, optional, type } of checks) {
      const value = inherited && !Object.hasOwn(record, name) ? undefined : record[name]
      if (value === undefined || (value === null && type !== "any")) {
        if (optional) continue
        return { path: pointer([name]), message: value === null ? `null, not ${type}` : "missing" }
      }
      if (!holds(value)) return { path: pointer([name]), message: `${kind(value)}, not ${type}` }
    }
    return undefined
  }
}

const kind = (value: unknown): string => (Array.isArray(value) ? "array" : typeof value)

/** The fields a JSON Schema lists; `undefined` where other keywords have a say in them. */
const schemaFields = (schema: { readonly [key: string]: unknown }): Fields | undefined => {
  const { properties, required } = schema
  const composed = ["$ref", "anyOf", "oneOf", "allOf", "not"].some((keyword) => keyword in schema)
  if (composed || typeof properties !== "object" || properties === null) return undefined
  if (schema.additionalProperties !== undefined && schema.additionalProperties !== false) return undefined
  const always = new Set(Array.isArray(required) ? required : [])
  return new Map(
    Object.entries(properties).map(([name, property]: [string, { readonly type?: unknown }]) => {
      const types = Array.isArray(property.type) ? property.type : [property.type]
      const [type, ...others] = types.filter((each) => each !== "null")
      const known = others.length === 0 ? fieldTypes.find((each) => each === type) : undefined
      const optional = !always.has(name) || types.includes("null")
      return [name, { type: known ?? "any", optional }]
    })
  )
}
