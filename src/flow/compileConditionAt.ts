/**
 * A condition of a definition, compiled where it stands.
 *
 * @module
 */
import { Effect } from "effect"
import { finding } from "../../events/Finding.ts"
import { type Condition, compileCondition } from "./expression/Expression.ts"
import { broken, type PlanError } from "./PlanError.ts"

/** `at` is the path of the condition in the definition. */
export const compileConditionAt = (
  text: string,
  at: ReadonlyArray<string>
): Effect.Effect<Condition, PlanError> =>
  Effect.mapError(Effect.fromResult(compileCondition(text)), (error) =>
    broken(finding("bad_expression", at, error.message))
  )
