/**
 * Everything that is wrong with a condition, held against what is known of the records it is asked of.
 *
 * @module
 */
import { type Comparison, type Condition, comparisons } from "../../../events/Definition.ts"
import { type Finding, finding } from "../../../events/Finding.ts"
import type { Field, Fields } from "../contract/Contract.ts"
import { isForbiddenKey } from "../expression/celEnvironment.ts"
import { compileCondition } from "../expression/Expression.ts"
import { pattern } from "../expression/pattern.ts"
import { expressionFindings } from "../graph/expressionFindings.ts"
import { fieldAt, pathFindings } from "../graph/pathFindings.ts"

type Path = ReadonlyArray<string | number>

/** `at` is the path of the condition; a finding points at the part of it that is meant. */
export const conditionFindings = (
  at: Path,
  condition: Condition,
  fields: Fields | undefined
): ReadonlyArray<Finding> => {
  if (condition === "always" || condition === "never") return []
  if (typeof condition === "string") return expressionFindings(at, compileCondition(condition, { fields }))
  if ("cel" in condition) {
    return expressionFindings([...at, "cel"], compileCondition(condition.cel, { fields }))
  }
  if ("not" in condition) return conditionFindings([...at, "not"], condition.not, fields)
  if ("all" in condition) return listFindings([...at, "all"], condition.all, fields)
  if ("any" in condition) return listFindings([...at, "any"], condition.any, fields)
  if ("type" in condition) return []
  if ("metadata" in condition) {
    const refused = isForbiddenKey(condition.metadata)
      ? [finding("forbidden_key", [...at, "metadata"], `${condition.metadata} is refused as a name`)]
      : []
    return [...refused, ...patternFindings(at, condition)]
  }
  return [
    // Asking whether a field exists is allowed of fields that are not promised.
    ...pathFindings([...at, "field"], condition.field, condition.exists === undefined ? fields : undefined),
    ...typeFindings(at, condition, fieldAt(condition.field, fields), condition.field),
    ...patternFindings(at, condition)
  ]
}

const listFindings = (
  at: Path,
  conditions: ReadonlyArray<Condition>,
  fields: Fields | undefined
): ReadonlyArray<Finding> =>
  conditions.flatMap((each, index) => conditionFindings([...at, index], each, fields))

const patternFindings = (at: Path, { matches }: Comparison): ReadonlyArray<Finding> => {
  if (matches === undefined) return []
  try {
    pattern(matches)
    return []
  } catch (error) {
    const reason = error instanceof Error ? error.message.replace(/^error parsing regexp: /, "") : matches
    return [
      finding(
        "bad_pattern",
        [...at, "matches"],
        `Not a pattern: ${reason}`,
        "Patterns are RE2: no look-around, no back-references"
      )
    ]
  }
}

/** A question that the contract has answered already: no value of that type ever fulfils it. */
const typeFindings = (
  at: Path,
  comparison: Comparison,
  field: Field | undefined,
  name: string
): ReadonlyArray<Finding> => {
  if (field === undefined || field.type === "any") return []
  const type = field.type === "integer" ? "number" : field.type
  return comparisons.flatMap((key) => {
    const wanted = comparison[key]
    if (wanted === undefined || wanted === null || key === "exists") return []
    const asked = key === "matches" ? "string" : Array.isArray(wanted) ? "array" : typeof wanted
    if (asked === type) return []
    const message = `${name} is of type ${field.type} here, so ${key} with ${articles[asked] ?? "this"} is never true`
    return [finding("contract_mismatch", [...at, key], message)]
  })
}

const articles: Readonly<Record<string, string>> = {
  string: "a text",
  number: "a number",
  boolean: "true or false",
  array: "a list",
  object: "an object"
}
