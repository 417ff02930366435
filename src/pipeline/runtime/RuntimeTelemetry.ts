/**
 * What a runtime did, counted over its whole history: all runs, re-reads included.
 *
 * @module
 */
import type { Checkpoint } from "../../../events/Checkpoint.ts"
import type { PipelineEvent } from "../../../events/PipelineEvent.ts"
import * as PipelineState from "../../../projections/PipelineState.ts"
import type { Runtime } from "./RuntimeStep.ts"

/** What one stage did. Lag is in milliseconds, from reading a batch to the end of the stage's step. */
export interface StageTelemetry {
  readonly steps: number
  readonly records: number
  readonly retries: number
  /** Each record once, in however many attempts it was sealed as a letter of this stage. */
  readonly deadLetters: number
  /** Branches that were settled because the sink held their key already. */
  readonly duplicates: number
  readonly lagMsLast: number
  readonly lagMsMax: number
}

/** A checkpoint and the lag of the step that led to it; `null` where the sink had lost its answer. */
export interface CheckpointTelemetry extends Pick<Checkpoint, "source" | "batch" | "offset"> {
  readonly lagMs: number | null
}

/** Every stage of the pipeline, the sums over them, and every place the sources came to. */
export interface RuntimeTelemetry {
  readonly stages: Readonly<Record<string, StageTelemetry>>
  readonly retries: number
  readonly deadLetters: number
  readonly duplicates: number
  readonly lagMsLast: number
  readonly lagMsMax: number
  /** Oldest first. */
  readonly checkpoints: ReadonlyArray<CheckpointTelemetry>
}

/** The counts of a runtime. */
export const telemetry = ({ events, pipeline }: Runtime): RuntimeTelemetry => {
  const stages = new Map(pipeline.stages.map(({ name }) => [name, none]))
  const letters = new Set<string>()
  const change = (stage: string, add: (of: StageTelemetry) => Partial<StageTelemetry>): void => {
    const of = stages.get(stage) ?? none
    stages.set(stage, { ...of, ...add(of) })
  }
  let lagMsLast = 0
  for (const event of events) {
    if (event._tag === "BatchSealed") {
      for (const { id, stage } of event.letters) {
        const known = letters.has(`${id} ${stage}`)
        letters.add(`${id} ${stage}`)
        if (!known) change(stage, ({ deadLetters }) => ({ deadLetters: deadLetters + 1 }))
      }
    } else if (event._tag === "StageApplied") {
      const { lagMs, records, stage } = event
      lagMsLast = lagMs
      change(stage, (of) => ({
        steps: of.steps + 1,
        records: of.records + records,
        lagMsLast: lagMs,
        lagMsMax: Math.max(of.lagMsMax, lagMs)
      }))
    } else if (event._tag === "DuplicateSuppressed") {
      change(event.stage, ({ duplicates }) => ({ duplicates: duplicates + 1 }))
    } else if (event._tag === "Retried") {
      change(event.stage, ({ retries }) => ({ retries: retries + 1 }))
    }
  }
  const all = [...stages.values()]
  const sum = (of: (stage: StageTelemetry) => number): number => all.reduce((sum, each) => sum + of(each), 0)
  return {
    stages: Object.fromEntries(stages),
    retries: sum(({ retries }) => retries),
    deadLetters: sum(({ deadLetters }) => deadLetters),
    duplicates: sum(({ duplicates }) => duplicates),
    lagMsLast,
    lagMsMax: Math.max(0, ...all.map(({ lagMsMax }) => lagMsMax)),
    checkpoints: reached(events)
  }
}

const none: StageTelemetry = {
  steps: 0,
  records: 0,
  retries: 0,
  deadLetters: 0,
  duplicates: 0,
  lagMsLast: 0,
  lagMsMax: 0
}

/** A place is new when the fold has moved: not every event that moves it can name it. */
const reached = (events: ReadonlyArray<PipelineEvent>): ReadonlyArray<CheckpointTelemetry> => {
  const moves: Array<CheckpointTelemetry> = []
  let state = PipelineState.initial
  for (const event of events) {
    const before = state.run
    state = PipelineState.evolve(state, event)
    if (event._tag === "RunStarted" || state.run === before) continue
    for (const { checkpoint } of Object.values(state.run?.sources ?? {})) {
      if (checkpoint === null || before?.sources[checkpoint.source]?.checkpoint?.batch === checkpoint.batch)
        continue
      const { batch, offset, source } = checkpoint
      moves.push({ source, batch, offset, lagMs: event._tag === "StageApplied" ? event.lagMs : null })
    }
  }
  return moves
}
