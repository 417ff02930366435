/**
 * What a pipeline's schedule has to reckon with. Pure.
 *
 * @module
 */
import {
  type Definition,
  decodeDefinition,
  type ScheduleDefinition,
  type Use
} from "../../events/Definition.ts"
import type { Reason } from "../../events/PipelineEvent.ts"
import { hasUnfinishedRun, type PipelineState } from "../../projections/PipelineState.ts"
import { isActive } from "../../projections/transitions.ts"
import type { Situation } from "../schedule/dueTicks.ts"

/** The log has a run that nobody finished, or a deployment that nobody took down: the next owner says so. */
export const processLost: Reason = { code: "process_lost", message: "the process that ran it is gone" }
/** The last process drained what it did and left in peace. */
export const serviceStopped: Reason = { code: "service_stopped", message: "the service was stopped" }

/** It is unavailable only because no process has it. */
export const isLeft = ({ deployment, deploymentError }: PipelineState): boolean =>
  deployment === "Unavailable" &&
  (deploymentError?.code === processLost.code || deploymentError?.code === serviceStopped.code)

/**
 * Ticks are decided by what is wanted, so that one that falls due during a start is not lost. A time without a
 * process is not a hindrance either: its ticks were missed, and `catch_up` says what becomes of them.
 */
export const situationOf = (state: PipelineState): Situation => {
  if (state.desired === "Shutdown" || state.definition?.signature == null) return "shutdown"
  if (state.deployment === "Failed") return "failed"
  if (state.desired === "Paused") return "paused"
  if (state.deployment === "Unavailable" && !isActive(state.lifecycle) && !isLeft(state)) return "unavailable"
  return state.lifecycle === "Triggered" || hasUnfinishedRun(state) ? "running" : "idle"
}

interface Decoded {
  readonly schedule: ScheduleDefinition
  readonly sources: Readonly<Record<string, Use>>
}

const none: Decoded = { schedule: "manual", sources: {} }
const decoded = new WeakMap<object, Decoded>()

/** What is often asked of the definition in force, decoded once. */
const decodedOf = ({ definition }: Pick<PipelineState, "definition">): Decoded => {
  const wire = definition?.definition
  if (typeof wire !== "object" || wire === null) return none
  const known = decoded.get(wire)
  if (known !== undefined) return known
  const result = decodeDefinition(wire)
  const made = result._tag === "Success" ? picked(result.success) : none
  decoded.set(wire, made)
  return made
}

const picked = ({ schedule, stages }: Definition): Decoded => ({
  schedule,
  sources: Object.fromEntries(
    Object.entries(stages).flatMap(([name, { source }]) => (source === undefined ? [] : [[name, source]]))
  )
})

/** The schedule of the definition in force; `manual` while there is none that is valid. */
export const scheduleOf = (state: Pick<PipelineState, "definition">): ScheduleDefinition =>
  decodedOf(state).schedule

/** The sources of the definition in force, by stage. */
export const sourcesOf = (state: Pick<PipelineState, "definition">): Readonly<Record<string, Use>> =>
  decodedOf(state).sources

/** It has a run of its own accord, as long as it is running. */
export const isContinuous = (state: PipelineState): boolean => scheduleOf(state) === "continuous"

/** A newer tick is to take the place of the run under way. */
export const isOutrun = (state: PipelineState): boolean => {
  const schedule = scheduleOf(state)
  return (
    typeof schedule === "object" && schedule.overlap === "cancel_running" && state.schedule.waiting.length > 0
  )
}
