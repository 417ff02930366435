/**
 * A condition, in CEL or as data, as one plain function. Compiled once; asking allocates nothing.
 *
 * @module
 */
import { Result } from "effect"
import type { Comparison, Condition, JsonType } from "../../../events/Definition.ts"
import { compileCondition, type Predicate } from "../expression/Expression.ts"
import { compileComparison, type Test } from "./compileComparison.ts"
import { partsOf } from "./partsOf.ts"

export type { Predicate } from "../expression/Expression.ts"

/** Why a condition cannot be compiled; `path` leads to the part of it that is at fault. */
export interface ConditionError {
  readonly path: ReadonlyArray<string | number>
  readonly message: string
}

/**
 * True or false for every record, never an error: a question that a record cannot answer is false. `not`
 * turns what its condition answers, so where that could not be answered it is true.
 */
export const compilePredicate = (condition: Condition): Result.Result<Predicate, ConditionError> => {
  try {
    return Result.succeed(compile(condition, []))
  } catch (error) {
    if (error instanceof Uncompilable) return Result.fail({ path: error.path, message: error.message })
    throw error
  }
}

class Uncompilable extends Error {
  readonly path: ReadonlyArray<string | number>
  constructor(path: ReadonlyArray<string | number>, message: string) {
    super(message)
    this.path = path
  }
}

type Path = ReadonlyArray<string | number>

const compile = (condition: Condition, path: Path): Predicate => {
  if (condition === "always") return () => true
  if (condition === "never") return () => false
  if (typeof condition === "string") return expression(condition, path)
  if ("cel" in condition) return expression(condition.cel, [...path, "cel"])
  if ("not" in condition) {
    const inner = compile(condition.not, [...path, "not"])
    return (scope) => !inner(scope)
  }
  if ("all" in condition) return every(condition.all.map((each, at) => compile(each, [...path, "all", at])))
  if ("any" in condition) return some(condition.any.map((each, at) => compile(each, [...path, "any", at])))
  if ("type" in condition) return ofType(condition.type)
  const test = tested(condition, path)
  if ("metadata" in condition) {
    const { metadata } = condition
    return (scope) => test(Object.hasOwn(scope.metadata, metadata) ? scope.metadata[metadata] : undefined)
  }
  return atField(partsOf(condition.field), test)
}

const expression = (text: string, path: Path): Predicate => {
  const compiled = compileCondition(text)
  if (Result.isFailure(compiled)) throw new Uncompilable(path, compiled.failure.message)
  return compiled.success
}

const tested = (comparison: Comparison, path: Path): Test => {
  try {
    return compileComparison(comparison)
  } catch (error) {
    throw new Uncompilable([...path, "matches"], error instanceof Error ? error.message : String(error))
  }
}

/** Two are so common that they are worth a function without a loop. */
const every = (predicates: ReadonlyArray<Predicate>): Predicate => {
  const [first, second] = predicates
  if (first === undefined) return () => true
  if (second === undefined) return first
  if (predicates.length === 2) return (scope) => first(scope) && second(scope)
  return (scope) => {
    for (let at = 0; at < predicates.length; at++) if (!predicates[at]!(scope)) return false
    return true
  }
}

const some = (predicates: ReadonlyArray<Predicate>): Predicate => {
  const [first, second] = predicates
  if (first === undefined) return () => false
  if (second === undefined) return first
  if (predicates.length === 2) return (scope) => first(scope) || second(scope)
  return (scope) => {
    for (let at = 0; at < predicates.length; at++) if (predicates[at]!(scope)) return true
    return false
  }
}

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null && !Array.isArray(value)

/** Own fields only: what every object inherits is no field of a record. */
const atField = (parts: ReadonlyArray<string>, test: Test): Predicate => {
  const [only] = parts
  if (only !== undefined && parts.length === 1) {
    return ({ record }) => test(isObject(record) && Object.hasOwn(record, only) ? record[only] : undefined)
  }
  return ({ record }) => {
    let value = record
    for (let at = 0; at < parts.length; at++) {
      const part = parts[at]!
      if (!isObject(value) || !Object.hasOwn(value, part)) return test(undefined)
      value = value[part]
    }
    return test(value)
  }
}

const types: Readonly<Record<JsonType, (payload: unknown) => boolean>> = {
  object: isObject,
  array: Array.isArray,
  string: (payload) => typeof payload === "string",
  number: (payload) => typeof payload === "number",
  boolean: (payload) => typeof payload === "boolean",
  null: (payload) => payload === null
}

const ofType = (type: JsonType): Predicate => {
  const holds = types[type]
  return (scope) => holds(scope.record)
}
