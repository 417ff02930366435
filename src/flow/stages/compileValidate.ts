/**
 * A stage that lets only records through that fit a contract.
 *
 * @module
 */
import { Effect, Result } from "effect"
import type { Validate } from "../../../events/Definition.ts"
import { finding } from "../../../events/Finding.ts"
import { compileContract } from "../contract/Contract.ts"
import { violation } from "../contract/violation.ts"
import type { StageFunction } from "../Functions.ts"
import { broken, type PlanError } from "../PlanError.ts"
import { dropped, RecordFailure } from "../route/Route.ts"
import type { StageWork } from "./compileWork.ts"

/** A program checks by its own schema, of which the contract is what can be told as data. */
export const compileValidate = (
  name: string,
  { contract, onInvalid }: Validate,
  fits: StageFunction["fits"]
): Effect.Effect<StageWork, PlanError> => {
  const compiled = compileContract(contract)
  if (Result.isFailure(compiled)) {
    const at = ["stages", name, "validate", "contract"]
    return Effect.fail(broken(finding("bad_contract", at, compiled.failure.message)))
  }
  const wrongWith = fits ?? violation(compiled.success)
  return Effect.succeed({
    step: (payload) => {
      const wrong = wrongWith(payload)
      if (wrong === undefined) return payload
      if (onInvalid === "drop") return dropped
      throw new RecordFailure(wrong.code, wrong.message)
    }
  })
}
