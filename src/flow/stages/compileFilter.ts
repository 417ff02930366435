/**
 * A stage that keeps the records for which a condition holds.
 *
 * @module
 */
import { Effect } from "effect"
import type { Stage } from "../../../events/Definition.ts"
import { compileConditionAt } from "../compileConditionAt.ts"
import type { PlanError } from "../PlanError.ts"
import { dropped } from "../route/Route.ts"
import type { StageWork } from "./compileWork.ts"

export const compileFilter = (
  name: string,
  filter: NonNullable<Stage["filter"]>
): Effect.Effect<StageWork, PlanError> =>
  Effect.map(compileConditionAt(filter, ["stages", name, "filter"]), (holds) => ({
    step: (payload, scope) => {
      scope.record = payload
      return holds(scope) ? payload : dropped
    }
  }))
