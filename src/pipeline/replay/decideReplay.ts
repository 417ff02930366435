/**
 * When a run may be set back. Pure.
 *
 * @module
 */
import * as Bench from "../../../projections/Bench.ts"
import { abandoned, type PipelineState } from "../../../projections/PipelineState.ts"
import type { RunState } from "../../../projections/RunState.ts"
import { isActive, mayFollow } from "../../../projections/transitions.ts"
import type { Command } from "../Command.ts"
import { accept, type Decision, reject } from "../Decision.ts"
import { benchIsBusy } from "../letters/decideLetters.ts"

export const decideReplay = (
  state: PipelineState,
  { life, setBack }: Extract<Command, { readonly _tag: "Replay" }>
): Decision => {
  const refused = mayReplay(state, setBack.branches)
  if (refused !== undefined) return refused
  const { generation, run } = setBack
  const isNext = generation === state.generation || generation === state.generation + 1
  return state.run?.id === run && state.run.lives === life && isNext
    ? accept({ _tag: "RunSetBack", ...setBack })
    : reject("stale_version", `run ${run} has gone on since it was looked at`, "look at it again")
}

/** Why the last run cannot be set back now, whatever it is to go back to. */
export const mayReplay = (
  state: PipelineState,
  branches: ReadonlyArray<string> | null
): Decision | undefined => {
  const { lifecycle, run } = state
  if (isActive(lifecycle) || lifecycle === "Triggered") {
    return reject(
      "already_running",
      `a run is under way (${lifecycle})`,
      "wait for its end, or stop it first"
    )
  }
  if (run === null || !mayFollow(lifecycle, "RunSetBack")) {
    return reject("nothing_to_replay", "the pipeline has had no run yet")
  }
  if (run.failure?.code === abandoned) {
    return reject(
      "nothing_to_replay",
      `run ${run.id} was given up: it keeps no place`,
      "run the pipeline anew"
    )
  }
  // A replay starts with no redrive open: what it takes back must be known to the last record.
  if (Bench.isOwed(state.bench)) return benchIsBusy(state)
  // Batches are read again by the definition that sealed them.
  if (state.definition?.signature !== run.signature) {
    return reject(
      "stale_signature",
      `run ${run.id} was started under another definition than the one in force`,
      "define the pipeline as it was, or run it anew"
    )
  }
  if (isCompleted(state)) return undefined
  if (branches !== null) {
    return reject(
      "unfinished_run",
      `run ${run.id} is unfinished: the other sinks are still to get the rest of it`,
      "run it to its end first, or replay it for all sinks"
    )
  }
  return isBeingPublished(run)
    ? reject(
        "unfinished_run",
        `run ${run.id} only has to make its outputs visible`,
        "run it to its end first"
      )
    : undefined
}

/** Its outputs are visible: a pipeline whose schedule has gone on since is `Scheduled`. */
export const isCompleted = ({ lifecycle }: PipelineState): boolean =>
  lifecycle === "Completed" || lifecycle === "Scheduled"

/** C15: from the logged finish to `Completed` nobody can tell from the log whether an output was renamed. */
const isBeingPublished = ({ only, outputs }: RunState): boolean =>
  Object.entries(outputs).some(
    ([stage, { finished }]) => finished && only?.branches.includes(stage) !== false
  )
