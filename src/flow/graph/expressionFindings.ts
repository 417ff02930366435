/**
 * What is wrong with an expression, as a finding.
 *
 * @module
 */
import { Result } from "effect"
import { type Finding, finding } from "../../../events/Finding.ts"
import type { ExpressionError } from "../expression/Expression.ts"

/** None when it compiled. `at` is where the expression stands in the definition. */
export const expressionFindings = (
  at: ReadonlyArray<string | number>,
  compiled: Result.Result<unknown, ExpressionError>
): ReadonlyArray<Finding> => {
  if (Result.isSuccess(compiled)) return []
  const { message, offset, suggestion } = compiled.failure
  const place = offset === undefined || offset === 0 ? "" : ` (at character ${offset + 1})`
  return [finding("bad_expression", at, `${message}${place}`, suggestion)]
}
