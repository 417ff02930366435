/**
 * One life of a run: from opening its ends to the event that says how it ended.
 *
 * @module
 */
import { Cause, Effect, Exit, Result, Scope } from "effect"
import { decodeDefinition } from "../../events/Definition.ts"
import { finding } from "../../events/Finding.ts"
import { hasUnfinishedRun, type PipelineState } from "../../projections/PipelineState.ts"
import type { Drivers } from "../drivers/Drivers.ts"
import type { Functions } from "../flow/Functions.ts"
import * as Plan from "../flow/Plan.ts"
import { type Journal, JournalError } from "../flow/run/Journal.ts"
import type { RunEnd } from "../flow/run/RunEnd.ts"
import * as RunWorker from "../flow/run/RunWorker.ts"
import type { StageError } from "../flow/StageError.ts"
import { EventLog } from "../log/EventLog.ts"
import { isCleanStop } from "../metrics/measure.ts"
import type { Command } from "./Command.ts"
import { closeScope } from "./closeScope.ts"
import { interrupted } from "./decideDeployment.ts"
import { fetchLetter } from "./letters/fetchLetter.ts"
import { annotationsOf } from "./logAnnotations.ts"
import type { PipelineActor, SendError } from "./PipelineActor.ts"

/** The functions a program has given to the pipeline of this name. */
export type FunctionsOf = (name: string) => Functions

/** Who is named in the log for what follows by itself. */
export const engine = "engine"

/** A compiled plan and the scope that holds what it has opened. */
export interface Prepared {
  readonly signature: string
  /** The sinks that take part; `null` for all. */
  readonly only: ReadonlyArray<string> | null
  readonly plan: Plan.Plan
  readonly close: Effect.Effect<void>
}

/** The sinks the next life of a run is about: a replay from one stage has its own, a new run all of them. */
export const branchesOf = (state: PipelineState): ReadonlyArray<string> | null =>
  hasUnfinishedRun(state) ? (state.run?.only?.branches ?? null) : null

/** Compiles the definition in force for the next life of a run. */
export const prepare = (
  id: string,
  state: PipelineState,
  functionsOf: FunctionsOf
): Effect.Effect<Prepared, Plan.PlanError | StageError, Drivers> =>
  prepareFor(id, state, functionsOf, branchesOf(state))

/** Compiles it for some of its sinks (`null`: all); lookups are loaded here, sources and sinks are not opened. */
export const prepareFor = Effect.fnUntraced(function* (
  id: string,
  state: PipelineState,
  functionsOf: FunctionsOf,
  only: ReadonlyArray<string> | null
): Effect.fn.Return<Prepared, Plan.PlanError | StageError, Drivers> {
  const { base, definition: wire, name, signature } = state.definition!
  const definition = decodeDefinition(wire)
  if (Result.isFailure(definition)) {
    return yield* new Plan.PlanError({
      findings: [finding("bad_definition", [], definition.failure.message)]
    })
  }
  const scope = yield* Scope.make()
  const plan = yield* Plan.compile(
    definition.success,
    { pipeline: { id, name }, base, follows: definition.success.schedule === "continuous" },
    functionsOf(name),
    only
  ).pipe(
    Scope.provide(scope),
    Effect.onError((cause) => closeScope(scope, Exit.failCause(cause)))
  )
  return { signature: signature ?? "", only, plan, close: closeScope(scope) }
})

/** Works on the run that `state` has under way; ends once its end is in the log. */
export const work = Effect.fnUntraced(function* (
  actor: PipelineActor,
  state: PipelineState,
  prepared: Effect.Effect<Prepared, Plan.PlanError | StageError, Drivers>,
  began: (worker: RunWorker.RunWorker) => Effect.Effect<unknown>
) {
  const life = state.run!.lives
  const fetch = fetchLetter(yield* EventLog, actor.id)
  const run = Effect.gen(function* () {
    const { close, plan } = yield* prepared
    yield* Effect.addFinalizer(() => close)
    const journal = journalOf(actor, life)
    const worker = yield* RunWorker.make({ plan, journal, state, epoch: actor.epoch, fetch })
    yield* actor.meter.reading(worker.progress)
    yield* began(worker)
    // The wish to stop may have come while the plan was compiled.
    if ((yield* actor.state).desired !== "Running") yield* worker.stop
    return yield* worker.run
  })
  // Closing comes after the run's end and has no part in it: a handle that stays open undoes nothing.
  const exit = yield* Effect.acquireUseRelease(
    Scope.make(),
    (scope) => Scope.provide(run, scope),
    closeScope
  ).pipe(Effect.annotateLogs(annotationsOf(actor.id, state)), Effect.exit)
  const end = verdict(exit)
  yield* tellEnd(end).pipe(Effect.annotateLogs(annotationsOf(actor.id, state)))
  yield* Effect.ignore(actor.send({ ...end, life }, engine))
})

const journalOf = (actor: PipelineActor, life: number): Journal => ({
  append: (entry) => Effect.mapError(actor.send({ _tag: "Record", entry, life }, engine), journalError)
})

const journalError = (error: SendError): JournalError =>
  new JournalError({
    code: error._tag === "Rejection" ? error.code : "log_unavailable",
    message: error.message
  })

/** Whoever asked for the run is answered; the line is for those who look after many. */
const tellEnd = (end: Verdict): Effect.Effect<void> =>
  end._tag === "CompleteRun" || isCleanStop(end.reason)
    ? Effect.void
    : Effect.logInfo(
        `The run has ${end._tag === "FailRun" ? "failed" : "crashed"}: ${end.reason.code}, ${end.reason.message}`
      )

type Verdict = Extract<Command, { readonly _tag: "CompleteRun" | "FailRun" | "CrashRun" }>

/** What the log says of how a run's work ended. What may come back is a crash, what needs a person a failure. */
const verdict = (exit: Exit.Exit<RunEnd, RunWorker.RunWorkerError | Plan.PlanError>): Verdict => {
  if (Exit.isSuccess(exit)) {
    switch (exit.value._tag) {
      case "Finished":
        return { _tag: "CompleteRun" }
      case "Stopped":
        return { _tag: "CrashRun", reason: interrupted }
      case "Tripped":
        return { _tag: "FailRun", reason: exit.value.reason }
    }
  }
  const failure = exit.cause.reasons.find(Cause.isFailReason)?.error
  if (failure === undefined) {
    return Cause.hasInterruptsOnly(exit.cause)
      ? { _tag: "CrashRun", reason: interrupted }
      : {
          _tag: "CrashRun",
          reason: { code: "defect", message: Cause.pretty(exit.cause).split("\n")[0] ?? "" }
        }
  }
  switch (failure._tag) {
    case "PlanError":
      return { _tag: "FailRun", reason: { code: "invalid_definition", message: failure.message } }
    case "StageError":
      return { _tag: failure.isFatal ? "FailRun" : "CrashRun", reason: failure.reason }
    case "JournalError":
      return { _tag: "CrashRun", reason: { code: failure.code, message: failure.message } }
  }
}
