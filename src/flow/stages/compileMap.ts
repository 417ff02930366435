/**
 * A stage that makes one record of each by expressions.
 *
 * @module
 */
import { Effect, Result } from "effect"
import { isMapEdit, type MapStage } from "../../../events/Definition.ts"
import { finding } from "../../../events/Finding.ts"
import { compileValue } from "../expression/Expression.ts"
import { broken, type PlanError } from "../PlanError.ts"
import { RecordFailure, type Step } from "../route/Route.ts"
import { asObject } from "./asObject.ts"
import type { StageWork } from "./compileWork.ts"

export const compileMap = Effect.fnUntraced(function* (
  name: string,
  map: MapStage
): Effect.fn.Return<StageWork, PlanError> {
  const edit = isMapEdit(map) ? map : undefined
  const at = ["stages", name, "map", ...(edit === undefined ? [] : ["set"])]
  const fields = Object.entries(edit === undefined ? (map as Record<string, string>) : (edit.set ?? {}))
  const values: Array<readonly [string, (scope: Parameters<Step>[1]) => unknown]> = []
  for (const [field, text] of fields) {
    const value = compileValue(text)
    if (Result.isFailure(value)) {
      return yield* broken(finding("bad_expression", [...at, field], value.failure.message))
    }
    values.push([field, value.success])
  }
  const drop = edit?.drop ?? []
  const step: Step = (payload, scope) => {
    scope.record = payload
    const mapped: Record<string, unknown> = edit === undefined ? {} : { ...asObject(payload, name) }
    for (const field of drop) delete mapped[field]
    for (const [field, value] of values) {
      try {
        mapped[field] = value(scope)
      } catch (error) {
        throw new RecordFailure(
          "expression_failed",
          `${field}: ${error instanceof Error ? error.message : error}`
        )
      }
    }
    return mapped
  }
  return { step }
})
