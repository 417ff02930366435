/**
 * A condition as a person reads it.
 *
 * @module
 */
import type { Comparison, Condition } from "../../../events/Definition.ts"

/** One line. CEL stands as it is; data reads like a sentence: `delay > 60 and metadata type = "flight"`. */
export const conditionText = (condition: Condition): string => {
  if (typeof condition === "string") return condition
  if ("cel" in condition) return condition.cel
  if ("not" in condition) return `not ${bracketed(condition.not)}`
  if ("all" in condition) return joined(condition.all, " and ", "always")
  if ("any" in condition) return joined(condition.any, " or ", "never")
  if ("type" in condition) return `the record is ${articles[condition.type]}`
  return "metadata" in condition
    ? asked(`metadata ${condition.metadata}`, condition)
    : asked(condition.field, condition)
}

const articles = {
  object: "an object",
  array: "an array",
  string: "a text",
  number: "a number",
  boolean: "true or false",
  null: "null"
} as const

const joined = (conditions: ReadonlyArray<Condition>, word: string, none: string): string => {
  const [only] = conditions
  if (only === undefined) return none
  return conditions.length === 1 ? conditionText(only) : conditions.map(bracketed).join(word)
}

/** In brackets where it would otherwise not be clear what belongs together. */
const bracketed = (condition: Condition): string => {
  const text = conditionText(condition)
  return isSimple(condition) ? text : `(${text})`
}

const isSimple = (condition: Condition): boolean => {
  if (typeof condition === "string") return /^[\w.]+$/u.test(condition)
  if ("cel" in condition) return isSimple(condition.cel)
  if ("all" in condition) return condition.all.length === 0
  if ("any" in condition) return condition.any.length === 0
  return "not" in condition || "type" in condition || wordsOf("", condition).length === 1
}

const asked = (what: string, comparison: Comparison): string => wordsOf(what, comparison).join(" and ")

const wordsOf = (
  what: string,
  { equals, exists, gt, gte, lt, lte, matches }: Comparison
): ReadonlyArray<string> => [
  ...(exists === undefined ? [] : [`${what} ${exists ? "exists" : "is absent"}`]),
  ...(equals === undefined ? [] : [`${what} = ${JSON.stringify(equals)}`]),
  ...(matches === undefined ? [] : [`${what} matches ${JSON.stringify(matches)}`]),
  ...(gt === undefined ? [] : [`${what} > ${JSON.stringify(gt)}`]),
  ...(gte === undefined ? [] : [`${what} ≥ ${JSON.stringify(gte)}`]),
  ...(lt === undefined ? [] : [`${what} < ${JSON.stringify(lt)}`]),
  ...(lte === undefined ? [] : [`${what} ≤ ${JSON.stringify(lte)}`])
]
