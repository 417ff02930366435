/**
 * The expressions of a pipeline: CEL, compiled once, run per record as plain functions.
 *
 * A condition is a question about a record, so whatever keeps it from being answered (a missing field, a
 * text compared with a number) makes it false. A value is a claim about the result, so the same things throw,
 * and the caller makes a dead letter of the record.
 *
 * @module
 */
import { EvaluationError, type ParseResult } from "@marcbachmann/cel-js"
import { Result } from "effect"
import type { Field } from "../contract/Contract.ts"
import { runtime } from "./celEnvironment.ts"
import { compileDirect, type Direct, unsure } from "./direct.ts"
import { contractComplaints, explain, explainFailure } from "./explain.ts"
import { type Hardened, harden } from "./harden.ts"
import { jsonValue, shield } from "./jsonValue.ts"

/**
 * What an expression sees; `null` where a record has no key or time. `event_time` is in milliseconds since
 * 1970, and a timestamp inside expressions. Mutable, so that one scope can serve a whole batch.
 */
export interface Scope {
  record: unknown
  metadata: Readonly<Record<string, unknown>>
  key: string | null
  event_time: number | null
}

/** Why an expression cannot be compiled. `line` and `column` count from 1 inside the expression, `offset` from 0. */
export interface ExpressionError {
  readonly message: string
  readonly offset?: number
  readonly line?: number
  readonly column?: number
  readonly suggestion?: string
}

export interface ExpressionOptions {
  /** The fields of the record where its contract is known: unknown fields and mismatched types are errors. */
  readonly fields?: ReadonlyMap<string, Field> | undefined
}

/** A question about a record that always has an answer. */
export type Predicate = (scope: Scope) => boolean
/** Throws an `Error` whose message is the reason when there is no such value. */
export type Value = (scope: Scope) => unknown

/** What a `Value` throws when a field that it needs is missing. */
export class MissingField extends Error {}

/** Longer texts are refused before they are parsed. */
export const maxExpressionLength = 4096

/** A condition; anything that keeps it from being answered makes it false. */
export const compileCondition = (
  text: string,
  options: ExpressionOptions = {}
): Result.Result<Predicate, ExpressionError> =>
  Result.map(compile(text, options, true), ({ direct, evaluate, hardened }) => (scope) => {
    const answer = direct(scope.record)
    if (answer !== unsure) return answer === true
    // Sparse fields are common; finding one missing this way is a hundred times cheaper than an exception.
    if (lacks(scope.record, hardened.required)) return false
    try {
      return evaluate(scope) === true
    } catch {
      return false
    }
  })

/** A JSON value computed from a record. */
export const compileValue = (
  text: string,
  options: ExpressionOptions = {}
): Result.Result<Value, ExpressionError> =>
  Result.map(compile(text, options, false), ({ direct, evaluate }) => (scope) => {
    try {
      const value = direct(scope.record)
      return jsonValue(value === unsure ? evaluate(scope) : value)
    } catch (error) {
      const missing = error instanceof EvaluationError && error.code === "no_such_key"
      throw missing ? new MissingField(reason(error)) : new Error(reason(error))
    }
  })

/** The answer of a condition that looks at nothing; `undefined` when it looks at something, or is wrong. */
export const constantCondition = (text: string): boolean | undefined => {
  const compiled = compile(text, {}, true)
  if (Result.isFailure(compiled) || compiled.success.hardened.variables.size > 0) return undefined
  return Result.getOrThrow(compileCondition(text))({
    record: null,
    metadata: {},
    key: null,
    event_time: null
  })
}

/** Does the expression look at nothing? `false` when it is wrong. */
export const isConstant = (text: string): boolean => {
  const compiled = compile(text, {}, false)
  return Result.isSuccess(compiled) && compiled.success.hardened.variables.size === 0
}

/** The top-level fields of the record that an expression names; none when it does not compile. */
export const recordFields = (text: string): ReadonlyArray<string> => {
  const compiled = compile(text, {}, false)
  return Result.isFailure(compiled) ? [] : compiled.success.hardened.fields.map(({ field }) => field)
}

const lacks = (record: unknown, fields: ReadonlySet<string>): boolean => {
  if (typeof record !== "object" || record === null) return false
  for (const field of fields) if (!Object.hasOwn(record, field)) return true
  return false
}

interface Compiled {
  readonly direct: Direct
  readonly evaluate: (scope: Scope) => unknown
  readonly hardened: Hardened
}

const compile = (
  text: string,
  options: ExpressionOptions,
  condition: boolean
): Result.Result<Compiled, ExpressionError> => {
  if (text.length > maxExpressionLength) {
    return Result.fail({ message: `An expression has at most ${maxExpressionLength} characters` })
  }
  try {
    const { parsed, hardened } = prepare(text)
    const complaint =
      hardened.complaints[0] ?? contractComplaints(text, hardened, options.fields, condition)[0]
    if (complaint !== undefined) return Result.fail(placed(text, complaint))
    const direct = compileDirect(parsed.ast) ?? always
    return Result.succeed({ direct, evaluate: evaluator(parsed, hardened.variables), hardened })
  } catch (error) {
    return Result.fail(placed(text, explain(text, error)))
  }

  function prepare(source: string): { parsed: ParseResult; hardened: Hardened } {
    let parsed = runtime.parse(source)
    let hardened = harden(parsed.ast, { looseBranches: false })
    let checked = parsed.check()
    // JSON fields may hold one type or another, so `late ? record.delay : null` is sound; CEL alone refuses it.
    if (checked.error?.code === "incompatible_ternary_branches") {
      parsed = runtime.parse(source)
      hardened = harden(parsed.ast, { looseBranches: true })
      checked = parsed.check()
    }
    if (checked.error !== undefined) throw checked.error
    if (condition && checked.type !== "bool" && checked.type !== "dyn") {
      throw new Error(`A condition is true or false; this is ${article(checked.type ?? "unknown")}`)
    }
    return { parsed, hardened }
  }
}

const always: Direct = () => unsure

const article = (type: string): string => `${/^[aeiou]/.test(type) ? "an" : "a"} ${type}`

/** Runs a checked expression. The caller's scope is the context: nothing is copied for a record. */
const evaluator = (parsed: ParseResult, names: ReadonlySet<string>): ((scope: Scope) => unknown) => {
  const context: (scope: Scope) => object = names.has("event_time")
    ? (scope) => ({
        ...scope,
        event_time: scope.event_time === null ? null : new Date(scope.event_time)
      })
    : (scope) => scope
  return (scope) => {
    try {
      return parsed(context(scope))
    } catch (error) {
      if (!isConfused(error)) throw error
      const shielded = { record: shield(scope.record), metadata: shield(scope.metadata) as Scope["metadata"] }
      if (shielded.record === scope.record && shielded.metadata === scope.metadata) throw error
      return parsed(context({ ...scope, ...shielded }))
    }
  }
}

/** Did a field named `constructor` pass for the type of its object? */
const isConfused = (error: unknown): boolean =>
  !(error instanceof EvaluationError) || error.code === "unsupported_type"

const reason = (error: unknown): string => {
  if (error instanceof EvaluationError) return explainFailure(error)
  return error instanceof Error ? error.message : String(error)
}

const placed = (
  text: string,
  complaint: { readonly message: string; readonly offset?: number; readonly suggestion?: string }
): ExpressionError => {
  if (complaint.offset === undefined) return complaint
  const before = text.slice(0, complaint.offset).split("\n")
  return { ...complaint, line: before.length, column: before.at(-1)!.length + 1 }
}
