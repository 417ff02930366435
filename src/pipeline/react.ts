/**
 * What follows from a state: the only place where a pipeline's log makes something happen.
 *
 * It looks at states, not at commands, so it does not matter who brought a state about; and it acts
 * through commands again, so that everything it does is in the log. What it does by itself stands in
 * `steer.ts`; here is how.
 *
 * @module
 */
import { Clock, Deferred, Duration, Effect, Fiber, Result, type Scope } from "effect"
import { decodeDefinition, type Recovery } from "../../events/Definition.ts"
import type { Reason } from "../../events/PipelineEvent.ts"
import type { PipelineState } from "../../projections/PipelineState.ts"
import { isActive } from "../../projections/transitions.ts"
import type { Drivers } from "../drivers/Drivers.ts"
import type { PlanError } from "../flow/Plan.ts"
import type { StageError } from "../flow/StageError.ts"
import type { Worker } from "../flow/Worker.ts"
import type { Command } from "./Command.ts"
import { type Deadlines, defaultDeadlines } from "./Deadlines.ts"
import { nextId } from "./Identity.ts"
import type { PipelineActor } from "./PipelineActor.ts"
import * as Recover from "./recovery.ts"
import { isLeft, processLost } from "./situation.ts"
import { type Next, next } from "./steer.ts"
import * as Turns from "./Turns.ts"
import { watchProgress } from "./watchProgress.ts"
import { engine, type FunctionsOf, type Prepared, prepare, work } from "./work.ts"

export type { FunctionsOf } from "./work.ts"

export interface Reaction {
  /**
   * From now on this process steers the pipeline to where it is wanted. What the log says of an earlier process
   * is said to be lost first. Before it is adopted, a pipeline can be looked at and written to, and nothing follows.
   */
  readonly adopt: Effect.Effect<void>
  /** Drains what is at work, says that nobody is at work any more, and does nothing from then on. */
  readonly retire: (reason: Reason) => Effect.Effect<void>
  /** How far the sources of the run at work are; empty while nothing is read. */
  readonly progress: () => ReturnType<Worker["progress"]>
}

/** A life of a run that this process works on; it is over when its fiber is. */
interface AtWork {
  readonly life: string
  readonly fiber: Fiber.Fiber<void>
  worker: Worker | undefined
  isCutOff: boolean
}

/** Something that takes time, and is given up when the state asks for something else. */
interface Task {
  readonly name: string
  readonly fiber: Fiber.Fiber<void>
}

/** Follows an actor until the scope closes; a run at work is interrupted with it. */
export const react = Effect.fnUntraced(function* (
  actor: PipelineActor,
  functionsOf: FunctionsOf,
  deadlines: Deadlines = defaultDeadlines
): Effect.fn.Return<Reaction, never, Drivers | Scope.Scope> {
  const scope = yield* Effect.scope
  // One nudge is as good as many: whoever takes it looks at the newest state.
  let isNudged = false
  const nudge = Effect.sync(() => {
    if (isNudged) return
    isNudged = true
    turns.push(undefined)
  })
  let attached: "waiting" | "adopted" | "retired" = "waiting"
  let atWork: AtWork | undefined
  let task: Task | undefined
  let prepared: Prepared | undefined
  let attempts = Recover.noAttempts

  const tell = (command: Command) => Effect.result(actor.send(command, engine))
  const tellOrFail = Effect.fnUntraced(function* (command: Command) {
    const told = yield* tell(command)
    if (Result.isSuccess(told) || told.failure._tag === "ActorStopped") return
    const { code, message, suggestion } = told.failure
    // A state that nobody steers on would be `Running` for ever: it says what is in its way.
    const error = { code, message, ...(suggestion === undefined ? {} : { suggestion }) }
    yield* tell({ _tag: "FailDeployment", error })
  })

  const discard = Effect.suspend(() => {
    const held = prepared
    prepared = undefined
    return held === undefined ? Effect.void : held.close
  })
  const takePrepared = (state: PipelineState) =>
    Effect.suspend(() => {
      const held = prepared
      if (held === undefined || held.signature !== state.run?.signature) {
        return Effect.andThen(discard, prepare(actor.id, state, functionsOf))
      }
      prepared = undefined
      return Effect.succeed(held)
    })

  /** Begins what the state asks for, unless it is under way already. */
  const during = Effect.fnUntraced(function* (name: string, effect: Effect.Effect<unknown, never, Drivers>) {
    if (task?.name === name) return
    yield* endTask
    // The task may end before its name is kept: it is told from a later one by being itself.
    const own: { fiber?: Fiber.Fiber<void> } = {}
    const fiber = yield* effect.pipe(
      Effect.andThen(
        Effect.suspend(() => {
          if (task?.fiber === own.fiber) task = undefined
          return nudge
        })
      ),
      Effect.forkIn(scope)
    )
    own.fiber = fiber
    task = { name, fiber }
  })
  const endTask = Effect.suspend(() => {
    const old = task
    task = undefined
    return old === undefined ? Effect.void : Fiber.interrupt(old.fiber)
  })

  const begin = Effect.fnUntraced(function* (state: PipelineState) {
    const life = lifeOf(state)
    if (atWork !== undefined) return
    const began = (worker: Worker) => {
      if (atWork?.life === life) atWork.worker = worker
      return Effect.forkChild(watchProgress(actor, worker, deadlines.progress))
    }
    const mine = work(actor, state, takePrepared(state), began).pipe(
      Effect.ensuring(
        Effect.suspend(() => {
          atWork = undefined
          return nudge
        })
      )
    )
    const ready = yield* Deferred.make<void>()
    const fiber = yield* Deferred.await(ready).pipe(Effect.andThen(mine), Effect.forkIn(scope))
    atWork = { life, fiber, worker: undefined, isCutOff: false }
    yield* Deferred.succeed(ready, undefined)
  })

  const drain = Effect.fnUntraced(function* (state: PipelineState) {
    if (atWork?.worker !== undefined) yield* atWork.worker.stop
    yield* during(
      `drain ${lifeOf(state)}`,
      Effect.andThen(Effect.sleep(deadlines.draining), cutOff(state, deadlines.draining))
    )
  })

  /** The run did not drain in time: it is interrupted, and is said to be over whether or not that helps. */
  const cutOff = Effect.fnUntraced(function* (state: PipelineState, afterMs: number) {
    if (atWork !== undefined) {
      atWork.isCutOff = true
      yield* Effect.forkIn(Fiber.interrupt(atWork.fiber), scope)
    }
    const within = Duration.format(Duration.millis(afterMs))
    const reason = { code: "forced", message: `the run was cut off: it was not drained within ${within}` }
    if (state.run !== null) yield* tell({ _tag: "CrashRun", reason, life: state.run.lives })
  })

  const prepareThenAdvance = Effect.fnUntraced(function* (state: PipelineState, onLost: "fail" | "again") {
    yield* discard
    const result = yield* prepare(actor.id, state, functionsOf).pipe(
      Effect.timeoutOption(deadlines.initializing),
      Effect.result
    )
    if (Result.isFailure(result)) {
      if (onLost === "again" && !isFatal(result.failure)) return yield* lostAgain(state)
      return yield* tell({ _tag: "FailDeployment", error: reasonOf(result.failure) })
    }
    if (result.success._tag === "None") {
      return yield* tell({ _tag: "FailDeployment", error: overdue("initializing", deadlines.initializing) })
    }
    prepared = result.success.value
    attempts = Recover.recovered(attempts, yield* Clock.currentTimeMillis)
    yield* tell({ _tag: "AdvanceDeployment" })
  })

  const lostAgain = Effect.fnUntraced(function* (state: PipelineState) {
    attempts = Recover.failedAgain(attempts, yield* Clock.currentTimeMillis, recoveryOf(state))
  })

  const recover = Effect.fnUntraced(function* (state: PipelineState) {
    const policy = recoveryOf(state)
    // What another process left is no failure of ours: the first attempt waits for nothing.
    const isFirst = isLeft(state) && attempts.failed === 0
    if (!isFirst && attempts.since !== null) yield* lostAgain(state)
    if (!isFirst && attempts.failed === 0) attempts = { failed: 1, since: null }
    const delay = Recover.delayBefore(attempts, policy)
    if (delay === undefined) {
      const message = `given up after ${attempts.failed} attempts: ${state.deploymentError?.message ?? ""}`
      const error = { code: state.deploymentError?.code ?? "unavailable", message }
      return yield* tell({ _tag: "FailDeployment", error })
    }
    yield* Effect.sleep(delay)
    yield* prepareThenAdvance(state, "again")
  })

  const step = Effect.fnUntraced(function* () {
    if (attached !== "adopted") return
    const state = yield* actor.state
    const wanted = next(state, atWork === undefined ? "no" : atWork.isCutOff ? "cut_off" : "working")
    if (!lasting.has(wanted)) yield* endTask
    switch (wanted) {
      case "advance":
        return yield* tellOrFail({ _tag: "AdvanceDeployment" })
      case "prepare":
        return yield* during("prepare", prepareThenAdvance(state, "fail"))
      case "recover":
        return yield* during("recover", recover(state))
      case "start":
        return yield* tellOrFail({ _tag: "StartRun", run: yield* nextId })
      case "resume":
        return yield* tellOrFail({ _tag: "ResumeRun" })
      case "work":
        return yield* begin(state)
      case "drain":
        return yield* drain(state)
      case "rest":
        return yield* discard
    }
  })

  const turn = Effect.suspend(() => {
    isNudged = false
    return step()
  }).pipe(Effect.catchCause((cause) => Effect.logError(`pipeline ${actor.id} could not be steered`, cause)))
  const turns = yield* Turns.make((_: undefined) => turn)
  yield* actor.follow(() => nudge)
  yield* Effect.addFinalizer(() => discard)

  const adopt = Effect.gen(function* () {
    if (attached !== "waiting") return
    attached = "adopted"
    const { deployment, lifecycle } = yield* actor.state
    const isLeft = deployment === "Running" || deployment === "Paused" || isActive(lifecycle)
    if (isLeft) yield* tell({ _tag: "Suspend", reason: processLost, life: actor.lostLife })
    yield* nudge
  })

  const retire = Effect.fnUntraced(function* (reason: Reason) {
    if (attached !== "adopted") return
    attached = "retired"
    yield* endTask
    if (atWork !== undefined) {
      const { fiber, worker } = atWork
      if (worker === undefined) yield* Fiber.interrupt(fiber)
      else {
        yield* worker.stop
        const drained = yield* Effect.timeoutOption(Fiber.await(fiber), deadlines.draining)
        if (drained._tag === "None") yield* cutOff(yield* actor.state, deadlines.draining)
      }
    }
    yield* tell({ _tag: "Suspend", reason, life: null })
  })

  return { adopt, retire, progress: () => atWork?.worker?.progress() ?? [] }
})

/** What is asked for as long as the state stays what it is. */
const lasting: ReadonlySet<Next> = new Set(["prepare", "recover", "drain"])

/** A run is worked on once per life. */
const lifeOf = (state: PipelineState): string => `${state.run?.id}/${state.run?.lives}`

const isFatal = (error: PlanError | StageError): boolean => error._tag === "PlanError" || error.isFatal

const reasonOf = (error: PlanError | StageError): Reason =>
  error._tag === "StageError" ? error.reason : { code: "invalid_definition", message: error.message }

const overdue = (doing: string, afterMs: number): Reason => ({
  code: `${doing}_timeout`,
  message: `${doing} took longer than ${Duration.format(Duration.millis(afterMs))}`
})

const recoveryOf = (state: PipelineState): Recovery => {
  const definition = decodeDefinition(state.definition?.definition)
  return Result.isSuccess(definition) ? definition.success.runtime.recovery : noRecovery
}

/** A definition that does not decode is not run: its preparation says why. */
const noRecovery: Recovery = { minBackoff: 0, maxBackoff: 0, factor: 1, maxRetries: 0, healthyAfter: 0 }
