/**
 * The redrives of one pipeline in this process: a session while there is something to do, a pause after a failure.
 *
 * @module
 */
import { Clock, Deferred, Effect, Fiber } from "effect"
import type { Recovery } from "../../../events/Definition.ts"
import type { PipelineState } from "../../../projections/PipelineState.ts"
import type { Drivers } from "../../drivers/Drivers.ts"
import type { RunWorker } from "../../flow/run/RunWorker.ts"
import type { EventLog } from "../../log/EventLog.ts"
import type { PipelineActor } from "../PipelineActor.ts"
import { delayBefore } from "../recovery.ts"
import type { AtBench } from "../steer.ts"
import { engine, type FunctionsOf } from "../work.ts"
import { isBenchDue } from "./benchWork.ts"
import { type Trouble, workOff } from "./workOff.ts"

type Needs = Drivers | EventLog
type Fork = (effect: Effect.Effect<void, never, Needs>) => Effect.Effect<Fiber.Fiber<void>>

/** The last session has failed: how often in a row, when the next may begin, and what was asked for by then. */
interface Stalled {
  readonly attempt: number
  /** Milliseconds since 1970; `null` when only somebody who asks for it can make it go on. */
  readonly until: number | null
  readonly revision: number
}

export class BenchSession {
  #fiber: Fiber.Fiber<void> | undefined
  #worker: RunWorker | undefined
  #stalled: Stalled | undefined
  readonly #actor: PipelineActor
  readonly #functionsOf: FunctionsOf
  readonly #fork: Fork
  readonly #after: Effect.Effect<void>

  /** `after` is run when a session has come to its end. */
  constructor(actor: PipelineActor, functionsOf: FunctionsOf, fork: Fork, after: Effect.Effect<void>) {
    this.#actor = actor
    this.#functionsOf = functionsOf
    this.#fork = fork
    this.#after = after
  }

  /** `now` is milliseconds since 1970. */
  at(state: PipelineState, now: number): AtBench {
    if (this.#fiber !== undefined) return "busy"
    if (!isBenchDue(state)) return "nothing"
    const stalled = this.#stalled
    // What is asked for anew is tried at once.
    if (stalled === undefined || stalled.revision !== state.bench?.revision) return "due"
    if (stalled.until === null) return "nothing"
    return now >= stalled.until ? "due" : "later"
  }

  /** Somebody asks for it: it is tried now, whatever became of it before. */
  urge(): void {
    this.#stalled = undefined
  }

  /** Begins a session, or tells the one at work what is asked for now. */
  work(state: PipelineState, recovery: Recovery): Effect.Effect<void> {
    return Effect.gen({ self: this }, function* () {
      if (this.#fiber !== undefined) return yield* this.#worker?.redrive(state) ?? Effect.void
      const ready = yield* Deferred.make<void>()
      const over = Effect.suspend(() => {
        this.#fiber = undefined
        this.#worker = undefined
        return this.#after
      })
      const began = (worker: RunWorker) => {
        this.#worker = worker
        // Asked for while the plan was compiled.
        return Effect.flatMap(this.#actor.state, worker.redrive)
      }
      const session = workOff(this.#actor, state, this.#functionsOf, began).pipe(
        Effect.flatMap((trouble) => this.#ended(trouble, recovery))
      )
      this.#fiber = yield* this.#fork(
        Deferred.await(ready).pipe(Effect.andThen(session), Effect.ensuring(over))
      )
      yield* Deferred.succeed(ready, undefined)
    })
  }

  /** Milliseconds until the next attempt. */
  pause(now: number): number {
    return Math.max(0, (this.#stalled?.until ?? now) - now)
  }

  /** Nothing new is begun; what was begun comes to its end. */
  get hurry(): Effect.Effect<void> {
    return Effect.suspend(() => this.#worker?.stop ?? Effect.void)
  }

  /** The same, and resolves when it has; after the deadline (ms) it is cut off, and goes on with the next owner. */
  retire(deadline: number): Effect.Effect<void> {
    return Effect.gen({ self: this }, function* () {
      const fiber = this.#fiber
      if (fiber === undefined) return
      if (this.#worker === undefined) return yield* Fiber.interrupt(fiber)
      yield* this.hurry
      const drained = yield* Effect.timeoutOption(Fiber.await(fiber), deadline)
      if (drained._tag === "None") yield* Fiber.interrupt(fiber)
    })
  }

  #ended(trouble: Trouble | undefined, recovery: Recovery): Effect.Effect<void> {
    return Effect.gen({ self: this }, function* () {
      if (trouble === undefined) {
        this.#stalled = undefined
        return
      }
      const attempt = (this.#stalled?.attempt ?? 0) + 1
      const delay = trouble.isFatal ? undefined : delayBefore({ failed: attempt, since: null }, recovery)
      const now = yield* Clock.currentTimeMillis
      const { bench } = yield* this.#actor.state
      this.#stalled = {
        attempt,
        until: delay === undefined ? null : now + delay,
        revision: bench?.revision ?? 0
      }
      const { reason, stage } = trouble
      const delayMs = delay ?? null
      yield* Effect.ignore(
        this.#actor.send({ _tag: "StallRedrives", stage, reason, attempt, delayMs }, engine)
      )
    })
  }
}
