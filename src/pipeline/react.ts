/**
 * What follows from a state: the only place where a pipeline's log makes something happen.
 *
 * It looks at states, not at commands, so it does not matter who brought a state about; and it acts
 * through commands again, so that everything it does is in the log. What it does by itself stands in
 * `steer.ts`; here is how.
 *
 * @module
 */
import { Clock, type Context, Deferred, Effect, Fiber, Result, Scope } from "effect"
import type { Reason } from "../../events/PipelineEvent.ts"
import type { PipelineState } from "../../projections/PipelineState.ts"
import { isActive } from "../../projections/transitions.ts"
import type { Drivers } from "../drivers/Drivers.ts"
import type { RunWorker } from "../flow/run/RunWorker.ts"
import type { EventLog } from "../log/EventLog.ts"
import type { Command } from "./Command.ts"
import { type Deadlines, defaultDeadlines } from "./Deadlines.ts"
import { nextLook } from "./decideInTime.ts"
import { nextId } from "./Identity.ts"
import { BenchSession } from "./letters/BenchSession.ts"
import { OneTask } from "./OneTask.ts"
import type { PipelineActor } from "./PipelineActor.ts"
import { Preparation, recoveryOf } from "./Preparation.ts"
import type { Reaction } from "./Reaction.ts"
import { isOutrun, processLost } from "./situation.ts"
import { type Next, next, nextOfBench } from "./steer.ts"
import { type AtWork, forced, lasting, lifeOf, outrun, sleepUntil, tellUnsteered } from "./steering.ts"
import * as Turns from "./Turns.ts"
import { watchProgress } from "./watchProgress.ts"
import { engine, type FunctionsOf, work } from "./work.ts"

/**
 * Follows an actor until the scope closes; a run at work is interrupted with it. The context is one that all
 * pipelines of a process share: one for each would weigh as much as everything else that rests with it.
 */
export const react = Effect.fnUntraced(function* (
  actor: PipelineActor,
  functionsOf: FunctionsOf,
  context: Context.Context<Needs>,
  deadlines: Deadlines = defaultDeadlines
): Effect.fn.Return<Reaction, never, Scope.Scope> {
  const steering = new Steering(actor, functionsOf, deadlines, context, yield* Effect.scope)
  steering.turns = yield* Turns.make((_: undefined) => steering.turn)
  yield* actor.follow(() => steering.nudge)
  return steering
})

type Needs = Drivers | EventLog

// A class, because ten thousand pipelines may be awake: what every one of them does is written once.
class Steering implements Reaction {
  turns!: Turns.Turns<undefined, never, never>
  #isNudged = false
  /** `benched`: it is looked after for its redrives alone. */
  #attached: "waiting" | "benched" | "adopted" | "retired" = "waiting"
  #atWork: AtWork | undefined
  // Made when they are first needed: most pipelines rest most of the time.
  #task: OneTask<Needs> | undefined
  #timer: OneTask<Needs> | undefined
  #bench: BenchSession | undefined
  #made: Preparation | undefined
  readonly actor: PipelineActor
  readonly #functionsOf: FunctionsOf
  readonly #deadlines: Deadlines
  readonly #context: Context.Context<Needs>
  readonly #scope: Scope.Scope

  constructor(
    actor: PipelineActor,
    functionsOf: FunctionsOf,
    deadlines: Deadlines,
    context: Context.Context<Needs>,
    scope: Scope.Scope
  ) {
    this.actor = actor
    this.#functionsOf = functionsOf
    this.#deadlines = deadlines
    this.#context = context
    this.#scope = scope
  }

  progress() {
    return this.#atWork?.worker?.progress() ?? []
  }

  get settle(): Effect.Effect<void> {
    return Effect.suspend(() => this.#atWork?.worker?.settle ?? Effect.void)
  }

  get adopt(): Effect.Effect<void> {
    return Effect.gen({ self: this }, function* () {
      if (this.#attached !== "waiting" && this.#attached !== "benched") return
      this.#attached = "adopted"
      const { deployment, lifecycle } = yield* this.actor.state
      const isLeft = deployment === "Running" || deployment === "Paused" || isActive(lifecycle)
      if (isLeft) yield* this.#tell({ _tag: "Suspend", reason: processLost, life: this.actor.lostLife })
      yield* this.nudge
    })
  }

  get redrive(): Effect.Effect<void> {
    return Effect.suspend(() => {
      if (this.#attached === "waiting") this.#attached = "benched"
      this.#bench?.urge()
      return this.nudge
    })
  }

  retire(reason: Reason): Effect.Effect<void> {
    return Effect.gen({ self: this }, function* () {
      if (this.#attached !== "adopted") return
      this.#attached = "retired"
      yield* this.#endTask
      yield* this.#setTimer(undefined)
      yield* this.#bench?.retire(this.#deadlines.draining) ?? Effect.void
      if (this.#atWork !== undefined) {
        const { fiber, worker } = this.#atWork
        if (worker === undefined) yield* Fiber.interrupt(fiber)
        else {
          yield* worker.stop
          const drained = yield* Effect.timeoutOption(Fiber.await(fiber), this.#deadlines.draining)
          if (drained._tag === "None") yield* this.#cutOff(yield* this.actor.state)
        }
      }
      yield* this.#tell({ _tag: "Suspend", reason, life: null })
    })
  }

  /** One nudge is as good as many: whoever takes it looks at the newest state. */
  get nudge(): Effect.Effect<void> {
    return Effect.sync(() => {
      if (this.#isNudged) return
      this.#isNudged = true
      this.turns.push(undefined)
    })
  }

  get turn(): Effect.Effect<void> {
    return Effect.suspend(() => {
      this.#isNudged = false
      return this.#step
    }).pipe(Effect.catchCause((cause) => tellUnsteered(this.actor, cause)))
  }

  get #step(): Effect.Effect<void> {
    return Effect.gen({ self: this }, function* () {
      if (this.#attached !== "adopted" && this.#attached !== "benched") return
      const state = yield* this.actor.state
      const now = yield* Clock.currentTimeMillis
      if (this.#attached === "adopted") yield* this.#setTimer(nextLook(state, now))
      const wanted = this.#wanted(state, now)
      if (!lasting.has(wanted)) yield* this.#endTask
      switch (wanted) {
        case "advance":
          return yield* this.#tellOrFail({ _tag: "AdvanceDeployment" })
        case "prepare":
          return yield* this.#during("prepare", (yield* this.#preparation).prepare(state))
        case "recover":
          return yield* this.#during("recover", (yield* this.#preparation).recover(state))
        case "trigger":
          // Refused only when somebody else has triggered it meanwhile, which is what is wanted.
          yield* this.#tell({ _tag: "Trigger", reason: "continuous", deployed: true })
          return
        case "start":
          return yield* this.#tellOrFail({ _tag: "StartRun", run: yield* nextId })
        case "resume":
          return yield* this.#tellOrFail({ _tag: "ResumeRun" })
        case "give_up":
          return yield* this.#tellOrFail({ _tag: "FailRun", reason: outrun })
        case "work":
          return yield* this.#begin(state)
        case "drain":
          return yield* this.#drain(state)
        case "redrive":
          return yield* this.#atBench.work(state, recoveryOf(state))
        case "redrive_later":
          return yield* this.#during("redrive_later", Effect.sleep(this.#atBench.pause(now)))
        case "hurry":
          return yield* this.#atBench.hurry
        case "rest":
          return yield* this.#made?.discard ?? Effect.void
      }
    })
  }

  #wanted(state: PipelineState, now: number): Next {
    const atBench = state.bench === undefined ? "nothing" : this.#atBench.at(state, now)
    if (this.#attached === "benched") return nextOfBench(atBench)
    const atWork = this.#atWork === undefined ? "no" : this.#atWork.isCutOff ? "cut_off" : "working"
    return next(state, atWork, atBench)
  }

  get #atBench(): BenchSession {
    this.#bench ??= new BenchSession(
      this.actor,
      this.#functionsOf,
      (effect) => this.#fork(effect),
      this.nudge
    )
    return this.#bench
  }

  /** What it has prepared is closed with the pipeline. */
  get #preparation(): Effect.Effect<Preparation> {
    return Effect.suspend(() => {
      if (this.#made !== undefined) return Effect.succeed(this.#made)
      const made = new Preparation(this.actor, this.#functionsOf, this.#deadlines)
      this.#made = made
      return Effect.as(Scope.addFinalizer(this.#scope, made.discard), made)
    })
  }

  #tell(command: Command, by = engine) {
    return Effect.result(this.actor.send(command, by))
  }

  /** A state that nobody steers on would be `Running` for ever: it says what is in its way. */
  #tellOrFail(command: Command) {
    return Effect.gen({ self: this }, function* () {
      const told = yield* this.#tell(command)
      if (Result.isSuccess(told) || told.failure._tag === "ActorStopped") return
      const { code, message, suggestion } = told.failure
      const error = { code, message, ...(suggestion === undefined ? {} : { suggestion }) }
      yield* this.#tell({ _tag: "FailDeployment", error })
    })
  }

  #fork(effect: Effect.Effect<void, never, Needs>): Effect.Effect<Fiber.Fiber<void>> {
    return Effect.forkIn(Effect.provideContext(effect, this.#context), this.#scope)
  }

  #oneTask(): OneTask<Needs> {
    return new OneTask((effect) => this.#fork(effect), this.nudge)
  }

  #during(name: string, task: Effect.Effect<void, never, Needs>): Effect.Effect<void> {
    this.#task ??= this.#oneTask()
    return this.#task.begin(name, task)
  }

  get #endTask(): Effect.Effect<void> {
    return this.#task?.end ?? Effect.void
  }

  /** Looks at the schedule at this instant, if nothing happens before. */
  #setTimer(at: number | undefined): Effect.Effect<void> {
    if (at === undefined) return this.#timer?.end ?? Effect.void
    this.#timer ??= this.#oneTask()
    return this.#timer.begin(
      `look at ${at}`,
      Effect.andThen(sleepUntil(at), this.#tell({ _tag: "Tick" }, "schedule"))
    )
  }

  #begin(state: PipelineState): Effect.Effect<void> {
    return Effect.gen({ self: this }, function* () {
      if (this.#atWork !== undefined) {
        yield* this.#atWork.worker?.redrive(state) ?? Effect.void
        return isOutrun(state) ? yield* this.#drain(state) : undefined
      }
      const life = lifeOf(state)
      const began = (worker: RunWorker) => {
        if (this.#atWork?.life === life) this.#atWork.worker = worker
        return Effect.forkChild(watchProgress(this.actor, worker, this.#deadlines.progress))
      }
      const over = Effect.suspend(() => {
        this.#atWork = undefined
        return this.nudge
      })
      const ready = yield* Deferred.make<void>()
      const working = work(this.actor, state, (yield* this.#preparation).take(state), began)
      const fiber = yield* this.#fork(
        Deferred.await(ready).pipe(Effect.andThen(working), Effect.ensuring(over))
      )
      this.#atWork = { life, fiber, worker: undefined, isCutOff: false }
      yield* Deferred.succeed(ready, undefined)
    })
  }

  #drain(state: PipelineState): Effect.Effect<void> {
    return Effect.gen({ self: this }, function* () {
      if (this.#atWork?.worker !== undefined) yield* this.#atWork.worker.stop
      const overdue = Effect.andThen(Effect.sleep(this.#deadlines.draining), this.#cutOff(state))
      yield* this.#during(`drain ${lifeOf(state)}`, overdue)
    })
  }

  /** The run did not drain in time: it is interrupted, and is said to be over whether or not that helps. */
  #cutOff(state: PipelineState): Effect.Effect<void> {
    return Effect.gen({ self: this }, function* () {
      if (this.#atWork !== undefined) {
        this.#atWork.isCutOff = true
        yield* this.#fork(Fiber.interrupt(this.#atWork.fiber))
      }
      if (state.run === null) return
      yield* this.#tell({ _tag: "CrashRun", reason: forced(this.#deadlines.draining), life: state.run.lives })
    })
  }
}
