/**
 * The figures of all pipelines at two instants, as one table.
 *
 * @module
 */
import type { PipelineResource } from "../api/PipelineResource.ts"

/** A pipeline as it was at one instant; counts are those of its run. */
export interface Sampled {
  readonly name: string
  readonly run: string | null
  readonly lifecycle: PipelineResource["lifecycle"]
  readonly status: PipelineResource["deployment_status"]
  readonly read: number
  /** Of all sinks together. */
  readonly applied: number
  readonly deadLetters: number
  readonly inFlight: number
  /** Between reading and confirmation, ms; `null` where nobody at work could be asked. */
  readonly lagMs: number | null
  /** ISO 8601; `null` where there is none, or it is not known. */
  readonly watermark: string | null
  /** No process works on a run that says somebody does. */
  readonly isLeftBehind: boolean
}

/** All of them, as they were at an instant of a clock that only goes forward (ms). */
export interface Sample {
  readonly at: number
  readonly pipelines: ReadonlyArray<Sampled>
}

/** A line of the table, in the names of `--json`. Speeds are `null` before there are two samples of one run. */
export interface Row {
  readonly name: string
  readonly lifecycle: string
  readonly deployment_status: string
  readonly read_per_second: number | null
  readonly applied_per_second: number | null
  readonly lag_ms: number | null
  readonly dead_letters: number
  readonly in_flight: number
  readonly watermark: string | null
  readonly read: number
  readonly applied: number
  readonly left_behind: boolean
}

export const rowsOf = (before: Sample | undefined, now: Sample): ReadonlyArray<Row> => {
  const known = new Map(before?.pipelines.map((one) => [one.name, one]))
  const seconds = before === undefined ? 0 : (now.at - before.at) / 1000
  return now.pipelines.map((one) => {
    const last = known.get(one.name)
    const isNew = last !== undefined && last.run !== one.run
    // A run that began in between began at 0; a pipeline that was not seen before may have run for long.
    const speed = (value: number, then: number | undefined): number | null =>
      last === undefined || seconds <= 0 ? null : Math.max(0, (value - (isNew ? 0 : then!)) / seconds)
    return {
      name: one.name,
      lifecycle: one.lifecycle,
      deployment_status: one.status,
      read_per_second: rounded(speed(one.read, last?.read)),
      applied_per_second: rounded(speed(one.applied, last?.applied)),
      lag_ms: one.lagMs,
      dead_letters: one.deadLetters,
      in_flight: one.inFlight,
      watermark: one.watermark,
      read: one.read,
      applied: one.applied,
      left_behind: one.isLeftBehind
    }
  })
}

/** To a tenth of a record. */
const rounded = (value: number | null): number | null => (value === null ? null : Math.round(value * 10) / 10)

export const sortings = ["read", "applied", "lag", "dead_letters", "in_flight", "name"] as const
export type Sorting = (typeof sortings)[number]

const figure: Readonly<Record<Exclude<Sorting, "name">, (row: Row) => number | null>> = {
  read: (row) => row.read_per_second,
  applied: (row) => row.applied_per_second,
  lag: (row) => row.lag_ms,
  dead_letters: (row) => row.dead_letters,
  in_flight: (row) => row.in_flight
}

/** The greatest figure first, names from a to z; `isTurned` the other way round. What is not known comes last. */
export const sorted = (rows: ReadonlyArray<Row>, sorting: Sorting, isTurned: boolean): ReadonlyArray<Row> => {
  const sign = isTurned ? -1 : 1
  const byName = (a: Row, b: Row) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0)
  if (sorting === "name") return rows.toSorted((a, b) => sign * byName(a, b))
  const of = figure[sorting]
  return rows.toSorted((a, b) => {
    const [left, right] = [of(a), of(b)]
    if (left === null || right === null) return left === right ? byName(a, b) : left === null ? 1 : -1
    return sign * (right - left) || byName(a, b)
  })
}
