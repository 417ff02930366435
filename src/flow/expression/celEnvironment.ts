/**
 * The CEL dialect of pipelines: which variables there are, how numbers mix, and which functions are
 * made safe against hostile data.
 *
 * JSON has one kind of number, CEL has three. Numbers of a record arrive as doubles while literals like
 * `60` are ints, so the mixed operators are registered; int with int stays CEL's (`7 / 2` is 3).
 *
 * @module
 */
import { Environment, EvaluationError } from "@marcbachmann/cel-js"
import type { Field } from "../contract/Contract.ts"
import { matches } from "./pattern.ts"

/** What an expression may name. */
export const variables = ["record", "metadata", "key", "event_time"] as const

/** Appended to a forbidden key, which no record holds under that name: the key is then missing. */
const nowhere = "\u0000"

/** Keys that lead to a prototype; expressions never reach them. */
export const isForbiddenKey = (key: unknown): boolean =>
  key === "__proto__" || key === "constructor" || key === "prototype"

/** The name under which a key is looked up: itself, or a name that does not exist. */
export const safeKey = <K>(key: K): K | string => (isForbiddenKey(key) ? `${String(key)}${nowhere}` : key)

/** A message as a person reads it, with the engine's inner names taken out again. */
export const plainMessage = (message: string): string =>
  message
    .replaceAll(nowhere, "")
    .replaceAll(/dyn<([^<>]+)>/g, "$1")
    .replaceAll("linear_matches", "matches")
    .replaceAll("$record", "record")

/** Functions that `harden` puts in place of, or around, the library's own. */
export const inner = { matches: "linear_matches", key: "safe_key", short: "short_text" } as const

// `duration` of the library looks for its units with a pattern that is cubic in a long run of digits.
const shortText = (text: unknown): unknown => {
  if (typeof text === "string" && text.length > 64) throw new Error("a text of more than 64 characters")
  return text
}

const arithmetic: Record<string, (left: number, right: number) => number> = {
  "+": (left, right) => left + right,
  "-": (left, right) => left - right,
  "*": (left, right) => left * right,
  "/": (left, right) => left / right,
  "%": (left, right) => left % right
}

const base = (): Environment => {
  const environment = new Environment({
    homogeneousAggregateLiterals: false,
    // Bounds on what one expression may hold; a longer one is a finding, not a slow pipeline.
    limits: { maxAstNodes: 1000, maxDepth: 48, maxListElements: 500, maxMapEntries: 200 }
  })
  for (const [operator, compute] of Object.entries(arithmetic)) {
    const mixed = (left: unknown, right: unknown) => compute(Number(left), Number(right))
    environment.registerOperator(`int ${operator} double: double`, mixed)
    environment.registerOperator(`double ${operator} int: double`, mixed)
  }
  environment.registerOperator("double % double: double", arithmetic["%"]!)
  // biome-ignore lint/suspicious/noDoubleEquals: a bigint and a number of the same value are equal only loosely
  environment.registerOperator("int == double: bool", (left, right) => left == right)
  const sync = { async: false }
  environment.registerFunction(`string.${inner.matches}(string): bool`, matches, sync)
  environment.registerFunction(`${inner.key}(dyn): dyn`, safeKey, sync)
  environment.registerFunction(`${inner.short}(dyn): dyn`, shortText, sync)
  return environment
}

/**
 * Nulls are common in data, and an error with a stack costs a hundred times an evaluation: computing with
 * null throws one that was made beforehand.
 */
const refuseNull = (environment: Environment): Environment => {
  for (const operator of [...Object.keys(arithmetic), "<", "<=", ">", ">="]) {
    const result = operator in arithmetic ? "double" : "bool"
    for (const type of ["int", "double", "string", "null"]) {
      const pairs =
        type === "null"
          ? [[type, "null"]]
          : [
              [type, "null"],
              ["null", type]
            ]
      for (const [left, right] of pairs) {
        const error = new EvaluationError({
          code: "no_such_overload",
          message: `no such overload: ${left} ${operator} ${right}`
        })
        environment.registerOperator(`${left} ${operator} ${right}: ${result}`, () => {
          throw error
        })
      }
    }
  }
  return environment
}

/** The environment expressions run in: every variable is dynamic, nothing is converted on the way. */
export const runtime: Environment = refuseNull(
  variables.reduce((environment, name) => environment.registerVariable(name, "dyn"), base())
)

const celTypes: Record<Field["type"], string> = {
  string: "string",
  number: "double",
  integer: "double",
  boolean: "bool",
  object: "map<string, dyn>",
  array: "list<dyn>",
  any: "dyn"
}

/** An environment that knows the record's fields. Only for checking: it is slower to run in. */
export const typed = (fields: ReadonlyMap<string, Field>): Environment => {
  const schema: Record<string, string> = Object.create(null)
  for (const [name, field] of fields) schema[name] = celTypes[field.type]
  const environment = base()
  environment.registerVariable({ name: "record", schema })
  for (const name of variables) if (name !== "record") environment.registerVariable(name, "dyn")
  // Comparing with null and looking a number up in a list of literals are sound at run time.
  for (const type of ["string", "double", "bool", "int"]) {
    environment.registerOperator(`${type} == null: bool`, () => false)
  }
  environment.registerOperator("double in list<int>: bool", () => false)
  environment.registerOperator("int in list<double>: bool", () => false)
  return environment
}
