/**
 * What is asked of one value, as plain functions.
 *
 * @module
 */
import type { Comparison } from "../../../events/Definition.ts"
import { pattern } from "../expression/pattern.ts"
import { equalTo } from "./equalTo.ts"

/** `undefined` is a value that is not there. */
export type Test = (value: unknown) => boolean

/** All that is asked has to hold. Throws when `matches` is no RE2 pattern. */
export const compileComparison = (comparison: Comparison): Test => {
  const tests = testsOf(comparison)
  const [first, second] = tests
  if (first === undefined) return () => false
  if (second === undefined) return first
  return (value) => {
    for (let at = 0; at < tests.length; at++) if (!tests[at]!(value)) return false
    return true
  }
}

const testsOf = ({ equals, exists, gt, gte, lt, lte, matches }: Comparison): ReadonlyArray<Test> => {
  const tests: Array<Test> = []
  if (exists !== undefined) tests.push((value) => (value !== undefined) === exists)
  if (equals !== undefined) tests.push(equalTo(equals))
  if (gt !== undefined) tests.push((value) => typeof value === typeof gt && (value as typeof gt) > gt)
  if (gte !== undefined) tests.push((value) => typeof value === typeof gte && (value as typeof gte) >= gte)
  if (lt !== undefined) tests.push((value) => typeof value === typeof lt && (value as typeof lt) < lt)
  if (lte !== undefined) tests.push((value) => typeof value === typeof lte && (value as typeof lte) <= lte)
  if (matches !== undefined) {
    // RE2: linear in the text whatever the pattern, so that no record can hold up the others.
    const compiled = pattern(matches)
    tests.push((value) => typeof value === "string" && compiled.matcher(value).find())
  }
  return tests
}
