/**
 * What follows from a state: the only place where a pipeline's log makes something happen.
 *
 * It looks at states, not at commands, so it does not matter who brought a state about; and it acts
 * through commands again, so that everything it does is in the log.
 *
 * @module
 */
import { Cause, Deferred, Effect, Exit, MutableRef, Result, type Scope, Stream } from "effect"
import { decodeDefinition } from "../../events/Definition.ts"
import { finding } from "../../events/Finding.ts"
import type { Reason } from "../../events/PipelineEvent.ts"
import type { PipelineState } from "../../projections/PipelineState.ts"
import { isActive } from "../../projections/transitions.ts"
import type { Drivers } from "../drivers/Drivers.ts"
import type { Functions } from "../flow/Functions.ts"
import { type Journal, JournalError } from "../flow/Journal.ts"
import * as Plan from "../flow/Plan.ts"
import type { RunEnd } from "../flow/RunEnd.ts"
import * as Worker from "../flow/Worker.ts"
import type { Command } from "./Command.ts"
import { nextId } from "./Identity.ts"
import type { PipelineActor, SendError } from "./PipelineActor.ts"

export interface Reaction {
  /** How far the sources of the run at work are; empty while nothing is read. */
  readonly progress: () => ReturnType<Worker.Worker["progress"]>
}

/** The functions a program has given to the pipeline of this name. */
export type FunctionsOf = (name: string) => Functions

/** Who is named in the log for what follows by itself. */
const engine = "engine"

/** A run is worked on once per life: a life this process did not begin is nobody's until it is resumed. */
const lifeOf = (state: PipelineState): string | undefined =>
  state.run !== null && isActive(state.lifecycle) ? `${state.run.id}/${state.run.lives}` : undefined

/** Follows an actor until the scope closes; a run at work is interrupted with it. */
export const react = Effect.fnUntraced(function* (
  actor: PipelineActor,
  functionsOf: FunctionsOf
): Effect.fn.Return<Reaction, never, Drivers | Scope.Scope> {
  const worker = MutableRef.make<Worker.Worker | undefined>(undefined)
  const lost = lifeOf(yield* actor.state)
  let begun: string | undefined

  const step = Effect.fnUntraced(function* (state: PipelineState) {
    const life = lifeOf(state)
    if (life !== undefined && life !== lost && life !== begun) {
      begun = life
      yield* Effect.forkScoped(work(actor, state, worker, functionsOf))
    }
    const next = nextCommand(state, life !== undefined && life === begun)
    if (next !== undefined) yield* tellActor(actor, next === "start" ? yield* startRun : next)
    // Desired first: a pipeline that is to stop is drained, and its run keeps its place.
    if (state.desired !== "Running") yield* worker.current?.stop ?? Effect.void
  })

  yield* Stream.runForEach(actor.changes, step).pipe(Effect.forkScoped)
  return { progress: () => worker.current?.progress() ?? [] }
})

const startRun = Effect.map(nextId, (run): Command => ({ _tag: "StartRun", run }))

/** The next step towards what is wanted, or nothing. A shutdown waits until the run has been drained. */
const nextCommand = (state: PipelineState, working: boolean): Command | "start" | undefined => {
  if (state.desired === "Running" && state.deployment !== "Running") return { _tag: "AdvanceDeployment" }
  if (state.desired === "Shutdown" && state.deployment !== "Shutdown" && !working)
    return { _tag: "AdvanceDeployment" }
  return state.deployment === "Running" && state.lifecycle === "Triggered" ? "start" : undefined
}

const tellActor = (actor: PipelineActor, command: Command): Effect.Effect<void> =>
  Effect.ignore(actor.send(command, engine))

/** One life of a run, from opening its ends to the event that says how it ended. */
const work = Effect.fnUntraced(function* (
  actor: PipelineActor,
  state: PipelineState,
  current: MutableRef.MutableRef<Worker.Worker | undefined>,
  functionsOf: FunctionsOf
) {
  const exit = yield* Effect.scoped(workUnder(actor, state, current, functionsOf)).pipe(Effect.exit)
  current.current = undefined
  yield* tellActor(actor, verdict(exit))
})

const workUnder = Effect.fnUntraced(function* (
  actor: PipelineActor,
  state: PipelineState,
  current: MutableRef.MutableRef<Worker.Worker | undefined>,
  functionsOf: FunctionsOf
) {
  const { definition: wire, name, base } = state.definition!
  const definition = decodeDefinition(wire)
  if (Result.isFailure(definition)) {
    return yield* new Plan.PlanError({
      findings: [finding("bad_definition", [], definition.failure.message)]
    })
  }
  const plan = yield* Plan.compile(
    definition.success,
    { pipeline: { id: actor.id, name }, base },
    functionsOf(name)
  )
  const worker = yield* Worker.make({ plan, journal: journalOf(actor), state, epoch: actor.epoch })
  current.current = worker
  // The wish to stop may have come while the plan was compiled.
  if ((yield* actor.state).desired !== "Running") yield* worker.stop
  return yield* worker.run
})

const journalOf = (actor: PipelineActor): Journal => ({
  append: (entry) => Effect.mapError(actor.send({ _tag: "Record", entry }, engine), journalError)
})

const journalError = (error: SendError): JournalError =>
  new JournalError({
    code: error._tag === "Rejection" ? error.code : "log_unavailable",
    message: error.message
  })

/** What the log says of how a run's work ended. What may come back is a crash, what needs a person a failure. */
const verdict = (exit: Exit.Exit<RunEnd, Worker.WorkerError | Plan.PlanError>): Command => {
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

/** The run was asked to stop before its end; it is drained, keeps its place, and can be resumed. */
const interrupted: Reason = { code: "interrupted", message: "the run was stopped before its end" }

/** Waits until the pipeline is in a state that satisfies the predicate, or its actor is gone. */
export const awaitState = Effect.fnUntraced(function* (
  actor: PipelineActor,
  satisfies: (state: PipelineState) => boolean
) {
  const found = yield* Deferred.make<PipelineState>()
  const watch = Stream.runForEachWhile(actor.changes, (state) =>
    satisfies(state) ? Effect.as(Deferred.succeed(found, state), false) : Effect.succeed(true)
  )
  yield* Effect.raceFirst(watch, actor.gone)
  return yield* Deferred.await(found)
})
