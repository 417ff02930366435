/**
 * The runs a pipeline has had: when, how they ended, and what went through them.
 *
 * @module
 */
import type { PipelineEvent, Reason } from "../events/PipelineEvent.ts"
import * as PipelineState from "./PipelineState.ts"
import type { RunCounts } from "./RunState.ts"

/** An event and when it happened, in milliseconds since 1970. */
export interface Dated {
  readonly at: number
  readonly event: PipelineEvent
}

export interface Run {
  readonly id: string
  readonly signature: string
  /** Why it was triggered. */
  readonly trigger: string
  readonly startedAt: number
  /** `null` while it is under way, or waits to be resumed. */
  readonly endedAt: number | null
  readonly outcome: "Running" | "Completed" | "Failed" | "Crashed"
  readonly failure: Reason | null
  /** How many times it went on after it had been cut off. */
  readonly resumes: number
  readonly counts: RunCounts
}

export interface Runs {
  /** Oldest first. */
  readonly runs: ReadonlyArray<Run>
  readonly trigger: string
  /** The counts are those of the one fold that knows how to count. */
  readonly pipeline: PipelineState.PipelineState
}

export const initial: Runs = { runs: [], trigger: "", pipeline: PipelineState.initial }

export const evolve = (before: Runs, { at, event }: Dated): Runs => {
  const pipeline = PipelineState.evolve(before.pipeline, event)
  const state = { ...before, pipeline }
  switch (event._tag) {
    case "Triggered":
      return { ...state, trigger: event.reason }
    case "RunStarted":
      return { ...state, runs: [...state.runs, started(state, event.run, event.signature, at)] }
    case "BatchSealed":
    case "StageApplied":
    case "DuplicateSuppressed":
      return latest(state, {})
    case "Completed":
      return latest(state, { outcome: "Completed", endedAt: at, failure: null })
    case "Failed":
    case "Crashed":
      return latest(state, { outcome: event._tag, endedAt: at, failure: event.reason })
    case "RunSetBack":
      return latest(state, { outcome: "Crashed", endedAt: at, failure: state.pipeline.run?.failure ?? null })
    case "ReplayStarted":
      return latest(state, {
        outcome: "Running",
        endedAt: null,
        failure: null,
        resumes: (state.runs.at(-1)?.resumes ?? 0) + 1
      })
    default:
      return state
  }
}

const started = ({ pipeline, trigger }: Runs, id: string, signature: string, startedAt: number): Run => ({
  id,
  signature,
  trigger,
  startedAt,
  endedAt: null,
  outcome: "Running",
  failure: null,
  resumes: 0,
  counts: pipeline.run?.counts ?? noCounts
})

const noCounts: RunCounts = {
  read: 0,
  delivered: 0,
  filtered: 0,
  unrouted: 0,
  lettered: 0,
  batches: 0,
  applied: {}
}

/** Everything that happens to runs happens to the last one. */
const latest = (state: Runs, change: Partial<Run>): Runs => {
  const run = state.runs.at(-1)
  return run === undefined
    ? state
    : {
        ...state,
        runs: [
          ...state.runs.slice(0, -1),
          { ...run, ...change, counts: state.pipeline.run?.counts ?? run.counts }
        ]
      }
}
