/**
 * What is wrong with the settings of an aggregating stage.
 *
 * @module
 */
import { Result } from "effect"
import type { Aggregate, Measure, Window } from "../../../events/Definition.ts"
import { type Finding, finding } from "../../../events/Finding.ts"
import type { Fields } from "../contract/Contract.ts"
import { isForbiddenKey } from "../expression/celEnvironment.ts"
import { compileValue } from "../expression/Expression.ts"

/** A record counts in at most so many windows: its work, and its share of a seal, grow with them. */
export const windowsPerRecordMost = 1000

/** The fields that every record of an aggregate has. */
export const windowFields = ["window_start", "window_end"] as const

/** `fields` are those that arrive, where they are known. */
export const aggregateFindings = (
  name: string,
  { by, limit, make, window }: Aggregate,
  fields?: Fields | undefined
): ReadonlyArray<Finding> => {
  const at = ["stages", name, "aggregate"]
  const perRecord = windowsPerRecord(window)
  return [
    ...windowFindings(window, [...at, "window"]),
    ...(perRecord <= windowsPerRecordMost && perRecord > limit
      ? [
          finding(
            "bad_value",
            [...at, "limit"],
            `Each record needs ${perRecord} windows; ${limit} may be open`
          )
        ]
      : []),
    ...Object.entries(by).flatMap(([field, text]) => [
      ...fieldFindings([...at, "by", field], field),
      ...badExpression([...at, "by", field], text, fields)
    ]),
    ...Object.entries(make).flatMap(([field, measure]) => {
      const [kind, text] = measureOf(measure)
      return [
        ...fieldFindings([...at, "make", field], field),
        ...(Object.hasOwn(by, field)
          ? [finding("name_clash", [...at, "make", field], `${field} is the name of a field of by already`)]
          : []),
        ...(text === undefined ? [] : badExpression([...at, "make", field, kind], text, fields))
      ]
    })
  ]
}

/** The kind of a measure and, for all but `count`, its expression. */
export const measureOf = (measure: Measure): readonly [kind: string, text: string | undefined] => {
  if (measure === "count") return ["count", undefined]
  const [kind, text] = Object.entries(measure).find(([key]) => key !== "limit")!
  return [kind, text as string]
}

const windowFindings = (window: Window, at: ReadonlyArray<string>): ReadonlyArray<Finding> => {
  const empty = Object.entries(window).filter(([, length]) => length === 0)
  if (empty.length > 0) {
    return empty.map(([key]) => finding("bad_value", [...at, key], `${key} needs to be longer than nothing`))
  }
  const windows = windowsPerRecord(window)
  return windows <= windowsPerRecordMost
    ? []
    : [
        finding(
          "bad_value",
          [...at, "every"],
          `Each record would count in ${windows} windows; ${windowsPerRecordMost} is the most`,
          "A longer every, or a shorter window"
        )
      ]
}

const windowsPerRecord = (window: Window): number =>
  "sliding" in window && window.every > 0 ? Math.ceil(window.sliding / window.every) : 1

const fieldFindings = (at: ReadonlyArray<string>, field: string): ReadonlyArray<Finding> => {
  if (isForbiddenKey(field)) {
    return [finding("forbidden_key", at, `${field} is refused as the name of a field`)]
  }
  return windowFields.some((own) => own === field)
    ? [finding("name_clash", at, `${field} is a field that every record of an aggregate has`)]
    : []
}

const badExpression = (
  at: ReadonlyArray<string>,
  text: string,
  fields: Fields | undefined
): ReadonlyArray<Finding> => {
  const value = compileValue(text, { fields })
  return Result.isSuccess(value)
    ? []
    : [finding("bad_expression", at, value.failure.message, value.failure.suggestion)]
}
