/**
 * What a command means, given what already happened. Pure: no clock, no randomness, no services.
 *
 * @module
 */
import { Result } from "effect"
import type { Reason } from "../../events/PipelineEvent.ts"
import { hasUnfinishedRun, type PipelineState } from "../../projections/PipelineState.ts"
import type { RunState } from "../../projections/RunState.ts"
import { isActive, mayFollow } from "../../projections/transitions.ts"
import type { Command } from "./Command.ts"
import { accept, type Decision, reject } from "./Decision.ts"
import * as Deployment from "./decideDeployment.ts"
import { decideRecord } from "./decideRecord.ts"
import * as Letters from "./letters/decideLetters.ts"
import { recordRedrives } from "./letters/recordRedrives.ts"
import { decideReplay } from "./replay/decideReplay.ts"

export const decide = (command: Command, state: PipelineState): Decision => {
  switch (command._tag) {
    case "Tick":
      // What is due is decided by `decideInTime`, which knows what time it is.
      return accept()
    case "Define":
      return Result.flatMap(Deployment.mayDefine(state, command.ifVersion), () =>
        accept({ _tag: "Defined", ...command.definition })
      )
    case "SetDesired":
      return Deployment.setDesired(state, command.desired, command.reason)
    case "Run":
      return run(state, command.reason)
    case "AdvanceDeployment":
      return Deployment.advance(state)
    case "FailDeployment":
      return Deployment.failDeployment(state, command.error)
    case "BecomeUnavailable":
      return Deployment.becomeUnavailable(state, command.reason)
    case "Suspend":
      return Deployment.suspend(state, command.reason, command.life)
    case "Trigger":
      return trigger(state, command)
    case "StartRun":
      return startRun(state, command.run)
    case "ResumeRun":
      return resumeRun(state)
    case "Replay":
      return decideReplay(state, command)
    case "Record":
      return ofRunAtWork(state, command.life, "record for", (run) => decideRecord(command.entry, state, run))
    case "RequestRedrive":
      return Letters.requestRedrive(state, command)
    case "WithdrawRedrives":
      return Letters.withdrawRedrives(state, command)
    case "DiscardLetters":
      return Letters.discardLetters(state, command)
    case "RecordRedrives":
      return recordRedrives(command.entry, state)
    case "StallRedrives":
      return Letters.stallRedrives(state, command)
    case "CompleteRun":
      return ofRunAtWork(state, command.life, "complete", (run) => completeRun(state, run))
    case "FailRun":
      return isActive(state.lifecycle)
        ? ofRunAtWork(state, command.life, "fail", ({ id }) =>
            Deployment.ended(state, { _tag: "Failed", run: id, reason: command.reason })
          )
        : giveUp(state, command.reason)
    case "CrashRun":
      return ofRunAtWork(state, command.life, "crash", ({ id }) =>
        Deployment.ended(state, { _tag: "Crashed", run: id, reason: command.reason })
      )
  }
}

/** A run that somebody works on; `life` is the one the asker was begun for, if it says so. */
const ofRunAtWork = (
  state: PipelineState,
  life: number | undefined,
  verb: string,
  decideOn: (run: RunState) => Decision
): Decision =>
  isActive(state.lifecycle) && state.run !== null && (life ?? state.run.lives) === state.run.lives
    ? decideOn(state.run)
    : reject("not_running", `the pipeline is ${state.lifecycle}: there is no run to ${verb}`)

/** A run that nobody works on and that will not be finished. */
const giveUp = (state: PipelineState, reason: Reason): Decision =>
  hasUnfinishedRun(state) && state.run !== null
    ? accept({ _tag: "Failed", run: state.run.id, reason })
    : reject("not_running", `the pipeline is ${state.lifecycle}: there is no run to fail`)

/** What is unfinished goes on by itself; triggered and then killed, the log already has what this would say. */
const run = (state: PipelineState, reason: string): Decision =>
  Result.flatMap(Deployment.setDesired(state, "Running", reason), (wanted) =>
    hasUnfinishedRun(state) || state.lifecycle === "Triggered"
      ? accept(...wanted)
      : Result.map(trigger(state, { _tag: "Trigger", reason }), (triggered) => [...wanted, ...triggered])
  )

const trigger = (
  state: PipelineState,
  { deployed, reason }: Extract<Command, { readonly _tag: "Trigger" }>
): Decision => {
  if (state.definition === null) return reject("no_definition", "the pipeline has no definition yet")
  if (state.definition.signature === null) return Deployment.invalid(state)
  if (deployed === true && (state.desired !== "Running" || state.deployment === "Failed")) {
    return reject(
      "not_deployed",
      `the pipeline is ${state.deployment}, wanted ${state.desired}`,
      "start it first"
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

const resumeRun = (state: PipelineState): Decision => {
  const { run } = state
  if (run === null || !hasUnfinishedRun(state)) {
    return reject("nothing_to_resume", `a pipeline that is ${state.lifecycle} has no run to resume`)
  }
  // Two workers on one run would write over each other.
  if (isActive(state.lifecycle)) return reject("already_running", `run ${run.id} is under way`)
  if (state.definition?.signature !== run.signature) {
    return reject(
      "stale_signature",
      `run ${run.id} was started under another definition than the one in force`,
      "define the pipeline as it was, or give the run up with --abandon"
    )
  }
  return accept({
    _tag: "ReplayStarted",
    run: run.id,
    fromStage: run.only?.stage ?? null,
    from: Object.values(run.sources).flatMap(({ checkpoint }) => (checkpoint === null ? [] : [checkpoint])),
    generation: state.generation
  })
}

const completeRun = (state: PipelineState, run: RunState): Decision => {
  if (state.open.length > 0) return reject("batches_owed", `${state.open.length} batches are not settled`)
  // C15: the finish is logged, then the output is made visible, and only then is the run complete.
  const open = Object.entries(run.outputs).filter(([, output]) => !output.finished)
  return open.length > 0
    ? reject(
        "outputs_unfinished",
        `the outputs of ${open.map(([stage]) => stage).join(", ")} are not finished`
      )
    : accept({ _tag: "Completed", run: run.id })
}
