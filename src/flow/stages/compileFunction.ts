/**
 * A stage whose work is a function of the program.
 *
 * @module
 */
import { Effect, type Scope as EffectScope } from "effect"
import { finding } from "../../../events/Finding.ts"
import type { Functions } from "../Functions.ts"
import { broken, type PlanError } from "../PlanError.ts"
import type { StageError } from "../StageError.ts"
import type { StageWork } from "./compileWork.ts"
import { compileWorker } from "./compileWorker.ts"

/** A function is not in the log: whoever runs the definition must provide it. */
export const compileFunction = (
  name: string,
  functions: Functions
): Effect.Effect<StageWork, PlanError | StageError, EffectScope.Scope> => {
  const provided = functions.get(name)
  if (provided?.step !== undefined) return Effect.succeed({ step: provided.step })
  if (provided?.split !== undefined)
    return Effect.succeed({ split: provided.split, splitsInto: provided.splitsInto })
  if (provided?.waiting !== undefined) return Effect.succeed({ waiting: provided.waiting })
  if (provided?.worker !== undefined) return compileWorker(name, provided.worker)
  const message = `the program does not provide the function of ${name}`
  const suggestion = "run it with the program that defines it: a function is not in the log"
  return Effect.fail(broken(finding("missing_function", ["stages", name, "function"], message, suggestion)))
}
