/**
 * Making a pipeline ready to run, and ready again after it was lost.
 *
 * @module
 */
import { Clock, Duration, Effect, Option, Result } from "effect"
import { decodeDefinition, type Recovery } from "../../events/Definition.ts"
import type { Reason } from "../../events/PipelineEvent.ts"
import type { PipelineState } from "../../projections/PipelineState.ts"
import type { Drivers } from "../drivers/Drivers.ts"
import type { PlanError } from "../flow/Plan.ts"
import type { StageError } from "../flow/StageError.ts"
import type { Deadlines } from "./Deadlines.ts"
import type { PipelineActor } from "./PipelineActor.ts"
import * as Recover from "./recovery.ts"
import { isLeft } from "./situation.ts"
import { branchesOf, engine, type FunctionsOf, type Prepared, prepare } from "./work.ts"

export class Preparation {
  #prepared: Prepared | undefined
  #attempts = Recover.noAttempts
  readonly #actor: PipelineActor
  readonly #functionsOf: FunctionsOf
  readonly #deadlines: Deadlines

  constructor(actor: PipelineActor, functionsOf: FunctionsOf, deadlines: Deadlines) {
    this.#actor = actor
    this.#functionsOf = functionsOf
    this.#deadlines = deadlines
  }

  /** Makes the plan and takes the next step of the deployment, or fails it. */
  prepare(state: PipelineState): Effect.Effect<void, never, Drivers> {
    return this.#prepareThenAdvance(state, "fail")
  }

  /** The same after the pause that is due; a driver that is still away is tried again later. */
  recover(state: PipelineState): Effect.Effect<void, never, Drivers> {
    return Effect.gen({ self: this }, function* () {
      // What another process left is no failure of ours: the first attempt waits for nothing.
      const isFirst = isLeft(state) && this.#attempts.failed === 0
      if (!isFirst && this.#attempts.since !== null) yield* this.#lostAgain(state)
      if (!isFirst && this.#attempts.failed === 0) this.#attempts = { failed: 1, since: null }
      const delay = Recover.delayBefore(this.#attempts, recoveryOf(state))
      if (delay === undefined) {
        const message = `given up after ${this.#attempts.failed} attempts: ${state.deploymentError?.message ?? ""}`
        return yield* this.#fail({ code: state.deploymentError?.code ?? "unavailable", message })
      }
      yield* Effect.sleep(delay)
      yield* this.#prepareThenAdvance(state, "again")
    })
  }

  /** The plan that was made last, for the first run after that; a new one for every later run. */
  take(state: PipelineState): Effect.Effect<Prepared, PlanError | StageError, Drivers> {
    return Effect.suspend(() => {
      const held = this.#prepared
      if (held === undefined || held.signature !== state.run?.signature || !isFor(held, state)) {
        return Effect.andThen(this.discard, prepare(this.#actor.id, state, this.#functionsOf))
      }
      this.#prepared = undefined
      return Effect.succeed(held)
    })
  }

  /** Nothing is about to run: what the plan has opened is closed. */
  get discard(): Effect.Effect<void> {
    return Effect.suspend(() => {
      const held = this.#prepared
      this.#prepared = undefined
      return held === undefined ? Effect.void : held.close
    })
  }

  #prepareThenAdvance(state: PipelineState, onLost: "fail" | "again"): Effect.Effect<void, never, Drivers> {
    return Effect.gen({ self: this }, function* () {
      yield* this.discard
      const within = this.#deadlines.initializing
      const result = yield* prepare(this.#actor.id, state, this.#functionsOf).pipe(
        Effect.timeoutOption(within),
        Effect.result
      )
      if (Result.isFailure(result)) {
        if (onLost === "again" && !isFatal(result.failure)) return yield* this.#lostAgain(state)
        return yield* this.#fail(reasonOf(result.failure))
      }
      if (Option.isNone(result.success)) {
        const message = `initializing took longer than ${Duration.format(Duration.millis(within))}`
        return yield* this.#fail({ code: "initializing_timeout", message })
      }
      this.#prepared = result.success.value
      this.#attempts = Recover.recovered(this.#attempts, yield* Clock.currentTimeMillis)
      yield* Effect.ignore(this.#actor.send({ _tag: "AdvanceDeployment" }, engine))
    })
  }

  #fail(error: Reason): Effect.Effect<void> {
    return Effect.ignore(this.#actor.send({ _tag: "FailDeployment", error }, engine))
  }

  #lostAgain(state: PipelineState): Effect.Effect<void> {
    return Effect.map(Clock.currentTimeMillis, (now) => {
      this.#attempts = Recover.failedAgain(this.#attempts, now, recoveryOf(state))
    })
  }
}

const isFor = ({ only }: Prepared, state: PipelineState): boolean =>
  JSON.stringify(only) === JSON.stringify(branchesOf(state))

const isFatal = (error: PlanError | StageError): boolean => error._tag === "PlanError" || error.isFatal

const reasonOf = (error: PlanError | StageError): Reason =>
  error._tag === "StageError" ? error.reason : { code: "invalid_definition", message: error.message }

export const recoveryOf = (state: PipelineState): Recovery => {
  const definition = decodeDefinition(state.definition?.definition)
  return Result.isSuccess(definition) ? definition.success.runtime.recovery : noRecovery
}

/** A definition that does not decode is not run: its preparation says why. */
const noRecovery: Recovery = { minBackoff: 0, maxBackoff: 0, factor: 1, maxRetries: 0, healthyAfter: 0 }
