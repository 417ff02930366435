/**
 * Ticks next to each other as one thing, so that a week of seconds is as short to decide and to tell as one
 * tick. A list of spans is in the order they are due.
 *
 * @module
 */
import type { EventOf } from "../../events/PipelineEvent.ts"
import { tickAt } from "../../events/Tick.ts"
import type { Ticks } from "./Ticks.ts"

export type TickEvent = EventOf<"Scheduled"> | EventOf<"TickSkipped"> | EventOf<"Triggered">

/** Ticks next to each other: `first` and `last` are due instants, `count` is at least 1. */
export interface Span {
  readonly first: number
  readonly last: number
  readonly count: number
}

/** No span or one. */
export const spanOf = (ticks: Ticks, after: number, upTo: number): ReadonlyArray<Span> => {
  const last = ticks.last(after, upTo)
  return last === undefined ? [] : [{ first: ticks.next(after)!, last, count: ticks.count(after, upTo) }]
}

/** The span without its last `kept` ticks, and those. */
export const splitEnd = (
  ticks: Ticks,
  spans: ReadonlyArray<Span>,
  kept: number
): readonly [ReadonlyArray<Span>, ReadonlyArray<Span>] => {
  const [span] = spans
  if (span === undefined || span.count <= kept) return [[], spans]
  let end = span.last
  for (let n = 0; n < kept; n++) end = ticks.last(span.first - 1, end - 1)!
  return [spanOf(ticks, span.first - 1, end), spanOf(ticks, end, span.last)]
}

/** The first tick of all, if it is wanted, and what is left. */
export const firstIf = (
  wanted: boolean,
  ticks: Ticks,
  spans: ReadonlyArray<Span>
): readonly [ReadonlyArray<Span>, ReadonlyArray<Span>] => {
  const [span, ...others] = spans
  if (!wanted || span === undefined) return [[], spans]
  const { first, last } = span
  return [[{ first, last: first, count: 1 }], [...spanOf(ticks, first, last), ...others]]
}

/** Takes ticks from the front of the line until no more than `kept` are left. */
export const dropOldest = (
  ticks: Ticks,
  line: ReadonlyArray<Span>,
  kept: number
): readonly [ReadonlyArray<Span>, ReadonlyArray<Span>] => {
  const [first, ...others] = line
  if (first === undefined || countOf(line) <= kept) return [[], line]
  const room = kept - countOf(others)
  if (room > 0) {
    const [gone, left] = splitEnd(ticks, [first], room)
    return [gone, [...left, ...others]]
  }
  const [gone, left] = dropOldest(ticks, others, kept)
  return [[first, ...gone], left]
}

export const countOf = (spans: ReadonlyArray<Span>): number =>
  spans.reduce((sum, { count }) => sum + count, 0)

/** What of an event names its ticks; neighbours are one range. */
const range = (
  spans: ReadonlyArray<Span>
): { readonly tick: string; readonly until?: string; readonly count?: number } => {
  const tick = tickAt(spans[0]!.first)
  const count = countOf(spans)
  return count === 1 ? { tick } : { tick, until: tickAt(spans.at(-1)!.last), count }
}

export const trigger = (dueAt: number): TickEvent => ({
  _tag: "Triggered",
  reason: "schedule",
  tick: tickAt(dueAt)
})

export const skip = (
  spans: ReadonlyArray<Span>,
  reason: EventOf<"TickSkipped">["reason"]
): ReadonlyArray<TickEvent> => (spans.length === 0 ? [] : [{ _tag: "TickSkipped", ...range(spans), reason }])

export const wait = (spans: ReadonlyArray<Span>): ReadonlyArray<TickEvent> =>
  spans.length === 0 ? [] : [{ _tag: "Scheduled", dueAt: spans[0]!.first, ...range(spans) }]
