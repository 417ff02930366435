/**
 * What whoever steers a pipeline says, and how long it waits.
 *
 * @module
 */
import { type Cause, Clock, Duration, Effect, type Fiber } from "effect"
import type { Reason } from "../../events/PipelineEvent.ts"
import { abandoned, type PipelineState } from "../../projections/PipelineState.ts"
import type { RunWorker } from "../flow/run/RunWorker.ts"
import { annotationsOf } from "./logAnnotations.ts"
import type { PipelineActor } from "./PipelineActor.ts"
import type { Next } from "./steer.ts"

/** A life of a run that this process works on; it is over when its fiber is. */
export interface AtWork {
  readonly life: string
  readonly fiber: Fiber.Fiber<void>
  worker: RunWorker | undefined
  isCutOff: boolean
}

/** A timer that is due later than this looks in between: a clock may be set. */
const longestSleepMs = 24 * 60 * 60 * 1000

/** Until that instant (ms since 1970), or a while before it. */
export const sleepUntil = (at: number): Effect.Effect<void> =>
  Effect.flatMap(Clock.currentTimeMillis, (now) =>
    Effect.sleep(Math.min(longestSleepMs, Math.max(0, at - now)))
  )

export const tellUnsteered = (actor: PipelineActor, cause: Cause.Cause<unknown>): Effect.Effect<void> =>
  Effect.flatMap(actor.state, (state) =>
    Effect.annotateLogs(
      Effect.logError("the pipeline could not be steered", cause),
      annotationsOf(actor.id, state)
    )
  )

/** A newer tick has taken the place of the run; it keeps no place, so that the next run is a new one. */
export const outrun: Reason = { code: abandoned, message: "a newer tick of the schedule took its place" }

const spell = (ms: number): string => Duration.format(Duration.millis(ms))

/** What is asked for as long as the state stays what it is. */
export const lasting: ReadonlySet<Next> = new Set(["prepare", "recover", "drain", "redrive_later"])

/** A run is worked on once per life. */
export const lifeOf = (state: PipelineState): string => `${state.run?.id}/${state.run?.lives}`

/** A run that was not drained within so many milliseconds. */
export const forced = (draining: number): Reason => ({
  code: "forced",
  message: `the run was cut off: it was not drained within ${spell(draining)}`
})
