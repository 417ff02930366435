/**
 * Samples into the cells of a table: medians, ranges, and ratios taken round by round.
 *
 * @module
 */
import type { Row } from "./Part.ts"

type Samples = ReadonlyArray<number>

export interface Comparison {
  readonly what: string
  readonly ours: Samples
  /** Left out where nothing stands on the other side. */
  readonly theirs?: Samples
  /** One side measured twice in every round. */
  readonly control: readonly [again: Samples, once: Samples]
  readonly asked?: string
}

/** Sample `i` of all sides is of one round. */
export const rowOf = ({ asked, control, ours, theirs, what }: Comparison): Row => ({
  what,
  ours: withRange(ours, figure),
  theirs: theirs === undefined ? "–" : withRange(theirs, figure),
  ratio: theirs === undefined ? "–" : withRange(ratios(ours, theirs), twoDigits),
  control: withRange(ratios(...control), twoDigits),
  asked: asked ?? "–"
})

export const median = (samples: Samples): number => {
  const sorted = [...samples].sort((a, b) => a - b)
  const middle = sorted.length / 2
  return Number.isInteger(middle) ? (sorted[middle - 1]! + sorted[middle]!) / 2 : sorted[middle - 0.5]!
}

const ratios = (ours: Samples, theirs: Samples): Samples => ours.map((sample, i) => sample / theirs[i]!)

const withRange = (samples: Samples, shown: (value: number) => string): string => {
  const most = shown(Math.max(...samples))
  const least = shown(Math.min(...samples))
  return least === most ? shown(median(samples)) : `**${shown(median(samples))}** (${least} .. ${most})`
}

const twoDigits = (value: number): string => value.toFixed(2)

/** Three digits that mean something: 1,230,000, 45.6, 0.789. */
export const figure = (value: number): string => {
  if (value === 0) return "0"
  const digits = Math.max(0, 2 - Math.floor(Math.log10(Math.abs(value))))
  const unit = 10 ** Math.max(0, Math.floor(Math.log10(Math.abs(value))) - 2)
  return digits > 0 ? value.toFixed(digits) : (Math.round(value / unit) * unit).toLocaleString("en")
}
