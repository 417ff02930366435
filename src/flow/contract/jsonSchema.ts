/**
 * JSON Schema (draft 2020-12) compiled to a plain function.
 *
 * Of its keywords these are enforced, and any other that asserts something is refused rather than ignored:
 * a contract that quietly promised less than it says would let bad records through (invariant 8).
 * Patterns run on RE2. `format` and the like only annotate, as the draft has it.
 *
 * @module
 */
import { isDeepStrictEqual } from "node:util"
import { pattern } from "../expression/pattern.ts"

/** What does not fit, and where: `path` is a JSON pointer. */
export interface Violation {
  readonly path: string
  readonly message: string
}

export type Check = (value: unknown) => Violation | undefined

/** The schema itself is wrong; `path` is a JSON pointer into it. */
export class SchemaError extends Error {
  readonly path: string
  constructor(path: string, message: string) {
    super(message)
    this.path = path
  }
}

type Schema = { readonly [keyword: string]: unknown }

interface Compiling {
  readonly root: Schema
  readonly references: Map<string, Check>
}

/** Throws a `SchemaError` for keywords and values it cannot enforce. */
export const compileJsonSchema = (schema: Schema): Check => {
  const check = compile(schema, "", { root: schema, references: new Map() })
  return (value) => {
    try {
      return check(value)
    } catch (error) {
      if (error instanceof RangeError) return { path: "", message: "nested too deeply" }
      throw error
    }
  }
}

const annotations = new Set(
  "$schema $id $defs definitions $comment title description default examples deprecated readOnly writeOnly format contentEncoding contentMediaType".split(
    " "
  )
)

const compile = (schema: unknown, path: string, of: Compiling): Check => {
  if (schema === true) return () => undefined
  if (schema === false) return () => ({ path: "", message: "nothing is allowed here" })
  if (typeof schema !== "object" || schema === null || Array.isArray(schema)) {
    throw new SchemaError(path, "a schema is an object, true or false")
  }
  const checks: Array<Check> = []
  for (const [keyword, value] of Object.entries(schema)) {
    if (annotations.has(keyword)) continue
    const make = Object.hasOwn(keywords, keyword) ? keywords[keyword] : undefined
    if (make === undefined) {
      throw new SchemaError(`${path}/${keyword}`, `the keyword ${keyword} is not supported in a contract`)
    }
    const check = make(value, `${path}/${keyword}`, of, schema as Schema)
    if (check !== undefined) checks.push(check)
  }
  const [first] = checks
  if (first !== undefined && checks.length === 1) return first
  return (value) => {
    for (const check of checks) {
      const violation = check(value)
      if (violation !== undefined) return violation
    }
    return undefined
  }
}

type Keyword = (value: unknown, path: string, of: Compiling, schema: Schema) => Check | undefined

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null && !Array.isArray(value)

const within = (key: string | number, violation: Violation | undefined): Violation | undefined =>
  violation && {
    ...violation,
    path: `/${String(key).replaceAll("~", "~0").replaceAll("/", "~1")}${violation.path}`
  }

const types: Readonly<Record<string, (value: unknown) => boolean>> = {
  null: (value) => value === null,
  boolean: (value) => typeof value === "boolean",
  string: (value) => typeof value === "string",
  number: (value) => typeof value === "number",
  integer: (value) => Number.isInteger(value),
  array: Array.isArray,
  object: isObject
}

const schemasOf = (value: unknown, path: string, of: Compiling): ReadonlyArray<Check> => {
  if (!Array.isArray(value) || value.length === 0) throw new SchemaError(path, "a list of schemas")
  return value.map((each, index) => compile(each, `${path}/${index}`, of))
}

const entriesOf = (value: unknown, path: string): ReadonlyArray<[string, unknown]> => {
  if (!isObject(value)) throw new SchemaError(path, "an object of schemas")
  return Object.entries(value)
}

/** A keyword that compares a number computed from the value with a limit. */
const bound =
  (
    measure: (value: unknown) => number | undefined,
    fits: (measured: number, limit: number) => boolean,
    words: string
  ) =>
  (limit: unknown, path: string): Check => {
    if (typeof limit !== "number") throw new SchemaError(path, "a number")
    return (value) => {
      const measured = measure(value)
      return measured === undefined || fits(measured, limit)
        ? undefined
        : { path: "", message: `${words} ${limit}` }
    }
  }

const number = (value: unknown) => (typeof value === "number" ? value : undefined)
const length = (value: unknown) => (typeof value === "string" ? [...value].length : undefined)
const items = (value: unknown) => (Array.isArray(value) ? value.length : undefined)
const size = (value: unknown) => (isObject(value) ? Object.keys(value).length : undefined)
const atLeast = (measured: number, limit: number) => measured >= limit
const atMost = (measured: number, limit: number) => measured <= limit

const keywords: Readonly<Record<string, Keyword>> = {
  type: (value, path) => {
    const names = Array.isArray(value) ? value : [value]
    const accepted = names.map((name) => {
      const holds = typeof name === "string" && Object.hasOwn(types, name) ? types[name] : undefined
      if (holds === undefined) throw new SchemaError(path, `${JSON.stringify(name)} is not a JSON type`)
      return holds
    })
    return (given) =>
      accepted.some((holds) => holds(given))
        ? undefined
        : { path: "", message: `${kindOf(given)}, not ${names.join(" or ")}` }
  },
  enum: (value, path) => {
    if (!Array.isArray(value)) throw new SchemaError(path, "a list of values")
    return (given) =>
      value.some((each) => isDeepStrictEqual(each, given))
        ? undefined
        : { path: "", message: `not one of ${JSON.stringify(value)}` }
  },
  const: (value) => (given) =>
    isDeepStrictEqual(value, given) ? undefined : { path: "", message: `not ${JSON.stringify(value)}` },
  required: (value, path) => {
    if (!Array.isArray(value)) throw new SchemaError(path, "a list of field names")
    return (given) => {
      if (!isObject(given)) return undefined
      for (const name of value)
        if (!Object.hasOwn(given, name)) return within(name, { path: "", message: "missing" })
      return undefined
    }
  },
  properties: (value, path, of) => {
    const fields = entriesOf(value, path).map(
      ([name, each]) => [name, compile(each, `${path}/${name}`, of)] as const
    )
    return (given) => {
      if (!isObject(given)) return undefined
      for (const [name, check] of fields) {
        const violation = Object.hasOwn(given, name) ? check(given[name]) : undefined
        if (violation !== undefined) return within(name, violation)
      }
      return undefined
    }
  },
  additionalProperties: (value, path, of, schema) => {
    const named = new Set(isObject(schema.properties) ? Object.keys(schema.properties) : [])
    const check =
      value === false ? () => ({ path: "", message: "not a known field" }) : compile(value, path, of)
    return (given) => {
      if (!isObject(given)) return undefined
      for (const key of Object.keys(given)) {
        const violation = named.has(key) ? undefined : check(given[key])
        if (violation !== undefined) return within(key, violation)
      }
      return undefined
    }
  },
  items: (value, path, of) => {
    const check = compile(value, path, of)
    return (given) => {
      if (!Array.isArray(given)) return undefined
      for (let index = 0; index < given.length; index++) {
        const violation = check(given[index])
        if (violation !== undefined) return within(index, violation)
      }
      return undefined
    }
  },
  anyOf: (value, path, of) => {
    const checks = schemasOf(value, path, of)
    return (given) => {
      let first: Violation | undefined
      for (const check of checks) {
        const violation = check(given)
        if (violation === undefined) return undefined
        first ??= violation
      }
      return first
    }
  },
  oneOf: (value, path, of) => {
    const checks = schemasOf(value, path, of)
    return (given) => {
      const fitting = checks.filter((check) => check(given) === undefined).length
      return fitting === 1 ? undefined : { path: "", message: `fits ${fitting} of the alternatives, not one` }
    }
  },
  allOf: (value, path, of) => {
    const checks = schemasOf(value, path, of)
    return (given) => {
      for (const check of checks) {
        const violation = check(given)
        if (violation !== undefined) return violation
      }
      return undefined
    }
  },
  not: (value, path, of) => {
    const check = compile(value, path, of)
    return (given) =>
      check(given) === undefined ? { path: "", message: "fits what it must not" } : undefined
  },
  pattern: (value, path) => {
    try {
      const compiled = pattern(String(value))
      return (given) =>
        typeof given !== "string" || compiled.matcher(given).find()
          ? undefined
          : { path: "", message: `does not match ${value}` }
    } catch (error) {
      throw new SchemaError(path, error instanceof Error ? error.message : String(error))
    }
  },
  minimum: bound(number, atLeast, "less than"),
  maximum: bound(number, atMost, "more than"),
  exclusiveMinimum: bound(number, (measured, limit) => measured > limit, "not more than"),
  exclusiveMaximum: bound(number, (measured, limit) => measured < limit, "not less than"),
  multipleOf: bound(number, (measured, limit) => Number.isInteger(measured / limit), "not a multiple of"),
  minLength: bound(length, atLeast, "shorter than"),
  maxLength: bound(length, atMost, "longer than"),
  minItems: bound(items, atLeast, "fewer items than"),
  maxItems: bound(items, atMost, "more items than"),
  minProperties: bound(size, atLeast, "fewer fields than"),
  maxProperties: bound(size, atMost, "more fields than"),
  $ref: (value, path, of) => {
    const [, name] = /^#\/(?:\$defs|definitions)\/([^/]+)$/.exec(String(value)) ?? []
    const definitions = of.root.$defs ?? of.root.definitions
    if (name === undefined || !isObject(definitions) || !Object.hasOwn(definitions, name)) {
      throw new SchemaError(path, `${String(value)} does not point at a definition under $defs`)
    }
    // A definition may refer to itself, so it is looked up when it is used.
    if (!of.references.has(name)) {
      of.references.set(name, () => undefined)
      of.references.set(name, compile(definitions[name], `/$defs/${name}`, of))
    }
    return (given) => of.references.get(name)!(given)
  }
}

const kindOf = (value: unknown): string =>
  value === null ? "null" : Array.isArray(value) ? "array" : typeof value
