/**
 * A pipeline's past and present as they leave the process, for the API and for `--json`.
 *
 * @module
 */
import { endOfTime } from "../../events/BatchMemory.ts"
import { own } from "../../projections/own.ts"
import { timeNow, watermarkOf } from "../../projections/RunMemory.ts"
import type { RunCounts } from "../../projections/RunState.ts"
import * as Telemetry from "../../projections/Telemetry.ts"
import type { PastCheckpoint } from "../api/history.ts"
import type { Run } from "../api/Run.ts"
import type { Stats } from "../api/Stats.ts"
import type { ScheduleView } from "../api/schedule.ts"
import type { Why } from "../api/timeTravel.ts"
import * as History from "../pipeline/History.ts"
import type { HostedPipeline } from "../pipeline/Pipelines.ts"
import { timeText } from "./eventText.ts"

/** Of the current run; `progress` is that of the worker, if one is at work in this process. */
export const statsJson = (
  history: History.History,
  progress: ReturnType<HostedPipeline["progress"]>
): Stats => {
  const { telemetry } = history
  const { deployment, lifecycle, open, run } = History.pipelineOf(history)
  const { aggregated, batches, delivered, filtered, lettered, read, unrouted } = run?.counts ?? noCounts
  const live = new Map(progress.map(({ stage, ...of }) => [stage, of]))
  return {
    run: run?.id ?? null,
    lifecycle,
    deployment_status: deployment,
    totals: {
      read,
      delivered,
      filtered,
      unrouted,
      dead_lettered: lettered,
      ...(aggregated === undefined ? {} : { aggregated }),
      batches
    },
    watermark: eventTimeText(timeNow(run?.memory)?.combined ?? null),
    in_flight: { batches: open.length, records: open.reduce((sum, { count }) => sum + count, 0) },
    records_per_second: Telemetry.recordsPerSecond(telemetry),
    stages: Object.entries(telemetry.stages).map(([stage, of]) => ({
      stage,
      batches: of.batches,
      records: of.records,
      lag_ms_last: of.lagMsLast,
      lag_ms_max: of.lagMsMax,
      lag_ms_mean: Telemetry.lagMsMean(of),
      retries: of.retries,
      duplicates: of.duplicates
    })),
    sources: [...new Set([...Object.keys(run?.sources ?? {}), ...live.keys()])].map((source) => {
      const of = own(run?.sources, source)
      return {
        source,
        sealed_offset: of?.sealed?.offset ?? 0,
        settled_offset: of?.checkpoint?.offset ?? 0,
        watermark: eventTimeText(watermarkOf(run?.memory, source)),
        progress: live.get(source) ?? null
      }
    })
  }
}

/** At the end of time there is nothing left to wait for. */
export const eventTimeText = (at: number | null): string | null =>
  at === null || at === endOfTime ? null : timeText(at)

const noCounts: RunCounts = {
  read: 0,
  delivered: 0,
  filtered: 0,
  unrouted: 0,
  lettered: 0,
  batches: 0,
  applied: {}
}

export const runJson = (run: History.PastRun): Run => ({
  run: run.id,
  outcome: run.outcome,
  trigger: run.trigger,
  started_at: timeText(run.startedAt),
  ended_at: run.endedAt === null ? null : timeText(run.endedAt),
  resumes: run.resumes,
  failure: run.failure,
  read: run.counts.read,
  filtered: run.counts.filtered,
  unrouted: run.counts.unrouted,
  dead_lettered: run.counts.lettered,
  ...(run.counts.aggregated === undefined ? {} : { aggregated: run.counts.aggregated }),
  applied: run.counts.applied,
  batches: run.counts.batches
})

export const checkpointJson = ({ at, ...checkpoint }: History.PastCheckpoint): PastCheckpoint => ({
  ...checkpoint,
  at: timeText(at)
})

/** `wire` is the schedule as the definition writes it. */
export const scheduleJson = (history: History.History, view: History.ScheduleView): ScheduleView => ({
  schedule: wireSchedule(history),
  situation: view.situation,
  next: view.next.map(({ dueAt, local, note, offset, tick, timeZone }) => ({
    tick,
    due_at: timeText(dueAt),
    local,
    offset,
    time_zone: timeZone,
    ...(note === undefined ? {} : { note })
  })),
  waiting: view.waiting,
  past: view.past.map(({ at, run, ...tick }) => ({
    ...tick,
    at: timeText(at),
    run: run?.id ?? null,
    run_outcome: run?.outcome ?? null
  }))
})

/** What a definition leaves out is `manual`. */
const wireSchedule = (history: History.History): ScheduleView["schedule"] => {
  const wire = History.pipelineOf(history).definition?.definition ?? null
  return wire === null
    ? null
    : ((wire as { readonly schedule?: ScheduleView["schedule"] }).schedule ?? "manual")
}

export const whyJson = (why: History.Why, version: number): Why => ({
  version,
  desired: { value: why.desired, ...chainJson(why.because.desired) },
  deployment: { value: why.deployment, ...chainJson(why.because.deployment) },
  lifecycle: { value: why.lifecycle, ...chainJson(why.because.lifecycle) },
  run: { value: why.run, ...chainJson(why.because.run) }
})

const chainJson = ({ links, omitted }: History.Chain) => ({
  because: links.map(({ at, by, causationId, correlationId, eventId, follows, says, type, version }) => ({
    version,
    at: timeText(at),
    type,
    by,
    says,
    follows,
    event_id: eventId,
    causation_id: causationId,
    correlation_id: correlationId
  })),
  omitted
})

/** `at` is `null` before the first event. */
export const placeJson = ({ at, version }: { readonly at: number | null; readonly version: number }) => ({
  version,
  at: at === null ? null : timeText(at)
})
