/**
 * What redrives and discards are refused with, in the words of the contract, with the place in what was sent.
 *
 * @module
 */
import { Effect } from "effect"
import { type Failure, failed } from "../api/failures.ts"
import type { PlanError } from "../flow/PlanError.ts"
import type { StageError } from "../flow/StageError.ts"
import type { Rejection, RejectionCode } from "../pipeline/Command.ts"
import { refusalOf } from "./refusalOf.ts"

/** The rest is left as it is. */
export const refusingRedrive = <A, E extends object, R>(
  use: Effect.Effect<A, E, R>
): Effect.Effect<A, Exclude<E, Rejection | PlanError | StageError> | Told<E>, R> =>
  Effect.catch(use, (error): Effect.Effect<never, never> => {
    switch ("_tag" in error ? error._tag : undefined) {
      case "Rejection":
        return Effect.fail(refusalAt(error as unknown as Rejection)) as never
      case "PlanError":
        return Effect.fail(brokenPlan(error as unknown as PlanError)) as never
      case "StageError":
        return Effect.fail(lostStage(error as unknown as StageError)) as never
      default:
        return Effect.fail(error) as never
    }
  }) as never

type Told<E> =
  | (Extract<E, Rejection> extends never ? never : ReturnType<typeof refusalOf>)
  | (Extract<E, PlanError> extends never ? never : Failure<"StartFailedDueToFailedCompilation">)
  | (Extract<E, StageError> extends never ? never : Failure<"PipelineInteractionUnreachable">)

const refusalAt = (rejection: Rejection) => {
  const refusal = refusalOf(rejection)
  const path = placeOf[rejection.code]
  return path === undefined ? refusal : { ...refusal, details: { path, ...refusal.details } }
}

/** The part of the body that a refusal is about. */
const placeOf: Partial<Record<RejectionCode, string>> = {
  unknown_letter: "/letters",
  letter_unsettled: "/letters",
  redrive_open: "/letters",
  redrive_sealed: "/letters",
  nothing_to_withdraw: "/letters",
  stage_gone: "/letters",
  too_many_redrives: "/letters",
  edit_too_large: "/edits"
}

const brokenPlan = ({ findings, message }: PlanError) =>
  failed("StartFailedDueToFailedCompilation", message, {
    reason: "invalid_definition",
    suggestion: findings[0]?.suggestion ?? "correct the definition, then try the letters again"
  })

const lostStage = ({ reason: { code, message, suggestion }, stage }: StageError) =>
  failed("PipelineInteractionUnreachable", message, {
    reason: code,
    stage,
    suggestion: suggestion ?? "try again when it answers"
  })
