/**
 * What a pipeline's state asks for next. Pure: a table of states, read by the reaction.
 *
 * @module
 */
import { hasUnfinishedRun, type PipelineState } from "../../projections/PipelineState.ts"
import { isActive } from "../../projections/transitions.ts"
import { isContinuous, isOutrun } from "./situation.ts"

export type Next =
  /** The next step of the deployment needs nothing but to be logged. */
  | "advance"
  /** The plan is to be compiled, before the next step. */
  | "prepare"
  /** The plan is to be compiled when the time of the next attempt has come. */
  | "recover"
  /** A continuous pipeline is to have its run. */
  | "trigger"
  /** A run is to begin. */
  | "start"
  /** An unfinished run is to be given up: a newer tick takes its place. */
  | "give_up"
  /** An unfinished run is to go on. */
  | "resume"
  /** The run is to be worked on. */
  | "work"
  /** The run at work is to be drained. */
  | "drain"
  /** Nothing, until something happens. */
  | "rest"

/**
 * What this process does with the run: nothing, works on it, or has cut it off and waits for the last of it.
 * Two workers on one run would write over each other, so nothing new begins before that.
 */
export type AtWork = "no" | "working" | "cut_off"

export const next = (state: PipelineState, atWork: AtWork): Next => {
  const { deployment, desired } = state
  const isWorking = atWork === "working" || isActive(state.lifecycle)
  if (desired === "Shutdown") {
    if (deployment === "Shutdown") return "rest"
    // The log says that it is shutting down before anything waits for the drain.
    return deployment === "ShuttingDown" && isWorking ? "drain" : "advance"
  }
  switch (deployment) {
    // One process on one machine provisions nothing: the plan is made while it initializes.
    case "Shutdown":
    case "Provisioning":
    case "ShuttingDown":
      return atWork === "no" ? "advance" : "rest"
    case "Initializing":
      return atWork === "no" ? "prepare" : "rest"
    case "Failed":
      return "rest"
    case "Paused":
      return desired === "Running" && atWork === "no" ? "advance" : "rest"
    case "Unavailable":
      // A run that makes no progress is still worked on; a pause drains it.
      if (isActive(state.lifecycle)) return desired === "Paused" ? "drain" : "work"
      return atWork === "no" ? "recover" : "rest"
    case "Running":
      if (desired === "Paused") return isWorking ? "drain" : "advance"
      if (isActive(state.lifecycle)) return "work"
      if (atWork !== "no") return "rest"
      if (state.lifecycle === "Triggered") return "start"
      // A run whose sources have all come to their end would only read them again from the beginning.
      if (!hasUnfinishedRun(state)) return isContinuous(state) && !state.isDone ? "trigger" : "rest"
      return isOutrun(state) ? "give_up" : "resume"
  }
}
