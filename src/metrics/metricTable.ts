/**
 * Every metric there is: its name, what it counts, in which unit, by which labels. The names say it all:
 * `millrace_<what>_<unit>`, `_total` where it only grows, seconds and bytes.
 *
 * Labels have few values: names of a definition (`pipeline`, `stage`, `driver`), or a closed set that stands
 * here. Nothing of a record is ever a label. The text of `/metrics`, the export and `METRICS.md` are this table.
 *
 * @module
 */
import type { EventOf } from "../../events/PipelineEvent.ts"
import { deployments, lifecycles } from "../../projections/transitions.ts"

export interface MetricRow {
  readonly kind: "counter" | "gauge" | "histogram"
  readonly unit: "records" | "batches" | "events" | "appends" | "seconds" | "bytes" | "1"
  readonly labels: ReadonlyArray<Label>
  readonly help: string
  /** The values of `status` or `reason`. */
  readonly values?: ReadonlyArray<string>
  /** Upper bounds of a histogram's buckets, in its unit. */
  readonly bounds?: ReadonlyArray<number>
}

export type Label = "pipeline" | "stage" | "driver" | "status" | "reason" | "model"

/** How a life of a run ends. `interrupted` is a clean stop that keeps its place, `abandoned` one given up. */
export const runEnds = ["completed", "failed", "crashed", "interrupted", "abandoned"] as const

/** What a redrive comes to: its letter has left, stands as it did, or has left on some of its branches. */
export const redriveEnds = ["left", "nacked", "partly"] as const

const skipReasons: ReadonlyArray<EventOf<"TickSkipped">["reason"]> = [
  "overlap",
  "missed",
  "paused",
  "failed",
  "unavailable",
  "shutdown"
]

/** Why the log took nothing: somebody else was first, somebody else owns the stream, or the store itself. */
export const appendFailures = [
  "version_conflict",
  "fenced",
  "unavailable",
  "disk_full",
  "locked",
  "unusable",
  "read_only"
] as const

/** A durable commit takes from a tenth of a millisecond to, on a bad day, seconds. */
const commitSeconds = [0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.5, 1, 5]
const batchSeconds = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300]
const counts = [1, 2, 4, 8, 16, 32, 64, 128, 256]

const branch = ["pipeline", "stage"] as const
const end = ["pipeline", "stage", "driver"] as const
const one = ["pipeline"] as const

export const metricTable = {
  // The flow: one pipeline's batches
  millrace_records_read_total: {
    kind: "counter",
    unit: "records",
    labels: end,
    help: "Records a source gave, counted when their batch is sealed."
  },
  millrace_records_applied_total: {
    kind: "counter",
    unit: "records",
    labels: end,
    help: "Records a sink holds, by the attempt that won."
  },
  millrace_records_filtered_total: {
    kind: "counter",
    unit: "records",
    labels: branch,
    help: "Records that were filtered out on the way to a sink."
  },
  millrace_records_unrouted_total: {
    kind: "counter",
    unit: "records",
    labels: branch,
    help: "Records for which no edge led to a sink."
  },
  millrace_records_dead_lettered_total: {
    kind: "counter",
    unit: "records",
    labels: branch,
    help: "Records owed to a sink that became dead letters; one that is owed to two sinks counts for both."
  },
  millrace_records_aggregated_total: {
    kind: "counter",
    unit: "records",
    labels: branch,
    help: "Records that an aggregate on the way to a sink has taken in; there only where there is one."
  },
  millrace_batches_sealed_total: {
    kind: "counter",
    unit: "batches",
    labels: branch,
    help: "Batches of a source, counted at their first seal."
  },
  millrace_batches_applied_total: {
    kind: "counter",
    unit: "batches",
    labels: branch,
    help: "Batches a sink was found to hold for the first time."
  },
  millrace_batch_duration_seconds: {
    kind: "histogram",
    unit: "seconds",
    labels: end,
    bounds: batchSeconds,
    help: "From reading a batch to its sink's confirmation."
  },
  millrace_batches_in_flight: {
    kind: "gauge",
    unit: "batches",
    labels: one,
    help: "Batches that are sealed and not settled by every sink."
  },
  millrace_lag_seconds: {
    kind: "gauge",
    unit: "seconds",
    labels: one,
    help: "Age of the oldest batch that is sealed and not settled by every sink; 0 when nothing is owed."
  },
  millrace_source_read_bytes: {
    kind: "gauge",
    unit: "bytes",
    labels: branch,
    help: "How far a source has been read in this run, where it is measured in bytes."
  },
  millrace_source_size_bytes: {
    kind: "gauge",
    unit: "bytes",
    labels: branch,
    help: "How much there is to be read of a source, where it knows."
  },
  millrace_retries_total: {
    kind: "counter",
    unit: "1",
    labels: end,
    help: "Calls of a source or a sink that are repeated."
  },
  millrace_duplicates_suppressed_total: {
    kind: "counter",
    unit: "batches",
    labels: branch,
    help: "Batches a sink held already, so that nothing was written."
  },

  // The dead-letter bench
  millrace_redrives_settled_total: {
    kind: "counter",
    unit: "records",
    labels: ["pipeline", "status"],
    values: redriveEnds,
    help: "Dead letters that were tried again, by what became of them on the sinks that were owed them."
  },
  millrace_dead_letters_discarded_total: {
    kind: "counter",
    unit: "records",
    labels: one,
    help: "Dead letters that somebody has discarded."
  },

  // Pipelines
  millrace_runs_started_total: { kind: "counter", unit: "1", labels: one, help: "Runs that began anew." },
  millrace_runs_resumed_total: {
    kind: "counter",
    unit: "1",
    labels: one,
    help: "Restarts: runs that went on from where they stopped."
  },
  millrace_runs_ended_total: {
    kind: "counter",
    unit: "1",
    labels: ["pipeline", "status"],
    values: runEnds,
    help: "Ends of a run, or of one of its lives: a run that crashes and goes on ends again."
  },
  millrace_ticks_triggered_total: {
    kind: "counter",
    unit: "1",
    labels: one,
    help: "Ticks of the schedule that started a run."
  },
  millrace_ticks_skipped_total: {
    kind: "counter",
    unit: "1",
    labels: ["pipeline", "reason"],
    values: skipReasons,
    help: "Ticks of the schedule that did not, and why."
  },
  millrace_deployment_status: {
    kind: "gauge",
    unit: "1",
    labels: ["pipeline", "status"],
    values: deployments,
    help: "1 for the status the deployment has; the others are left out."
  },
  millrace_lifecycle_status: {
    kind: "gauge",
    unit: "1",
    labels: ["pipeline", "status"],
    values: lifecycles,
    help: "1 for the status the run has; the others are left out."
  },
  millrace_pipelines_by_deployment: {
    kind: "gauge",
    unit: "1",
    labels: ["status"],
    values: deployments,
    help: "Pipelines whose deployment has this status, those that sleep included."
  },
  millrace_pipelines_by_lifecycle: {
    kind: "gauge",
    unit: "1",
    labels: ["status"],
    values: lifecycles,
    help: "Pipelines whose run has this status, those that sleep included."
  },
  millrace_pipelines_unmeasured: {
    kind: "gauge",
    unit: "1",
    labels: [],
    help: "Pipelines that are awake and have no series of their own, because so many others have."
  },

  // The log
  millrace_log_appends_total: {
    kind: "counter",
    unit: "appends",
    labels: [],
    help: "Appends the log has taken."
  },
  millrace_log_append_failures_total: {
    kind: "counter",
    unit: "appends",
    labels: ["reason"],
    values: appendFailures,
    help: "Appends the log has not taken; version_conflict and fenced are the conflicts."
  },
  millrace_log_append_events: {
    kind: "histogram",
    unit: "events",
    labels: [],
    bounds: counts,
    help: "Events of an append."
  },
  millrace_log_append_seconds: {
    kind: "histogram",
    unit: "seconds",
    labels: [],
    bounds: commitSeconds,
    help: "From asking for an append to its being durable."
  },
  millrace_log_commit_seconds: {
    kind: "histogram",
    unit: "seconds",
    labels: [],
    bounds: commitSeconds,
    help: "One durable transaction of the store."
  },
  millrace_log_group_appends: {
    kind: "histogram",
    unit: "appends",
    labels: [],
    bounds: counts,
    help: "Appends that share a transaction."
  },
  millrace_log_slow_commits_total: {
    kind: "counter",
    unit: "1",
    labels: [],
    help: "Transactions that took so long that a warning was logged."
  },
  millrace_log_snapshots_saved_total: { kind: "counter", unit: "1", labels: [], help: "Snapshots saved." },
  millrace_read_model_lag_seconds: {
    kind: "gauge",
    unit: "seconds",
    labels: ["model"],
    help: "How long a read model has known of events that it has not read; 0 when it is current."
  }
} as const satisfies Readonly<Record<string, MetricRow>>

export type MetricName = keyof typeof metricTable
