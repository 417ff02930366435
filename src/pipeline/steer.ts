/**
 * What a pipeline's state asks for next. Pure: a table of states, read by the reaction.
 *
 * @module
 */
import { hasUnfinishedRun, type PipelineState } from "../../projections/PipelineState.ts"
import { isActive } from "../../projections/transitions.ts"
import { isBenchBusy } from "./letters/benchWork.ts"
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
  /** Redrives are to be worked on beside no run. */
  | "redrive"
  /** The same, when the time of the next attempt has come. */
  | "redrive_later"
  /** A run is due: redrives at work come to their end, those that have not begun are left to it. */
  | "hurry"
  /** Nothing, until something happens. */
  | "rest"

/**
 * What this process does with the run: nothing, works on it, or has cut it off and waits for the last of it.
 * Two workers on one run would write over each other, so nothing new begins before that.
 */
export type AtWork = "no" | "working" | "cut_off"

/** How it is at the dead-letter bench: there is something to do, it is being done, or could not be done just now. */
export type AtBench = "nothing" | "due" | "busy" | "later"

/** Whatever the pipeline is, letters are redriven; what was begun of that comes to its end before a run begins. */
export const next = (state: PipelineState, atWork: AtWork, atBench: AtBench): Next => {
  const wanted = nextOfRun(state, atWork)
  if (atBench === "nothing" || atWork !== "no") return wanted
  if (beginsRun.has(wanted)) {
    if (atBench === "busy") return "hurry"
    return atBench === "due" && isBenchBusy(state) ? "redrive" : wanted
  }
  if (wanted === "recover" && atBench === "due") return "redrive"
  return wanted === "rest" ? nextOfBench(atBench) : wanted
}

/** A process that has not adopted the pipeline does nothing else with it. */
export const nextOfBench = (atBench: AtBench): Next =>
  atBench === "due" || atBench === "busy" ? "redrive" : atBench === "later" ? "redrive_later" : "rest"

const beginsRun: ReadonlySet<Next> = new Set(["trigger", "start", "resume", "give_up"])

const nextOfRun = (state: PipelineState, atWork: AtWork): Next => {
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
