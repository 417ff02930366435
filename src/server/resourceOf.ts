/**
 * A pipeline as the API shows it.
 *
 * @module
 */
import type { Reason } from "../../events/PipelineEvent.ts"
import type { DefinitionState } from "../../projections/PipelineState.ts"
import type { Listed, ListedRun } from "../../projections/Roster.ts"
import type { PipelineResource, SelectedPipeline } from "../api/PipelineResource.ts"
import type { Progress, Run } from "../api/Run.ts"
import type { HostedPipeline } from "../pipeline/Pipelines.ts"
import { findingJson, programInfo, programStatus } from "./programStatus.ts"
import { settingsOf } from "./ResourceSettings.ts"

/** How far the sources of a run at work are, where this process works on it. */
export type Sources = ReturnType<HostedPipeline["progress"]>

/** Without the long fields: no pipeline has to be woken, and no text to be read, for it. */
export const selectedOf = (
  listed: Listed,
  version: string,
  sources: Sources = [],
  text?: string
): SelectedPipeline => ({
  id: listed.id,
  name: listed.name,
  description: listed.description,
  created_at: iso(listed.registeredAt),
  version: listed.version.value,
  platform_version: version,
  program_version: listed.program.version,
  program_status: programStatus(listed, text),
  program_status_since: iso(listed.program.since),
  deployment_status: listed.deployment.value,
  deployment_status_since: iso(listed.deployment.since),
  deployment_desired_status: listed.desired.value,
  deployment_error: errorOf(listed.deploymentError.value),
  refresh_version: listed.version.value,
  lifecycle: listed.lifecycle.value,
  run: listed.run === null ? null : runOf(listed.run),
  progress: listed.run === null ? null : progressOf(listed.run, listed.lastEvent.at, sources)
})

/** With everything. `definition` is the one in force. */
export const resourceOf = (
  listed: Listed,
  definition: DefinitionState,
  version: string,
  sources?: Sources
): PipelineResource => {
  const settings = settingsOf(definition)
  return {
    ...(selectedOf(listed, version, sources, definition.text) as Always),
    runtime_config: settings.runtime_config,
    program_code: definition.text,
    udf_rust: settings.udf_rust,
    udf_toml: settings.udf_toml,
    program_config: settings.program_config,
    program_info: programInfo(definition.definition),
    program_findings: definition.findings.map(findingJson)
  }
}

type Always = Omit<PipelineResource, Exclude<keyof PipelineResource, keyof ReturnType<typeof selectedOf>>>

const iso = (ms: number): string => new Date(ms).toISOString()

const errorOf = (reason: Reason | null): PipelineResource["deployment_error"] =>
  reason === null
    ? null
    : {
        message: reason.message,
        error_code: reason.code,
        details: reason.suggestion === undefined ? {} : { suggestion: reason.suggestion }
      }

const runOf = (run: ListedRun): Run => ({
  run: run.id,
  outcome: run.outcome,
  trigger: run.trigger,
  started_at: iso(run.startedAt),
  ended_at: run.endedAt === null ? null : iso(run.endedAt),
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

/** Nothing, once the run is over; the speed is the average since the run began. */
const progressOf = (run: ListedRun, at: number, sources: Sources): Progress | null => {
  if (run.outcome !== "Running") return null
  const { aggregated = 0, delivered, filtered, lettered, read, unrouted } = run.counts
  const seconds = (at - run.startedAt) / 1000
  return {
    read,
    settled: delivered + filtered + unrouted + lettered + aggregated,
    in_flight_batches: run.open,
    ratio: ratioOf(sources),
    records_per_second: seconds > 0 ? read / seconds : 0,
    at: iso(at)
  }
}

/** Every source that knows its size counts the same; `null` where one does not. */
const ratioOf = (sources: Sources): number | null => {
  if (sources.length === 0) return null
  let sum = 0
  for (const { done, total } of sources) {
    if (total === null) return null
    sum += total === 0 ? 1 : Math.min(1, done / total)
  }
  return sum / sources.length
}
