/**
 * The answer of a condition that is the same for every record.
 *
 * @module
 */
import type { Comparison, Condition } from "../../../events/Definition.ts"
import { constantCondition } from "../expression/Expression.ts"

/** `undefined` when it depends on the record, as far as can be seen without one. */
export const constantAnswer = (condition: Condition): boolean | undefined => {
  if (condition === "always" || condition === "never") return condition === "always"
  if (typeof condition === "string") return constantCondition(condition)
  if ("cel" in condition) return constantCondition(condition.cel)
  if ("not" in condition) {
    const inner = constantAnswer(condition.not)
    return inner === undefined ? undefined : !inner
  }
  if ("all" in condition) return decided(condition.all, false)
  if ("any" in condition) return decided(condition.any, true)
  return "type" in condition || !contradicts(condition) ? undefined : false
}

/** One answer of that kind decides; else all have to be known. */
const decided = (conditions: ReadonlyArray<Condition>, decides: boolean): boolean | undefined => {
  const answers = conditions.map(constantAnswer)
  if (answers.includes(decides)) return decides
  return answers.includes(undefined) ? undefined : !decides
}

/** Does no value at all fulfil everything that is asked of it? */
const contradicts = ({ equals, exists, gt, gte, lt, lte, matches }: Comparison): boolean => {
  const bounds = [gt, gte, lt, lte].filter((bound) => bound !== undefined)
  const types = new Set([
    ...bounds.map((bound) => typeof bound),
    ...(matches === undefined ? [] : ["string"]),
    ...(equals === undefined ? [] : [typeof equals])
  ])
  if (types.size > 1 || (exists === false && types.size > 0)) return true
  const low = [gt, gte].filter((bound) => bound !== undefined)
  const high = [lt, lte].filter((bound) => bound !== undefined)
  return low.some((from) => high.some((to) => from > to || (from === to && (from === gt || to === lt))))
}
