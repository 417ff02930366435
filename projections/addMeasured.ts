/**
 * Two shares of one measure put together.
 *
 * @module
 */
import type { Measured } from "../events/WindowsDelta.ts"
import { addSums } from "./ExactSum.ts"

/** `later` arrived after `earlier`: that decides which of two values of one event time is first, and which last. */
export const addMeasured = (earlier: Measured, later: Measured): Measured => {
  if ("count" in earlier && "count" in later) return { count: earlier.count + later.count }
  if ("sum" in earlier && "sum" in later) return { sum: addSums(earlier.sum, later.sum) }
  if ("avg" in earlier && "avg" in later) {
    return { avg: addSums(earlier.avg, later.avg), of: earlier.of + later.of }
  }
  if ("min" in earlier && "min" in later) {
    return earlier.min === null || isBefore(later.min, earlier.min) ? later : earlier
  }
  if ("max" in earlier && "max" in later) {
    return earlier.max === null || isBefore(earlier.max, later.max) ? later : earlier
  }
  if ("first" in earlier && "first" in later) {
    return later.at !== null && (earlier.at === null || later.at < earlier.at) ? later : earlier
  }
  if ("last" in earlier && "last" in later) {
    return later.at !== null && (earlier.at === null || later.at >= earlier.at) ? later : earlier
  }
  if ("collect" in earlier && "collect" in later) return collected(earlier, later)
  // Seals of one definition never mix measures; of others there is nothing to say, and the fold never fails.
  return earlier
}

/** The shares of all measures of a window, in one order. */
export const addAllMeasured = (
  earlier: ReadonlyArray<Measured>,
  later: ReadonlyArray<Measured>
): ReadonlyArray<Measured> =>
  earlier.map((share, index) => {
    const other = later[index]
    return other === undefined ? share : addMeasured(share, other)
  })

/** Numbers by size, then texts by their code units; the lack of a value is before nothing. */
const isBefore = (left: number | string | null, right: number | string | null): boolean =>
  left !== null && right !== null && (typeof left === typeof right ? left < right : typeof left === "number")

type Collected = Extract<Measured, { readonly collect: unknown }>

/** The first ones of both by arrival. Two sessions that turn out to be one may have grown by turns. */
const collected = ({ collect: left, limit }: Collected, { collect: right }: Collected): Collected => {
  if (left.length > 0 && right.length > 0 && left.at(-1)![0] > right[0]![0]) {
    const all = [...left, ...right].sort(([one], [other]) => one - other)
    return { collect: all.slice(0, limit), limit }
  }
  if (left.length >= limit || right.length === 0) return { collect: left, limit }
  return { collect: [...left, ...right].slice(0, limit), limit }
}
