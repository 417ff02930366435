/**
 * The table of all pipelines, as many of them as fit.
 *
 * @module
 */

import { wordAtRest } from "./runWord.ts"
import { cut, duration, grouped, plural, type Style, shown, table } from "./terminal.ts"
import { type Row, type Sorting, sorted } from "./topRows.ts"

export interface TopView {
  /** Where the figures are from: an address, or a folder. */
  readonly place: string
  readonly rows: ReadonlyArray<Row>
  readonly sorting: Sorting
  readonly isTurned: boolean
  /** How old the figures are, and why there are no newer ones; `null` while they come. */
  readonly stale: { readonly ageMs: number; readonly why: string } | null
}

export interface Room {
  readonly columns: number
  /** Lines there are; without end where nobody has to see them at once. */
  readonly lines: number
}

const heads: ReadonlyArray<readonly [string, Sorting | undefined]> = [
  ["NAME", "name"],
  ["RUN", undefined],
  ["STATUS", undefined],
  ["READ/S", "read"],
  ["APPLIED/S", "applied"],
  ["LAG", "lag"],
  ["DEAD LETTERS", "dead_letters"],
  ["IN FLIGHT", "in_flight"],
  ["WATERMARK", undefined]
]

/** Never more lines than there is room, nor wider ones; says how many pipelines are not shown. */
export const topLines = (view: TopView, { columns, lines }: Room, style: Style): ReadonlyArray<string> => {
  const { isTurned, place, rows, sorting, stale } = view
  const all = sorted(rows, sorting, isTurned)
  const title = `${plural(rows.length, "pipeline")} of ${shown(place)}`
  const above = [
    style.bold(cut(title, columns)),
    ...(stale === null
      ? []
      : [style.red(cut(`these figures are ${duration(stale.ageMs)} old: ${shown(stale.why)}`, columns))]),
    ""
  ]
  if (rows.length === 0) return above.slice(0, Math.max(0, lines))
  const room = Math.max(0, lines - above.length - 1)
  const isFull = all.length > room
  // One line less where one has to say what is missing.
  const told = isFull ? all.slice(0, Math.max(0, room - 1)) : all
  const cells = told.map(cellsOf)
  const head = heads.map(([text, of]) => (of === sorting ? `${text}${isTurned ? "↑" : "↓"}` : text))
  const [first = "", ...rest] = table([head, ...cells], [3, 4, 5, 6, 7])
  const below = isFull
    ? [style.dim(cut(`… and ${plural(all.length - told.length, "pipeline")} more`, columns))]
    : []
  const painted = rest.map((line, at) => paint(cut(line, columns), told[at]!, stale !== null, style))
  return [...above, style.bold(cut(first, columns)), ...painted, ...below].slice(0, Math.max(0, lines))
}

const cellsOf = (row: Row): ReadonlyArray<string> => [
  cut(shown(row.name), 40),
  `${shown(wordAtRest(row.lifecycle, row.deployment_status))}${row.left_behind ? "*" : ""}`,
  shown(row.deployment_status),
  speed(row.read_per_second),
  speed(row.applied_per_second),
  row.lag_ms === null ? "–" : duration(row.lag_ms),
  grouped(row.dead_letters),
  grouped(row.in_flight),
  row.watermark === null ? "–" : shown(row.watermark)
]

const speed = (value: number | null): string =>
  value === null ? "–" : value < 10 ? value.toFixed(1) : grouped(Math.round(value))

const paint = (line: string, row: Row, isStale: boolean, style: Style): string => {
  if (isStale) return style.dim(line)
  return row.lifecycle === "Failed" || row.deployment_status === "Failed" || row.dead_letters > 0
    ? style.red(line)
    : row.left_behind || row.deployment_status === "Unavailable"
      ? style.yellow(line)
      : line
}
