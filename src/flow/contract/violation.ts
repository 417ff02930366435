/**
 * What is wrong with a record, as the reason of its dead letter.
 *
 * @module
 */
import type { Reason } from "../../../events/PipelineEvent.ts"
import type { CompiledContract } from "./Contract.ts"

/** A check by a contract; `undefined` for a record that fits. */
export const violation =
  ({ check }: CompiledContract) =>
  (payload: unknown): Reason | undefined => {
    const wrong = check(payload)
    if (wrong === undefined) return undefined
    const where = wrong.path === "" ? "the record" : wrong.path
    return { code: "contract_violation", message: `${where}: ${wrong.message}` }
  }
