/**
 * What an event means in numbers. Pure: the facts of the flow are events, so they are counted where they
 * are logged, and nowhere else.
 *
 * Counted is what the log decides, not what was tried: a branch counts once, when it is settled, by the seal
 * of the attempt that won.
 *
 * @module
 */
import type { EventOf, PipelineEvent, Reason, SealedBranch } from "../../events/PipelineEvent.ts"
import * as Bench from "../../projections/Bench.ts"
import * as OpenBatch from "../../projections/OpenBatch.ts"
import { own } from "../../projections/own.ts"
import { abandoned, openBatch, type PipelineState } from "../../projections/PipelineState.ts"
import { outcomeOf } from "../../projections/RedriveOutcomes.ts"
import type { runEnds } from "./metricTable.ts"
import type { NamesOf } from "./series.ts"

/** One step of one series of a pipeline: a counter grows by the value, a histogram observes it. */
export interface Measure {
  readonly metric: NamesOf<"counter" | "histogram">
  readonly value: number
  readonly stage?: string
  /** The value of the label `status` or `reason`. */
  readonly kind?: string
}

/** `before` is the state the event happened to. */
export const measure = (before: PipelineState, event: PipelineEvent): ReadonlyArray<Measure> => {
  switch (event._tag) {
    case "BatchSealed":
      return openBatch(before, event.batch) === undefined ? sealed(event) : []
    case "StageApplied":
      return applied(before, event, [
        { metric: "millrace_batch_duration_seconds", value: event.lagMs / 1000, stage: event.stage }
      ])
    case "DuplicateSuppressed":
      return applied(before, event, [
        { metric: "millrace_duplicates_suppressed_total", value: 1, stage: event.stage }
      ])
    case "RedriveSealed":
    case "RedriveApplied":
      return redriven(before, event)
    case "DeadLettersDiscarded":
      return [{ metric: "millrace_dead_letters_discarded_total", value: event.letters.length }]
    case "Retried":
      return [{ metric: "millrace_retries_total", value: 1, stage: event.stage }]
    case "RunStarted":
      return [{ metric: "millrace_runs_started_total", value: 1 }]
    case "ReplayStarted":
      return [{ metric: "millrace_runs_resumed_total", value: 1 }]
    case "Completed":
      return ended("completed")
    case "Failed":
      return ended(event.reason.code === abandoned ? "abandoned" : "failed")
    case "Crashed":
      return ended(isCleanStop(event.reason) ? "interrupted" : "crashed")
    case "Triggered":
      return event.tick === undefined ? [] : [{ metric: "millrace_ticks_triggered_total", value: 1 }]
    case "TickSkipped":
      return [{ metric: "millrace_ticks_skipped_total", value: event.count ?? 1, kind: event.reason }]
    default:
      return []
  }
}

/** A run that was drained because somebody wanted it: it keeps its place, and nothing went wrong. */
export const isCleanStop = ({ code }: Reason): boolean => code === "interrupted" || code === "service_stopped"

const ended = (kind: (typeof runEnds)[number]): ReadonlyArray<Measure> => [
  { metric: "millrace_runs_ended_total", value: 1, kind }
]

/** A first seal: what it has nothing for is settled by it. */
const sealed = (event: EventOf<"BatchSealed">): ReadonlyArray<Measure> => [
  { metric: "millrace_records_read_total", value: event.count, stage: event.source },
  { metric: "millrace_batches_sealed_total", value: 1, stage: event.source },
  ...Object.entries(event.branches).flatMap(([stage, of]) => (of.records === 0 ? outcome(stage, of) : []))
]

const applied = (
  before: PipelineState,
  { attempt, batch, stage }: EventOf<"StageApplied"> | EventOf<"DuplicateSuppressed">,
  also: ReadonlyArray<Measure>
): ReadonlyArray<Measure> => {
  const open = openBatch(before, batch)
  // Settled before, as by a repetition: nothing happened.
  if (open === undefined || OpenBatch.won(open, stage, attempt) === open) return []
  const winner = own(open.attempts[attempt]?.branches, stage)
  return [
    { metric: "millrace_batches_applied_total", value: 1, stage },
    ...(winner === undefined ? [] : outcome(stage, winner)),
    ...also
  ]
}

/** A redrive counts once, when it is settled; what a sink holds of it counts with the rest that it holds. */
const redriven = (
  before: PipelineState,
  event: EventOf<"RedriveSealed"> | EventOf<"RedriveApplied">
): ReadonlyArray<Measure> => {
  const bench = before.bench ?? Bench.initial
  const settled = Bench.settledBetween(bench, Bench.evolve(bench, event), event)
  const held: ReadonlyArray<Measure> =
    event._tag === "RedriveApplied"
      ? [{ metric: "millrace_records_applied_total", value: event.records, stage: event.stage }]
      : []
  if (settled === undefined) return held
  const kind = outcomeOf(settled).outcome
  return [...held, { metric: "millrace_redrives_settled_total", value: 1, kind }]
}

/** All of them, also where they are 0: a series that is there from the start shows its first step. */
const outcome = (stage: string, of: SealedBranch): ReadonlyArray<Measure> => [
  { metric: "millrace_records_applied_total", value: of.records, stage },
  { metric: "millrace_records_filtered_total", value: of.filtered, stage },
  { metric: "millrace_records_unrouted_total", value: of.unrouted, stage },
  { metric: "millrace_records_dead_lettered_total", value: of.lettered, stage },
  ...(of.aggregated === undefined
    ? []
    : [{ metric: "millrace_records_aggregated_total" as const, value: of.aggregated, stage }])
]
