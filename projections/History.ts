/**
 * What people ask of a pipeline's past, in one pass over its events: how its runs went, how far it was
 * settled when, what became of its ticks, how fast it is, and why it is what it is.
 *
 * It keeps the newest of each and no more, so that its size does not grow with the history.
 *
 * @module
 */
import type { EventOf, PipelineEvent } from "../events/PipelineEvent.ts"
import type { StoredEvent } from "../events/StoredEvent.ts"
import * as Newest from "./Newest.ts"
import type { PipelineState } from "./PipelineState.ts"
import * as Runs from "./Runs.ts"
import * as Telemetry from "./Telemetry.ts"
import * as Why from "./Why.ts"

/** Runs, checkpoints and ticks that are kept, of each; older ones are in the log. */
export const historyMost = 1000

export interface PastRun extends Runs.Run {
  /** The tick that triggered it; `null` for one that was asked for. */
  readonly tick: string | null
}

/** A place of a source that was settled by the event of this version. */
export interface PastCheckpoint {
  readonly version: number
  readonly at: number
  readonly run: string
  readonly source: string
  readonly batch: number
  readonly offset: number
}

/** What became of a tick, or of `count` neighbours up to `until`. */
export interface PastTick {
  readonly tick: string
  readonly until: string | null
  readonly count: number
  readonly version: number
  readonly at: number
  readonly outcome: "triggered" | "skipped"
  readonly reason: string
}

export interface History {
  /** Of the last event; 0 before there is one. */
  readonly version: number
  readonly at: number
  /** The run that is the last, and the state of the pipeline. */
  readonly last: Runs.Runs
  /** The runs before that one. */
  readonly runs: Newest.Newest<PastRun>
  /** Of the last `Triggered`, and of the last run. */
  readonly tick: string | null
  readonly runTick: string | null
  readonly checkpoints: Newest.Newest<PastCheckpoint>
  readonly ticks: Newest.Newest<PastTick>
  readonly telemetry: Telemetry.Telemetry
  readonly why: Why.Why
}

export const initial: History = {
  version: 0,
  at: 0,
  last: Runs.initial,
  runs: Newest.empty(historyMost),
  tick: null,
  runTick: null,
  checkpoints: Newest.empty(historyMost),
  ticks: Newest.empty(historyMost),
  telemetry: Telemetry.initial,
  why: Why.initial
}

export const evolve = (history: History, event: PipelineEvent, row: StoredEvent): History => {
  const { at, version } = row
  const before = event._tag === "RunStarted" ? withoutLast(history) : history
  const last = Runs.evolve(before.last, { at, event })
  const next = {
    ...before,
    version,
    at,
    last,
    telemetry: Telemetry.evolve(before.telemetry, { at, event }),
    why: Why.evolve(before.why, event, row)
  }
  switch (event._tag) {
    case "Triggered":
      return ticked({ ...next, tick: event.tick ?? null }, event, row)
    case "TickSkipped":
      return ticked(next, event, row)
    case "RunStarted":
      return { ...next, runTick: next.tick }
    case "BatchSealed":
    case "StageApplied":
    case "DuplicateSuppressed":
      return settled(next, history.last.pipeline, row)
    default:
      return next
  }
}

/** The state of the pipeline after the last event. */
export const pipelineOf = ({ last }: History): PipelineState => last.pipeline

/** The newest first. */
export const runs = (history: History, limit: number): ReadonlyArray<PastRun> => {
  const last = lastRun(history)
  return last === undefined
    ? Newest.list(history.runs, limit)
    : [last, ...Newest.list(history.runs, limit - 1)].slice(0, limit)
}

/** The newest first. */
export const checkpoints = (history: History, limit: number): ReadonlyArray<PastCheckpoint> =>
  Newest.list(history.checkpoints, limit)

/** The newest first, each with the run it triggered, as long as that is among those that are kept. */
export const ticks = (
  history: History,
  limit: number
): ReadonlyArray<PastTick & { readonly run: PastRun | null }> => {
  const byTick = new Map(runs(history, historyMost).map((run) => [run.tick, run]))
  return Newest.list(history.ticks, limit).map((tick) => ({
    ...tick,
    run: (tick.outcome === "triggered" && byTick.get(tick.tick)) || null
  }))
}

const lastRun = ({ last, runTick }: History): PastRun | undefined => {
  const run = last.runs.at(-1)
  return run && { ...run, tick: runTick }
}

/** A new run begins: the one before it does not change any more. */
const withoutLast = (history: History): History => {
  const run = lastRun(history)
  return run === undefined
    ? history
    : { ...history, runs: Newest.add(history.runs, run), last: { ...history.last, runs: [] } }
}

const ticked = (
  history: History,
  event: EventOf<"Triggered"> | EventOf<"TickSkipped">,
  { at, version }: StoredEvent
): History => {
  if (event.tick === undefined) return history
  const isSkipped = event._tag === "TickSkipped"
  const tick: PastTick = {
    tick: event.tick,
    until: isSkipped ? (event.until ?? null) : null,
    count: isSkipped ? (event.count ?? 1) : 1,
    version,
    at,
    outcome: isSkipped ? "skipped" : "triggered",
    reason: event.reason
  }
  return { ...history, ticks: Newest.add(history.ticks, tick) }
}

/** Whether an event moved the place of a source, the one fold that knows has decided. */
const settled = (history: History, before: PipelineState, { at, version }: StoredEvent): History => {
  const { run } = history.last.pipeline
  if (run === null || run.sources === before.run?.sources) return history
  let { checkpoints } = history
  for (const [source, { checkpoint }] of Object.entries(run.sources)) {
    if (checkpoint === null || checkpoint === before.run?.sources[source]?.checkpoint) continue
    const { batch, offset } = checkpoint
    checkpoints = Newest.add(checkpoints, { version, at, run: run.id, source, batch, offset })
  }
  return { ...history, checkpoints }
}
