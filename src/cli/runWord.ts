/**
 * How a run is, in a word for a person: one that somebody stopped or paused has not crashed. Programs are told
 * the state of the machine, which knows no such difference.
 *
 * @module
 */
import type { PipelineState } from "../../projections/PipelineState.ts"
import { interrupted } from "../pipeline/decideDeployment.ts"
import { isContinuous } from "../pipeline/situation.ts"

/** Drained because it was asked to, with its place kept. */
export const wasStopped = ({ lifecycle, run }: Pick<PipelineState, "lifecycle" | "run">): boolean =>
  lifecycle === "Crashed" && run?.failure?.code === interrupted.code

/** A run without an end is over when it is stopped: that is how it is meant to end. */
export const endsByStopping = (state: PipelineState): boolean => isContinuous(state) && wasStopped(state)

export const runWord = (state: Pick<PipelineState, "deployment" | "lifecycle" | "run">): string => {
  const word = wordAtRest(state.lifecycle, state.deployment)
  return word === "Crashed" && wasStopped(state) ? "Stopped" : word
}

/** Where no more is known of it than that. */
export const wordAtRest = (lifecycle: string, deployment: string): string =>
  lifecycle === "Crashed" && deployment === "Paused" ? "Paused" : lifecycle
