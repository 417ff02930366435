/**
 * What is wrong with an expression, in words for the person who wrote it.
 *
 * @module
 */
import { type EvaluationError, ParseError, TypeError as TypeCheckError } from "@marcbachmann/cel-js"
import { nearest } from "../../../events/nearest.ts"
import { own } from "../../../projections/own.ts"
import type { Field } from "../contract/Contract.ts"
import { plainMessage, runtime, typed, variables } from "./celEnvironment.ts"
import { type Complaint, type Hardened, harden } from "./harden.ts"
import { slipOfName, slipOfSyntax } from "./slips.ts"

interface Explained {
  readonly message: string
  readonly offset?: number
  readonly suggestion?: string
}

/** An error of the parser or the type checker. */
export const explain = (text: string, error: unknown): Explained => {
  if (error instanceof RangeError) return { message: "The expression is nested too deeply" }
  if (!(error instanceof ParseError || error instanceof TypeCheckError)) {
    return { message: error instanceof Error ? plainMessage(error.message) : String(error) }
  }
  const offset = error.range?.start
  const at = offset === undefined ? {} : { offset }
  const range = error.range
  switch (error.code) {
    case "unknown_variable":
      return { ...at, ...unknownVariable(text, range?.start ?? 0, range?.end ?? 0) }
    case "no_matching_overload":
      return { ...at, ...noOverload(plainMessage(error.summary)) }
    case "limit_exceeded":
      return { ...at, message: "The expression is too large", suggestion: "Split it over several stages" }
    case "no_such_overload":
      return { ...at, message: operands(plainMessage(error.summary)) }
    default:
      return error instanceof ParseError && offset !== undefined
        ? { ...at, ...slipOfSyntax(text, offset, plainMessage(error.summary)) }
        : { ...at, message: plainMessage(error.summary) }
  }
}

/** Why an expression has no value for some record. */
export const explainFailure = (error: EvaluationError): string => {
  const summary = plainMessage(error.summary)
  switch (error.code) {
    case "no_such_key":
      return summary.replace(/^No such key: /, "missing: ")
    case "no_such_overload":
      return operands(summary)
    case "no_matching_overload":
      return noOverload(summary).message
    default:
      return summary
  }
}

/** Errors that the runtime check cannot make out and the contract of the record can. */
const telling = new Set([
  "no_such_overload",
  "no_matching_overload",
  "invalid_logical_operand",
  "invalid_condition_type",
  "cannot_index_type"
])

/** Fields that the contract does not have, and types that do not go together, as far as it knows them. */
export const contractComplaints = (
  text: string,
  hardened: Hardened,
  fields: ReadonlyMap<string, Field> | undefined,
  condition: boolean
): ReadonlyArray<Complaint> => {
  if (fields === undefined) return []
  const unknown = hardened.fields.filter(({ field, asked }) => !asked && !fields.has(field))
  if (unknown.length > 0) {
    return unknown.map(({ field, offset }) => {
      const near = nearest(field, fields.keys())
      return {
        message: `The record has no field ${field} here`,
        offset,
        suggestion: near === undefined ? `Its fields are ${[...fields.keys()].join(", ")}` : `record.${near}`
      }
    })
  }
  const parsed = typed(fields).parse(text)
  harden(parsed.ast, { looseBranches: true })
  const checked = parsed.check()
  if (checked.error !== undefined) {
    if (!telling.has(checked.error.code)) return []
    const { message, offset = 0, suggestion } = explain(text, checked.error)
    return [{ message, offset, ...(suggestion === undefined ? {} : { suggestion }) }]
  }
  const answers = ["bool", "dyn"].includes(checked.type ?? "dyn")
  return condition && !answers
    ? [{ message: `A condition is true or false; this is of type ${human(checked.type!)}`, offset: 0 }]
    : []
}

const unknownVariable = (text: string, start: number, end: number): Explained => {
  const name = text.slice(start, end)
  const near = nearest(name, variables)
  const slip = near === undefined ? slipOfName(text, start, end) : undefined
  if (slip !== undefined) return slip
  return {
    message: `${name} is not known here; an expression sees record, metadata, key and event_time`,
    suggestion: near ?? `record.${name}`
  }
}

const macros = ["has", "all", "exists", "exists_one", "map", "filter"]
/** What functions of CEL are called in other languages. */
const elsewhere: Readonly<Record<string, string>> = {
  len: "size",
  length: "size",
  lower: "lowerAscii",
  toLowerCase: "lowerAscii",
  upper: "upperAscii",
  toUpperCase: "upperAscii",
  includes: "contains",
  str: "string",
  float: "double",
  strip: "trim"
}
let functionNames: ReadonlySet<string> | undefined

const noOverload = (summary: string): Explained => {
  const [, receiver, name = "", types = ""] = /'(?:(.+)\.)?(\w+)\((.*)\)'$/.exec(summary) ?? []
  functionNames ??= new Set([...macros, ...runtime.getDefinitions().functions.map((each) => each.name)])
  if (!functionNames.has(name) && name !== "matches") {
    const near = own(elsewhere, name) ?? nearest(name, functionNames)
    return { message: `There is no function ${name}`, ...(near === undefined ? {} : { suggestion: near }) }
  }
  const on = receiver === undefined ? "" : ` of ${human(receiver)}`
  return { message: `${name}(${types.split(", ").map(human).join(", ")})${on} does not exist` }
}

const operands = (summary: string): string => {
  const [, left, operator, right] = /^no such overload: (.+) (\S+) (\S+)$/.exec(summary) ?? []
  if (left === undefined) return summary.replace("no such overload", "this cannot be computed")
  return `${human(left)} ${operator} ${human(right!)} cannot be computed`
}

const human = (type: string): string =>
  type
    .replace(/^(double|int|uint)$/, "number")
    .replace(/^bool$/, "boolean")
    .replace(/^list<.*>$/, "array")
    .replace(/^map<.*>$/, "object")
