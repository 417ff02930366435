/**
 * The fields a condition asks about.
 *
 * @module
 */
import type { Condition } from "../../../events/Definition.ts"
import { recordFields } from "../expression/Expression.ts"

/** The top-level fields of the record that a condition names, in CEL or as data. */
export const conditionFields = (condition: Condition): ReadonlyArray<string> => {
  if (condition === "always" || condition === "never") return []
  if (typeof condition === "string") return recordFields(condition)
  if ("cel" in condition) return recordFields(condition.cel)
  if ("not" in condition) return conditionFields(condition.not)
  if ("all" in condition) return condition.all.flatMap(conditionFields)
  if ("any" in condition) return condition.any.flatMap(conditionFields)
  return "field" in condition ? [condition.field.split(".")[0]!] : []
}
