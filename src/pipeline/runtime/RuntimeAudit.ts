/**
 * Is a history one that could have happened? Every event is decided again where it stands.
 *
 * @module
 */
import { Result } from "effect"
import { idempotencyKey } from "../../../events/Checkpoint.ts"
import { type Finding, finding } from "../../../events/Finding.ts"
import type { EventOf, PipelineEvent } from "../../../events/PipelineEvent.ts"
import * as PipelineState from "../../../projections/PipelineState.ts"
import { isActive, mayFollow } from "../../../projections/transitions.ts"
import { canonical } from "../../flow/contract/Contract.ts"
import type { Command } from "../Command.ts"
import type { Decision } from "../Decision.ts"
import { decide } from "../decide.ts"
import { defined, pipelineFindings } from "./RuntimePipeline.ts"
import type { Runtime } from "./RuntimeStep.ts"

/**
 * What is wrong with a runtime: findings of its pipeline, events that decide would not have given there
 * (`illegal_event`), keys a sink took twice (`duplicate_key`), a state that is not the fold of the events
 * (`state_differs`). Pointers of events are `/events/<index>`.
 */
export const historyFindings = (runtime: Runtime): ReadonlyArray<Finding> => {
  const { events, pipeline } = runtime
  const kinds = new Map(pipeline.stages.map(({ kind, name }) => [name, kind]))
  const findings: Array<Finding> = [...pipelineFindings(pipeline)]
  const keys = new Set<string>()
  let state = PipelineState.initial
  for (const [index, event] of events.entries()) {
    const at = ["events", index]
    const kind = "stage" in event ? kinds.get(event.stage) : undefined
    const right =
      index === 0 ? canonical(event) === canonical(defined(pipeline)) : couldFollow(state, event, kind)
    if (!right) findings.push(finding("illegal_event", at, `${event._tag} could not happen here`))
    if (kind === "sink" && "key" in event) {
      const held = canonical([event.stage, event.key])
      if (keys.has(held))
        findings.push(finding("duplicate_key", at, `${event.stage} held ${event.key} already`))
      keys.add(held)
    }
    state = PipelineState.evolve(state, event)
  }
  if (canonical(state) !== canonical(runtime.state)) {
    findings.push(finding("state_differs", ["state"], "The state is not what the events amount to"))
  }
  return findings
}

/** Is its pipeline valid, and its history one that could have happened? `historyFindings` says why not. */
export const valid = (runtime: Runtime): boolean => historyFindings(runtime).length === 0

const couldFollow = (
  state: PipelineState.PipelineState,
  event: PipelineEvent,
  kind: string | undefined
): boolean => {
  switch (event._tag) {
    case "Scheduled":
      return mayFollow(state.lifecycle, event._tag)
    case "Triggered": {
      const { tick: _, ...untimed } = event
      return isDecided(decide({ _tag: "Trigger", reason: event.reason }, state), untimed)
    }
    case "Retried":
      return kind !== undefined && isDecided(decide(commandOf(event), state), event)
    case "StageApplied":
      if (kind !== "sink") return kind !== undefined && isActive(state.lifecycle)
      return isDecided(decide(confirmation(event, state), state), event)
    case "DuplicateSuppressed":
      return kind === "sink" && isDecided(decide(confirmation(event, state), state), event)
    case "BatchSealed":
    case "RunStarted":
    case "Completed":
    case "Failed":
    case "Crashed":
    case "ReplayStarted":
      return isDecided(decide(commandOf(event), state), event)
    // A runtime is defined once and never deployed, and its sinks have no output to finish.
    default:
      return false
  }
}

/** Exactly this event, whatever key the sink was given: the engine's own tells the decider which branch it is. */
const isDecided = (decision: Decision, event: PipelineEvent): boolean => {
  if (Result.isFailure(decision) || decision.success.length !== 1) return false
  const [decided] = decision.success
  return canonical("key" in event ? { ...decided, key: event.key } : decided) === canonical(event)
}

const confirmation = (
  event: EventOf<"StageApplied"> | EventOf<"DuplicateSuppressed">,
  state: PipelineState.PipelineState
): Command => {
  const { attempt, batch, stage } = event
  const generation = PipelineState.openBatch(state, batch)?.generation ?? state.generation
  const key = idempotencyKey({ pipeline: state.id, generation, batch, stage })
  const told =
    event._tag === "StageApplied"
      ? { records: event.records, lagMs: event.lagMs, duplicate: false }
      : { records: 0, lagMs: 0, duplicate: true }
  return {
    _tag: "Record",
    entry: { applied: [{ stage, batch, key, attempt, ...told, receipt: null }] }
  }
}

const commandOf = (
  event: EventOf<
    "BatchSealed" | "Retried" | "RunStarted" | "Completed" | "Failed" | "Crashed" | "ReplayStarted"
  >
): Command => {
  switch (event._tag) {
    case "BatchSealed": {
      const { _tag: _, generation: __, run: ___, ...seal } = event
      return { _tag: "Record", entry: { seals: [seal] } }
    }
    case "Retried": {
      const { _tag: _, ...retry } = event
      return { _tag: "Record", entry: { retries: [retry] } }
    }
    case "RunStarted":
      return { _tag: "StartRun", run: event.run }
    case "Completed":
      return { _tag: "CompleteRun" }
    case "Failed":
      return { _tag: "FailRun", reason: event.reason }
    case "Crashed":
      return { _tag: "CrashRun", reason: event.reason }
    case "ReplayStarted":
      return { _tag: "ResumeRun" }
  }
}
