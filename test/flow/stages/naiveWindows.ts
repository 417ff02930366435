/**
 * What aggregation means, as plainly as it can be said: all records at hand, one window after the other.
 *
 * @module
 */
import type { Window } from "../../../events/Definition.ts"
import { exactly } from "../../projections/exact.ts"

/** A record that every measure can take. */
export interface Happened {
  readonly at: number
  readonly group: unknown
  readonly n: number | null
  readonly text: string
}

/** The records of all windows, in the order in which they close. `collected` is the bound of `all`. */
export const naiveWindows = (
  window: Window,
  records: ReadonlyArray<Happened>,
  collected: number
): ReadonlyArray<Readonly<Record<string, unknown>>> => {
  const groups = new Map<string, Array<Happened>>()
  for (const record of records) {
    const key = JSON.stringify(record.group)
    groups.set(key, [...(groups.get(key) ?? []), record])
  }
  return [...groups]
    .flatMap(([key, members]) => extents(window, members).map((extent) => ({ key, ...extent, members })))
    .toSorted((a, b) => a.end - b.end || a.start - b.start || (`[${a.key}]` < `[${b.key}]` ? -1 : 1))
    .map(({ end, key, members, start }) => {
      const inside = members.filter(({ at }) => at >= start && at < end)
      const numbers = inside.flatMap(({ n }) => (n === null ? [] : [n]))
      // A stable sort: those of one instant stay in the order of their arrival.
      const inTime = inside.toSorted((a, b) => a.at - b.at)
      return {
        group: JSON.parse(key),
        window_start: new Date(start).toISOString(),
        window_end: new Date(end).toISOString(),
        count: inside.length,
        sum: exactly(numbers),
        avg: numbers.length === 0 ? null : exactly(numbers) / numbers.length,
        min: numbers.length === 0 ? null : numbers.reduce((a, b) => (b < a ? b : a)) + 0,
        max: numbers.length === 0 ? null : numbers.reduce((a, b) => (b > a ? b : a)) + 0,
        earliest: inside.map(({ text }) => text).toSorted()[0],
        first: inTime[0]!.text,
        last: inTime.at(-1)!.text,
        all: inside.slice(0, collected).map(({ text }) => text)
      }
    })
}

/** The windows that hold at least one of these records. */
const extents = (window: Window, members: ReadonlyArray<Happened>) => {
  const times = members.map(({ at }) => at).toSorted((a, b) => a - b)
  if ("session" in window) {
    const sessions: Array<{ start: number; end: number }> = []
    for (const at of times) {
      const open = sessions.at(-1)
      if (open !== undefined && at < open.end) open.end = at + window.session
      else sessions.push({ start: at, end: at + window.session })
    }
    return sessions
  }
  const [length, every] =
    "tumbling" in window ? [window.tumbling, window.tumbling] : [window.sliding, window.every]
  const found = new Map<number, { start: number; end: number }>()
  for (const at of times) {
    // Whole numbers of any size: floor of the quotient, whatever the sign.
    const [time, step] = [BigInt(at), BigInt(every)]
    const last = Number(time - (((time % step) + step) % step))
    for (let start = last; start + length > at; start -= every) {
      found.set(start, { start, end: start + length })
    }
  }
  return [...found.values()]
}
