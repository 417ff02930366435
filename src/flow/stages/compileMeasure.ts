/**
 * What one record adds to the measures of its windows, and what a window that has closed says of them.
 *
 * @module
 */
import { Result } from "effect"
import type { Measure } from "../../../events/Definition.ts"
import type { Measured } from "../../../events/WindowsDelta.ts"
import { largestSummed, nearestTo, sumOf } from "../../../projections/ExactSum.ts"
import { compileValue, MissingField, type Scope } from "../expression/Expression.ts"
import { measureOf } from "../graph/aggregateFindings.ts"
import { RecordFailure } from "../route/Route.ts"

/**
 * The share of one record with the event time `at` (ms), the `arrival`-th of its batch. Throws a
 * `RecordFailure`.
 */
export type Share = (scope: Scope, at: number, arrival: number) => Measured

/**
 * A measure of the field `field` that is made. A record that misses a field of the expression has no share in
 * it, and none in `sum`, `avg`, `min` and `max` if the value is null. The expression must be a sound one.
 */
export const compileMeasure = (field: string, measure: Measure): Share => {
  const [kind, text] = measureOf(measure)
  if (text === undefined) return () => ({ count: 1 })
  const value = Result.getOrThrow(compileValue(text))
  const valueIn = (scope: Scope): unknown => {
    try {
      return value(scope)
    } catch (error) {
      if (error instanceof MissingField) return undefined
      throw new RecordFailure("expression_failed", `${field}: ${(error as Error).message}`)
    }
  }
  switch (kind) {
    case "sum":
      return (scope) => ({ sum: sumOf(numberIn(valueIn(scope), field, kind) ?? 0) })
    case "avg":
      return (scope) => {
        const number = numberIn(valueIn(scope), field, kind)
        return number === undefined ? { avg: [], of: 0 } : { avg: sumOf(number), of: 1 }
      }
    case "min":
      return (scope) => ({ min: comparableIn(valueIn(scope), field, kind) })
    case "max":
      return (scope) => ({ max: comparableIn(valueIn(scope), field, kind) })
    case "first":
    case "last":
      return (scope, at) => {
        const found = valueIn(scope)
        const share = found === undefined ? { value: null, at: null } : { value: found, at }
        return { [kind]: share.value, at: share.at } as Measured
      }
    default: {
      const { limit } = measure as Extract<Measure, { readonly collect: string }>
      return (scope, _, arrival) => {
        const found = valueIn(scope)
        return { collect: found === undefined ? [] : [[arrival, found as never]], limit }
      }
    }
  }
}

/** What the record of a closed window says: null for an average, a smallest, largest, first or last of nothing. */
export const resultOf = (share: Measured): unknown => {
  if ("count" in share) return share.count
  if ("sum" in share) return nearestTo(share.sum)
  if ("avg" in share) return share.of === 0 ? null : nearestTo(share.avg) / share.of
  if ("min" in share) return share.min
  if ("max" in share) return share.max
  if ("first" in share) return share.first
  if ("last" in share) return share.last
  return share.collect.map(([, value]) => value)
}

const numberIn = (value: unknown, field: string, kind: string): number | undefined => {
  if (value === undefined || value === null) return undefined
  if (typeof value !== "number") throw bad(`${field}: ${kind} needs a number, not ${described(value)}`)
  if (Math.abs(value) <= largestSummed) return value
  throw bad(`${field}: ${kind} takes numbers up to ${largestSummed}, not ${value}`)
}

const comparableIn = (value: unknown, field: string, kind: string): number | string | null => {
  if (value === undefined || value === null) return null
  // JSON has no negative zero.
  if (typeof value === "number") return value + 0
  if (typeof value === "string") return value
  throw bad(`${field}: ${kind} needs a number or a text, not ${described(value)}`)
}

const bad = (message: string): RecordFailure => new RecordFailure("bad_measure", message)

const described = (value: unknown): string =>
  Array.isArray(value)
    ? "a list"
    : ({ string: "a text", boolean: "true or false" }[typeof value as "string"] ?? "an object")
