/**
 * One field of a cron expression: a list of values, ranges and steps.
 *
 * @module
 */
import { Result } from "effect"

export type FieldName = "second" | "minute" | "hour" | "day" | "month" | "weekday"

/** The values a field names. */
export interface CronField {
  /** Ascending, each once, never empty. */
  readonly values: ReadonlyArray<number>
  /** By value. */
  readonly has: ReadonlyArray<boolean>
  /** Begins with a star: it does not restrict the day by itself. */
  readonly star: boolean
  /** Written with a star or a step: it counts time rather than naming one. */
  readonly recurs: boolean
}

/** What is wrong with an expression; `field` is `null` when it is about the whole. */
export interface CronMistake {
  readonly field: FieldName | null
  readonly message: string
  readonly suggestion?: string
}

const months = ["JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"]
const weekdays = ["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"]

interface Bounds {
  readonly low: number
  readonly high: number
  readonly called: string
  readonly names?: ReadonlyArray<string>
}
const bounds: Readonly<Record<FieldName, Bounds>> = {
  second: { low: 0, high: 59, called: "second" },
  minute: { low: 0, high: 59, called: "minute" },
  hour: { low: 0, high: 23, called: "hour" },
  day: { low: 1, high: 31, called: "day of the month" },
  month: { low: 1, high: 12, called: "month", names: months },
  weekday: { low: 0, high: 7, called: "day of the week", names: weekdays }
}

/** Longer lists than this are no list a person wrote. */
const partsMost = 100

/** Reads one field; fails with the first thing that is wrong with it. */
export const readField = (name: FieldName, text: string): Result.Result<CronField, CronMistake> => {
  const parts = text.split(",")
  if (parts.length > partsMost) {
    return Result.fail({
      field: name,
      message: `the ${bounds[name].called} is a list of more than ${partsMost}`
    })
  }
  const has: Array<boolean> = []
  for (const part of parts) {
    const read = readPart(name, part)
    if (typeof read === "string" || !Array.isArray(read)) return Result.fail(mistake(name, read as Wrong))
    for (const value of read) has[name === "weekday" ? value % 7 : value] = true
  }
  const full = Array.from({ length: bounds[name].high + 1 }, (_, value) => has[value] === true)
  return Result.succeed({
    values: full.flatMap((held, value) => (held ? [value] : [])),
    has: full,
    star: /^[*?]/.test(text),
    recurs: /[*?/]/.test(text)
  })
}

type Wrong = string | { readonly message: string; readonly suggestion: string }

const mistake = (field: FieldName, wrong: Wrong): CronMistake => {
  const of = `the ${bounds[field].called}: `
  return typeof wrong === "string"
    ? { field, message: of + wrong }
    : { field, message: of + wrong.message, suggestion: wrong.suggestion }
}

/** The values of `*`, `5`, `1-5`, each with `/2` behind it or not; else what is wrong. */
const readPart = (name: FieldName, part: string): ReadonlyArray<number> | Wrong => {
  const { called, high, low } = bounds[name]
  const [range = "", step, ...more] = part.split("/")
  if (more.length > 0) return `${part} has two steps`
  const by = step === undefined ? 1 : numberOf(step)
  if (by === undefined || by === 0) return `${part}: a step is a number from 1 on`
  const span = readRange(name, range, step !== undefined)
  if (typeof span === "string" || "message" in span) return span
  if (step !== undefined && by > high) {
    return {
      message: `${part}: a step of ${by} is longer than every ${called} there is`,
      suggestion: "a longer distance is an interval: { interval: 90m }"
    }
  }
  const last = name === "weekday" && span.to === high && range.startsWith("*") ? high - 1 : span.to
  const values: Array<number> = []
  for (let value = span.from; value <= last; value += by) values.push(value)
  return values.length === 0 ? `${part} is empty from ${low} to ${high}` : values
}

interface Span {
  readonly from: number
  readonly to: number
}

const readRange = (name: FieldName, range: string, stepped: boolean): Span | Wrong => {
  const { high, low } = bounds[name]
  if (range === "*") return { from: low, to: high }
  if (range === "?") {
    return name === "day" || name === "weekday" ? { from: low, to: high } : "? stands for a day only"
  }
  const [first = "", second, ...more] = range.split("-")
  if (more.length > 0) return `${range} is no range`
  const from = readValue(name, first)
  if (typeof from !== "number") return from
  // Five with a step goes on to the end of the field.
  if (second === undefined) return { from, to: stepped ? (name === "weekday" ? 6 : high) : from }
  const to = readValue(name, second)
  if (typeof to !== "number") return to
  // A week may end with Sunday.
  const end = name === "weekday" && to === 0 && from > 0 ? 7 : to
  if (from <= end) return { from, to: end }
  const suggestion = `${first}-${high === 7 ? 6 : high},${low}-${second}`
  return { message: `${range} runs backwards`, suggestion }
}

const readValue = (name: FieldName, text: string): number | Wrong => {
  const { called, high, low, names } = bounds[name]
  const named = names?.indexOf(text.toUpperCase()) ?? -1
  if (named >= 0) return named + low
  const value = numberOf(text)
  if (value !== undefined) {
    return value >= low && value <= high ? value : `${text} is not between ${low} and ${high}`
  }
  if (/^(?:L|W|LW|\d+[LW]|\w+#\d|H)$/i.test(text)) return `${text} is not known here`
  const examples = names === undefined ? `${low} to ${high}` : `${low} to ${high}, or ${names.join(", ")}`
  return text === "" ? "a value is missing" : { message: `${text} is no ${called}`, suggestion: examples }
}

const numberOf = (text: string): number | undefined => (/^\d{1,4}$/.test(text) ? Number(text) : undefined)
