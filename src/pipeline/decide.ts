/**
 * What a command means, given what already happened. Pure: no clock, no randomness, no services.
 *
 * @module
 */
import { Result } from "effect"
import type { PipelineEvent, Reason } from "../../events/PipelineEvent.ts"
import { hasUnfinishedRun, type PipelineState } from "../../projections/PipelineState.ts"
import { isActive, mayFollow } from "../../projections/transitions.ts"
import { type Command, Rejection, type RejectionCode } from "./Command.ts"
import { decideRecord } from "./decideRecord.ts"

export type Decision = Result.Result<ReadonlyArray<PipelineEvent>, Rejection>

export const decide = (command: Command, state: PipelineState): Decision => {
  switch (command._tag) {
    case "Define":
      // An unfinished run resumes under the definition that sealed its batches, so that one must stay.
      return hasUnfinishedRun(state)
        ? reject(
            "unfinished_run",
            `run ${state.run?.id} of this pipeline is unfinished (${state.lifecycle}) under another definition`,
            "run the file as it was, to its end, or give the run up with --abandon"
          )
        : accept({ _tag: "Defined", ...command.definition })
    case "SetDesired":
      return state.desired === command.desired
        ? accept()
        : accept({ _tag: "DesiredStatusSet", desired: command.desired, reason: command.reason })
    case "AdvanceDeployment":
      return advance(state)
    case "Trigger":
      return trigger(state, command.reason)
    case "StartRun":
      return startRun(state, command.run)
    case "ResumeRun":
      return resumeRun(state, command.lost, command.life)
    case "Record":
      return isActive(state.lifecycle) && state.run !== null
        ? decideRecord(command.entry, state, state.run)
        : reject("not_running", `the pipeline is ${state.lifecycle}: there is no run to record for`)
    case "CompleteRun":
      return completeRun(state)
    case "FailRun":
      return hasUnfinishedRun(state) && state.run !== null
        ? accept({ _tag: "Failed", run: state.run.id, reason: command.reason })
        : reject("not_running", `the pipeline is ${state.lifecycle}: there is no run to fail`)
    case "CrashRun":
      return isActive(state.lifecycle) && state.run !== null
        ? accept({ _tag: "Crashed", run: state.run.id, reason: command.reason })
        : reject("not_running", `the pipeline is ${state.lifecycle}: there is no run to crash`)
  }
}

/** Shared by the deciders: nothing to say is not an error, so nothing is logged. */
export const accept = (...events: ReadonlyArray<PipelineEvent>): Decision => Result.succeed(events)

export const reject = (code: RejectionCode, message: string, suggestion?: string): Decision =>
  Result.fail(new Rejection({ code, message, ...(suggestion === undefined ? {} : { suggestion }) }))

/** The next event on the way from the actual status to the desired one; none when it is reached. */
const advance = (state: PipelineState): Decision => {
  if (state.deployment === "ShuttingDown") return accept({ _tag: "ShutDown" })
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
      return state.desired === "Paused" ? accept({ _tag: "Paused" }) : accept()
    case "Unavailable":
    case "Failed":
      return accept()
  }
}

const trigger = (state: PipelineState, reason: string): Decision => {
  if (state.definition === null) return reject("no_definition", "the pipeline has no definition yet")
  if (state.definition.signature === null) {
    return reject(
      "invalid_definition",
      `the definition has ${state.definition.findings.length} findings`,
      "correct the pipeline file; `check` shows the findings"
    )
  }
  if (isActive(state.lifecycle)) return reject("already_running", `run ${state.run?.id} is under way`)
  if (hasUnfinishedRun(state)) {
    return reject(
      "unfinished_run",
      `run ${state.run?.id} is unfinished`,
      "resume it, or give it up with --abandon"
    )
  }
  return mayFollow(state.lifecycle, "Triggered")
    ? accept({ _tag: "Triggered", reason })
    : reject("illegal_transition", `a pipeline that is ${state.lifecycle} cannot be triggered`)
}

const startRun = (state: PipelineState, run: string): Decision => {
  const signature = state.definition?.signature ?? null
  if (signature === null) return reject("no_definition", "the pipeline has no valid definition")
  return mayFollow(state.lifecycle, "RunStarted")
    ? accept({ _tag: "RunStarted", run, signature, from: [] })
    : reject("illegal_transition", `a run cannot start while the pipeline is ${state.lifecycle}`)
}

/** A run nobody works on: it is `Crashed` first, if its owner had no time to say so, and then goes on. */
const resumeRun = (state: PipelineState, lost: Reason, life: number | null): Decision => {
  const { run } = state
  if (run === null || !hasUnfinishedRun(state)) {
    return reject("nothing_to_resume", `a pipeline that is ${state.lifecycle} has no run to resume`)
  }
  // Two workers on one run would write over each other: a life that is not known to be lost is somebody's.
  if (isActive(state.lifecycle) && run.lives !== life) {
    return reject("already_running", `run ${run.id} is under way`)
  }
  if (state.definition?.signature !== run.signature) {
    return reject(
      "stale_signature",
      `run ${run.id} was started under another definition than the one in force`,
      "define the pipeline as it was, or give the run up with --abandon"
    )
  }
  const crashed: ReadonlyArray<PipelineEvent> = isActive(state.lifecycle)
    ? [{ _tag: "Crashed", run: run.id, reason: lost }]
    : []
  return accept(...crashed, {
    _tag: "ReplayStarted",
    run: run.id,
    fromStage: null,
    from: Object.values(run.sources).flatMap(({ checkpoint }) => (checkpoint === null ? [] : [checkpoint])),
    generation: state.generation
  })
}

const completeRun = (state: PipelineState): Decision => {
  if (!isActive(state.lifecycle) || state.run === null) {
    return reject("not_running", `the pipeline is ${state.lifecycle}: there is no run to complete`)
  }
  if (state.open.length > 0) return reject("batches_owed", `${state.open.length} batches are not settled`)
  // C15: the finish is logged, then the output is made visible, and only then is the run complete.
  const open = Object.entries(state.run.outputs).filter(([, output]) => !output.finished)
  return open.length > 0
    ? reject(
        "outputs_unfinished",
        `the outputs of ${open.map(([stage]) => stage).join(", ")} are not finished`
      )
    : accept({ _tag: "Completed", run: state.run.id })
}
