/**
 * One session on the redrives of a pipeline that has no run at work: from compiling what is needed to the events
 * that say what came of it.
 *
 * @module
 */
import { Cause, Effect, Exit } from "effect"
import type { EventOf, Reason } from "../../../events/PipelineEvent.ts"
import { isSealed, owedBranches } from "../../../projections/OpenRedrive.ts"
import type { PipelineState } from "../../../projections/PipelineState.ts"
import type { Drivers } from "../../drivers/Drivers.ts"
import { nacked, sealedBranch } from "../../flow/Outcome.ts"
import type { PlanError } from "../../flow/Plan.ts"
import { makeSession } from "../../flow/redrive/RedriveSession.ts"
import { type Journal, JournalError } from "../../flow/run/Journal.ts"
import type { RunWorker, RunWorkerError } from "../../flow/run/RunWorker.ts"
import { EventLog } from "../../log/EventLog.ts"
import { annotationsOf } from "../logAnnotations.ts"
import type { PipelineActor } from "../PipelineActor.ts"
import { engine, type FunctionsOf, prepareFor } from "../work.ts"
import { sinksOfBench } from "./benchWork.ts"
import { fetchLetter } from "./fetchLetter.ts"

/** Why a session has not done what was to be done. */
export interface Trouble {
  readonly stage: string
  readonly reason: Reason
  /** It waits for a person; else the same may succeed later. */
  readonly isFatal: boolean
}

/** Works until nothing can be done any more; answers with what is in the way, if there is something. */
export const workOff = Effect.fnUntraced(function* (
  actor: PipelineActor,
  state: PipelineState,
  functionsOf: FunctionsOf,
  began: (worker: RunWorker) => Effect.Effect<unknown>
): Effect.fn.Return<Trouble | undefined, never, Drivers | EventLog> {
  const fetch = fetchLetter(yield* EventLog, actor.id)
  const journal = journalOf(actor)
  const exit = yield* Effect.gen(function* () {
    const { close, plan } = yield* prepareFor(actor.id, state, functionsOf, sinksOfBench(state))
    yield* Effect.addFinalizer(() => close)
    const session = yield* makeSession({ plan, journal, state, epoch: actor.epoch, fetch })
    yield* began(session)
    yield* session.run
  }).pipe(Effect.scoped, Effect.annotateLogs(annotationsOf(actor.id, state)), Effect.exit)
  if (Exit.isSuccess(exit) || Cause.hasInterruptsOnly(exit.cause)) return undefined
  const trouble = troubleOf(exit.cause)
  return trouble.isFatal ? yield* nackUnsealed(actor, journal, trouble) : trouble
})

const journalOf = (actor: PipelineActor): Journal => ({
  append: (entry) =>
    Effect.mapError(
      actor.send({ _tag: "RecordRedrives", entry }, engine),
      (error) =>
        new JournalError({
          code: error._tag === "Rejection" ? error.code : "log_unavailable",
          message: error.message
        })
    )
})

const troubleOf = (cause: Cause.Cause<RunWorkerError | PlanError>): Trouble => {
  const failure = cause.reasons.find(Cause.isFailReason)?.error
  switch (failure?._tag) {
    case "StageError":
      return { stage: failure.stage, reason: failure.reason, isFatal: failure.isFatal }
    case "PlanError": {
      const suggestion = "correct the definition, then redrive the letters again"
      return {
        stage: "",
        reason: { code: "invalid_definition", message: failure.message, suggestion },
        isFatal: true
      }
    }
    case "JournalError":
      return { stage: "", reason: { code: failure.code, message: failure.message }, isFatal: false }
    default: {
      const message = Cause.pretty(cause).split("\n")[0] ?? ""
      return { stage: "", reason: { code: "defect", message }, isFatal: false }
    }
  }
}

/**
 * What has not begun can be said to have failed, with the reason: nothing of it is anywhere. What has begun is
 * known to its sink alone, and stays open.
 */
const nackUnsealed = Effect.fnUntraced(function* (
  actor: PipelineActor,
  journal: Journal,
  trouble: Trouble
): Effect.fn.Return<Trouble | undefined> {
  const { bench } = yield* actor.state
  const { reason, stage } = trouble
  const affected = (bench?.open ?? []).filter(
    (redrive) => !isSealed(redrive) && (stage === "" || owedBranches(redrive).includes(stage))
  )
  const seals = affected.map((redrive): Omit<EventOf<"RedriveSealed">, "_tag"> => {
    const branches = owedBranches(redrive)
    const outcome = nacked(stage, branches, reason)
    return {
      letter: redrive.letter,
      n: redrive.n,
      attempt: 1,
      branches: Object.fromEntries(branches.map((branch) => [branch, sealedBranch(outcome, branch)])),
      failure: { stage: stage === "" ? (branches[0] ?? "") : stage, branches, reason }
    }
  })
  for (let at = 0; at < seals.length; at += sealsAtOnce) {
    yield* Effect.ignore(journal.append({ redriveSeals: seals.slice(at, at + sealsAtOnce) }))
  }
  // Where others could be worked on without this stage, they are.
  return affected.length > 0 ? undefined : trouble
})

const sealsAtOnce = 500
