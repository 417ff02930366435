/**
 * How a run ended, in numbers.
 *
 * @module
 */
import type { Checkpoint } from "../../events/Checkpoint.ts"
import { checkpoints, type PipelineState } from "../../projections/PipelineState.ts"
import type { RunResult } from "../pipeline/runOnce.ts"
import { CliFailure, suggestionFor } from "./CliFailure.ts"
import { codeOfRun, type Signal, signalCode } from "./exitCode.ts"
import { endsByStopping } from "./runWord.ts"
import { duration, grouped, plural, type Style, shown } from "./terminal.ts"

/** A pipeline that ran (`ran`), and what went wrong with it, if anything did. */
export interface Ended {
  readonly name: string
  /** The file, as it was named. */
  readonly path: string
  readonly durationMs: number
  readonly ran: RunResult | undefined
  readonly failure: CliFailure | undefined
}

/** What was wrong with a run that ended; nothing with one that completed. */
export const failureOfRun = (
  name: string,
  state: PipelineState,
  signal: Signal | undefined
): CliFailure | undefined => {
  const { lifecycle, run } = state
  if (lifecycle === "Completed" || endsByStopping(state)) return undefined
  const failure = run?.failure ?? { code: lifecycle.toLowerCase(), message: `the run is ${lifecycle}` }
  const suggestion = suggestionFor(name, failure)
  return new CliFailure({
    exit:
      failure.code === "interrupted" && signal !== undefined ? signalCode[signal] : codeOfRun(failure.code),
    code: failure.code,
    message: failure.message,
    suggestion
  })
}

/** The counts of a run as `run --json` has them; nothing for a pipeline that never came to run. */
export const resultOf = ({ durationMs, name, ran }: Ended) => {
  if (ran === undefined || ran.state.run === null) return []
  const { counts, failure, id } = ran.state.run
  return [
    {
      name,
      run: id,
      lifecycle: ran.state.lifecycle,
      read: counts.read,
      filtered: counts.filtered,
      unrouted: counts.unrouted,
      dead_lettered: counts.lettered,
      ...(counts.aggregated === undefined ? {} : { aggregated: counts.aggregated }),
      delivered: counts.delivered,
      applied: counts.applied,
      batches: counts.batches,
      resumed_from: ran.resumedFrom,
      duration_ms: durationMs,
      failure
    }
  ]
}

/** The same for a person. */
export const summary = ({ durationMs, name, ran }: Ended, style: Style): ReadonlyArray<string> => {
  if (ran === undefined || ran.state.run === null) return []
  const { counts } = ran.state.run
  const done = ran.state.lifecycle === "Completed" || endsByStopping(ran.state)
  const how =
    ran.state.lifecycle === "Completed"
      ? "completed"
      : ran.state.lifecycle === "Failed"
        ? "failed"
        : "stopped"
  const fresh = counts.read - (ran.resumedFrom ?? 0)
  const rate = durationMs === 0 ? fresh : Math.round((fresh * 1000) / durationMs)
  const rows: ReadonlyArray<readonly [string, string]> = [
    ["read", `${plural(counts.read, "record")}, ${grouped(rate)}/s`],
    ["filtered", grouped(counts.filtered)],
    ...(counts.unrouted === 0 ? [] : [["unrouted", grouped(counts.unrouted)] as const]),
    ...(counts.aggregated === undefined ? [] : [["aggregated", grouped(counts.aggregated)] as const]),
    ...Object.entries(counts.applied).map(([sink, records]) => [`→ ${sink}`, grouped(records)] as const),
    ...(counts.lettered === 0
      ? []
      : [
          [
            "dead letters",
            style.red(`${grouped(counts.lettered)}  see \`millrace dead-letters ${name} list\``)
          ] as const
        ]),
    ["batches", `${grouped(counts.batches)}${settled(checkpoints(ran.state))}`],
    ...(ran.resumedFrom === null ? [] : [["resumed from", `record ${grouped(ran.resumedFrom)}`] as const])
  ]
  const width = Math.max(...rows.map(([label]) => label.length))
  return [
    `${done ? style.green("✓") : style.red("✗")} ${shown(name)} ${how} in ${duration(durationMs)}`,
    ...rows.map(([label, value]) => `  ${style.dim(label.padEnd(width))}  ${value}`)
  ]
}

const settled = (places: ReadonlyArray<Checkpoint>): string =>
  places.length === 0
    ? ""
    : `, checkpoint ${places.map(({ offset, source }) => `${source} ${grouped(offset)}`).join(", ")}`
