/**
 * A pipeline on a page.
 *
 * @module
 */
import type { Reason } from "../../events/PipelineEvent.ts"
import * as PipelineState from "../../projections/PipelineState.ts"
import * as Telemetry from "../../projections/Telemetry.ts"
import type { Holder } from "../log/Sqlite.ts"
import type { PastRun } from "../pipeline/History.ts"
import { lettersText } from "./deadLetterLines.ts"
import { eventTimeRows } from "./eventTime.ts"
import { isoTime } from "./isoTime.ts"
import { ownerLine } from "./owner.ts"
import { endsByStopping, runWord, wasStopped } from "./runWord.ts"
import { duration, grouped, plural, type Style, shown, table } from "./terminal.ts"

/** What the log tells about one pipeline. */
export interface Known {
  readonly state: PipelineState.PipelineState
  /** The newest first. */
  readonly runs: ReadonlyArray<PastRun>
  /** How many dead letters there are. */
  readonly letters: number
  readonly telemetry: Telemetry.Telemetry
  /** Of the last event, with its time. */
  readonly version: number
  readonly at: number
}

export const showLines = (
  name: string,
  known: Known,
  leftBehind: boolean,
  owner: Holder | null,
  style: Style
): ReadonlyArray<string> => {
  const { state } = known
  const { definition } = state
  return [
    `${style.bold(shown(name))}${definition?.description ? `  ${shown(definition.description)}` : ""}`,
    "",
    ...table([
      ["  run", leftBehind ? `${state.lifecycle}, but no process works on it` : runWord(state)],
      ["  deployment", `${state.deployment}, wanted ${state.desired}`],
      ["  definition", `version ${definition?.version ?? 0} in ${shown(definition?.base ?? "-")}`],
      ["  log", `${plural(known.version, "event")}, the last one ${isoTime(known.at)}`],
      ...(owner === null ? [] : [["  in use by", ownerLine(owner)]])
    ]),
    ...(leftBehind ? [`  ${style.dim("→")} run its file again: the run goes on where it stopped`] : []),
    ...section("Last run", runLines(name, known, style), style),
    ...section("Runs before", historyLines(known.runs.slice(1, 6).toReversed()), style)
  ]
}

const section = (title: string, lines: ReadonlyArray<string>, style: Style): ReadonlyArray<string> =>
  lines.length === 0 ? [] : ["", style.bold(title), ...lines.map((line) => `  ${line}`)]

const runLines = (
  name: string,
  { letters, runs, state, telemetry }: Known,
  style: Style
): ReadonlyArray<string> => {
  const run = runs[0]
  if (run === undefined) return []
  const { counts } = run
  const perSecond = Math.round(Telemetry.recordsPerSecond(telemetry))
  const rows = [
    ["id", run.id],
    ["started", isoTime(run.startedAt)],
    ...(run.endedAt === null
      ? []
      : [
          [
            wasStopped(state) ? "stopped" : run.outcome.toLowerCase(),
            `${isoTime(run.endedAt)}, after ${duration(run.endedAt - run.startedAt)}`
          ]
        ]),
    ...(run.resumes === 0 ? [] : [["resumed", run.resumes === 1 ? "once" : `${run.resumes} times`]]),
    ["read", `${plural(counts.read, "record")}${perSecond === 0 ? "" : `, ${grouped(perSecond)}/s`}`],
    ["filtered", grouped(counts.filtered)],
    ...(counts.unrouted === 0 ? [] : [["unrouted", grouped(counts.unrouted)]]),
    ...(counts.aggregated === undefined ? [] : [["aggregated", grouped(counts.aggregated)]]),
    ...Object.entries(counts.applied).map(([sink, records]) => [
      `→ ${sink}`,
      sinkLine(sink, records, telemetry)
    ]),
    ...PipelineState.checkpoints(state).map(({ batch, offset, source }) => [
      "checkpoint",
      `${source} at record ${grouped(offset)}, batch ${batch}`
    ]),
    ...eventTimeRows(state),
    ...(state.open.length === 0 ? [] : [["owed", plural(state.open.length, "batch", "batches")]]),
    ["dead letters", lettersLine(counts.lettered, letters, name, style)]
  ]
  return [...table(rows), ...failureLines(state, run.failure, style)]
}

/** What ended the run before its end, and nothing of one that has none. */
export const failureLines = (
  state: PipelineState.PipelineState,
  failure: Reason | null,
  style: Style
): ReadonlyArray<string> => {
  if (failure === null || endsByStopping(state)) return []
  return wasStopped(state)
    ? [`${style.dim("→")} it was stopped before its end, and goes on where it stopped`]
    : [style.red(`✗ ${failure.code}`), `  ${shown(failure.message)}`]
}

/** Those of the run, with which its other figures add up, and those that are listed where they are not as many. */
export const lettersLine = (ofRun: number, listed: number, name: string, style: Style): string =>
  listed === ofRun
    ? lettersText(listed, name, style)
    : `${grouped(ofRun)} in this run, in all ${lettersText(listed, name, style)}`

const sinkLine = (sink: string, records: number, telemetry: Telemetry.Telemetry): string => {
  const of = Telemetry.ofStage(telemetry, sink)
  if (of.batches === 0) return grouped(records)
  const retries = of.retries === 0 ? "" : `, ${plural(of.retries, "retry", "retries")}`
  return `${grouped(records)}, lag ${duration(Telemetry.lagMsMean(of))} on average and ${duration(of.lagMsMax)} at most${retries}`
}

const historyLines = (runs: ReadonlyArray<PastRun>): ReadonlyArray<string> =>
  table(
    runs.map(({ counts, failure, outcome, startedAt }) => [
      isoTime(startedAt),
      outcome,
      `${grouped(counts.read)} read`,
      failure === null ? "" : failure.code
    ])
  )
