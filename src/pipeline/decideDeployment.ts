/**
 * Where a pipeline is wanted, and the next step of where it is: the rules of the deployment.
 *
 * @module
 */
import type { Desired, PipelineEvent, Reason } from "../../events/PipelineEvent.ts"
import { hasUnfinishedRun, type PipelineState } from "../../projections/PipelineState.ts"
import { isActive, mayDeploy } from "../../projections/transitions.ts"
import { accept, type Decision, reject } from "./Decision.ts"
import { isBenchBusy } from "./letters/benchWork.ts"
import { benchIsBusy } from "./letters/decideLetters.ts"

/**
 * Shutting down may always be wanted. Anything else is refused while a shutdown is under way and from
 * `Failed`, which is left by shutting down (both as the resource's contract has it).
 */
export const setDesired = (state: PipelineState, desired: Desired, reason: string): Decision => {
  if (desired !== "Shutdown") {
    if (state.definition === null) return reject("no_definition", "the pipeline has no definition yet")
    if (state.definition.signature === null) return invalid(state)
    if (state.deployment === "Failed") {
      return reject(
        "deployment_failed",
        `the pipeline has failed${state.deploymentError === null ? "" : `: ${state.deploymentError.message}`}`,
        "shut it down first, then start it again"
      )
    }
    if (
      state.deployment === "ShuttingDown" ||
      (state.desired === "Shutdown" && state.deployment !== "Shutdown")
    ) {
      return reject(
        "shutting_down",
        `the pipeline is shutting down (${state.deployment})`,
        "wait until it is Shutdown, then start it again"
      )
    }
  }
  return state.desired === desired ? accept() : accept({ _tag: "DesiredStatusSet", desired, reason })
}

/** What every verb answers that needs a definition without findings. */
export const invalid = (state: PipelineState): Decision =>
  reject(
    "invalid_definition",
    `the definition has ${state.definition?.findings.length ?? 0} findings`,
    "correct the pipeline file; `check` shows the findings"
  )

/**
 * The next event on the way from the actual status to the desired one; none when it is reached. Whoever
 * asks knows that the step before is done: what was to be prepared is, and what was to be drained is.
 */
export const advance = (state: PipelineState): Decision => {
  if (state.deployment === "ShuttingDown") {
    return isActive(state.lifecycle) ? undrained(state) : accept({ _tag: "ShutDown" })
  }
  if (state.desired === "Shutdown") {
    return state.deployment === "Shutdown" ? accept() : accept({ _tag: "ShutdownStarted" })
  }
  switch (state.deployment) {
    case "Shutdown":
      return accept({ _tag: "ProvisioningStarted" })
    case "Provisioning":
      return accept({ _tag: "InitializingStarted" })
    case "Initializing":
      return accept({ _tag: "Deployed" })
    case "Paused":
      return state.desired === "Running" ? accept({ _tag: "Resumed" }) : accept()
    case "Running":
      return state.desired === "Paused" ? paused(state) : accept()
    case "Unavailable":
      return state.desired === "Paused" ? paused(state) : accept({ _tag: "BecameAvailable" })
    case "Failed":
      return accept()
  }
}

const paused = (state: PipelineState): Decision =>
  isActive(state.lifecycle) ? undrained(state) : accept({ _tag: "Paused" })

const undrained = (state: PipelineState): Decision =>
  reject("already_running", `run ${state.run?.id} is not drained yet`)

/** It cannot be deployed, or what it does cannot go on without a person. */
export const failDeployment = (state: PipelineState, error: Reason): Decision =>
  mayDeploy(state.deployment, "DeploymentFailed")
    ? accept({ _tag: "DeploymentFailed", error })
    : reject("illegal_transition", `a pipeline that is ${state.deployment} cannot fail`)

/** It stays wanted, and cannot work for the time being. */
export const becomeUnavailable = (state: PipelineState, reason: Reason): Decision =>
  mayDeploy(state.deployment, "BecameUnavailable")
    ? accept({ _tag: "BecameUnavailable", reason })
    : reject("illegal_transition", `a pipeline that is ${state.deployment} cannot become unavailable`)

/** A process that leaves, or finds what another has left, says that nobody is at work: status may not lie. */
export const suspend = (state: PipelineState, reason: Reason, life: number | null): Decision => {
  const events: Array<PipelineEvent> = []
  if (isActive(state.lifecycle) && state.run !== null) {
    if (state.run.lives !== life) return reject("already_running", `run ${state.run.id} is under way`)
    events.push({ _tag: "Crashed", run: state.run.id, reason })
  }
  if (mayDeploy(state.deployment, "BecameUnavailable")) events.push({ _tag: "BecameUnavailable", reason })
  return accept(...events)
}

/** The run has ended in a way that the deployment must own up to: what may come back, or what waits for a person. */
export const ended = (
  state: PipelineState,
  event: Extract<PipelineEvent, { readonly _tag: "Failed" | "Crashed" }>
): Decision => {
  // A pause or a shutdown is nothing that happened to the deployment.
  const isDeployed = state.deployment === "Running" || state.deployment === "Unavailable"
  if (state.desired !== "Running" || !isDeployed || event.reason.code === interrupted.code) {
    return accept(event)
  }
  if (event._tag === "Failed") return accept(event, { _tag: "DeploymentFailed", error: event.reason })
  return state.deployment === "Running"
    ? accept(event, { _tag: "BecameUnavailable", reason: event.reason })
    : accept(event)
}

/** The run was asked to stop before its end; it is drained, keeps its place, and can be resumed. */
export const interrupted: Reason = { code: "interrupted", message: "the run was stopped before its end" }

/** A definition changes only while nothing of the old one is deployed or unfinished. */
export const mayDefine = (state: PipelineState, ifVersion: number | undefined): Decision => {
  const version = state.definition?.version ?? 0
  if (ifVersion !== undefined && ifVersion !== version) {
    return reject(
      "stale_version",
      `the definition is at version ${version}, not at ${ifVersion}: somebody else changed it`,
      "look at it again"
    )
  }
  // An unfinished run resumes under the definition that sealed its batches, so that one must stay.
  if (hasUnfinishedRun(state)) {
    return reject(
      "unfinished_run",
      `run ${state.run?.id} of this pipeline is unfinished (${state.lifecycle}) under another definition`,
      "run the file as it was, to its end, or give the run up with --abandon"
    )
  }
  // What is sealed was made by the definition in force, and its sinks are the only ones who know what they hold.
  if (isBenchBusy(state)) return benchIsBusy(state)
  return state.deployment === "Shutdown" && state.desired === "Shutdown"
    ? accept()
    : reject(
        "not_shut_down",
        `the pipeline is ${state.deployment}, wanted ${state.desired}: its definition is in use`,
        "shut it down first"
      )
}
