/**
 * How fast the current run is, stage by stage, as the log has it.
 *
 * @module
 */
import type { Dated } from "./Runs.ts"

/** What one stage did. Lag is the time from reading a batch to its confirmation, in milliseconds. */
export interface StageTelemetry {
  readonly batches: number
  readonly records: number
  readonly lagMsLast: number
  readonly lagMsMax: number
  readonly lagMsSum: number
  readonly retries: number
  readonly duplicates: number
}

export interface Telemetry {
  readonly run: string | null
  /** Records read, counted at the first seal of their batch. */
  readonly read: number
  /** How often the place of a source moved on. */
  readonly checkpoints: number
  /** When the run began and when it last got on, in milliseconds since 1970. */
  readonly firstAt: number
  readonly lastAt: number
  readonly stages: Readonly<Record<string, StageTelemetry>>
}

export const initial: Telemetry = { run: null, read: 0, checkpoints: 0, firstAt: 0, lastAt: 0, stages: {} }

export const evolve = (state: Telemetry, { at, event }: Dated): Telemetry => {
  switch (event._tag) {
    case "RunStarted":
      return { ...initial, run: event.run, firstAt: at, lastAt: at }
    case "BatchSealed":
      return { ...state, lastAt: at, read: state.read + (event.attempt === 1 ? event.count : 0) }
    case "StageApplied": {
      const { checkpoint, lagMs, records, stage } = event
      const moved = { ...state, lastAt: at, checkpoints: state.checkpoints + (checkpoint === null ? 0 : 1) }
      return changed(moved, stage, (of) => ({
        ...of,
        batches: of.batches + 1,
        records: of.records + records,
        lagMsLast: lagMs,
        lagMsMax: Math.max(of.lagMsMax, lagMs),
        lagMsSum: of.lagMsSum + lagMs
      }))
    }
    case "DuplicateSuppressed":
      return changed(state, event.stage, (of) => ({ ...of, duplicates: of.duplicates + 1 }))
    case "Retried":
      return changed(state, event.stage, (of) => ({ ...of, retries: of.retries + 1 }))
    default:
      return state
  }
}

/** Records a second between the start of the run and its last batch; 0 where no time has passed. */
export const recordsPerSecond = ({ firstAt, lastAt, read }: Telemetry): number =>
  lastAt > firstAt ? (read * 1000) / (lastAt - firstAt) : 0

/** What a stage did; nothing, when the log does not mention it. A stage may be called `constructor`. */
export const ofStage = ({ stages }: Telemetry, stage: string): StageTelemetry =>
  Object.hasOwn(stages, stage) ? stages[stage]! : none

/** The mean lag of a stage, in milliseconds; 0 before its first batch. */
export const lagMsMean = ({ batches, lagMsSum }: StageTelemetry): number =>
  batches === 0 ? 0 : lagMsSum / batches

const none: StageTelemetry = {
  batches: 0,
  records: 0,
  lagMsLast: 0,
  lagMsMax: 0,
  lagMsSum: 0,
  retries: 0,
  duplicates: 0
}

const changed = (
  state: Telemetry,
  stage: string,
  change: (of: StageTelemetry) => StageTelemetry
): Telemetry => ({ ...state, stages: { ...state.stages, [stage]: change(ofStage(state, stage)) } })
