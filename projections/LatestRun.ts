/**
 * When the latest run of a pipeline began and ended, and why it was started: what the fold the actor lives by
 * has no need of, because it knows no time.
 *
 * @module
 */
import type { PipelineEvent } from "../events/PipelineEvent.ts"

/** Times are milliseconds since 1970. */
export interface LatestRun {
  /** Why it was triggered. */
  readonly trigger: string
  readonly startedAt: number
  /** `null` while it is under way, or waits to be resumed. */
  readonly endedAt: number | null
  readonly outcome: "Running" | "Completed" | "Failed" | "Crashed"
}

export interface LatestRunState {
  /** Of the last trigger, whether or not its run has begun. */
  readonly trigger: string
  readonly run: LatestRun | null
}

export const initial: LatestRunState = { trigger: "", run: null }

export const evolve = (state: LatestRunState, event: PipelineEvent, at: number): LatestRunState => {
  switch (event._tag) {
    case "Triggered":
      return { ...state, trigger: event.reason }
    case "RunStarted":
      return {
        ...state,
        run: { trigger: state.trigger, startedAt: at, endedAt: null, outcome: "Running" }
      }
    case "Completed":
    case "Failed":
    case "Crashed":
      return { ...state, run: state.run && { ...state.run, endedAt: at, outcome: event._tag } }
    case "ReplayStarted":
      return { ...state, run: state.run && { ...state.run, endedAt: null, outcome: "Running" } }
    default:
      return state
  }
}
