/**
 * Parquet values as JSON values, without a silent change (invariant 8).
 *
 * Timestamps become ISO 8601 with as many digits as they have, dates YYYY-MM-DD, bytes without a text
 * type base64, 64-bit integers numbers where a number holds them exactly.
 *
 * @module
 */
import type { ParquetParsers, SchemaTree } from "hyparquet"
import type { Reason } from "../../../../events/PipelineEvent.ts"

/** Stands in a column for a value that no JSON value is equal to; its row is a failure. */
export class Misfit {
  readonly reason: Reason
  constructor(code: string, message: string) {
    this.reason = { code, message }
  }
}

export type ToJson = (value: unknown) => unknown

/** What a column's decoded values are turned into JSON by; `undefined` when they are JSON already. */
export const toJsonOf = (column: SchemaTree): ToJson | undefined => {
  const { converted_type: converted, name, scale = 0, type } = column.element
  if (column.children.length > 0 || column.element.repetition_type === "REPEATED") {
    return (value) => nestedToJson(value, name)
  }
  if (converted === "DECIMAL") return (value) => decimalToJson(value, scale, name)
  if (type === "INT32" || type === "BOOLEAN") return (value) => value ?? null
  return (value) => scalarToJson(value, name)
}

/** How timestamps and dates come out of the decoder: as text, which a Date would round to milliseconds. */
export const textParsers: Partial<ParquetParsers> = {
  timestampFromMilliseconds: (millis) => isoOf(millis, 0n, 0),
  timestampFromMicroseconds: (micros) => isoOf(floorDiv(micros, 1000n), floorMod(micros, 1000n), 3),
  timestampFromNanoseconds: (nanos) => isoOf(floorDiv(nanos, 1_000_000n), floorMod(nanos, 1_000_000n), 6),
  dateFromDays: (days: number | null) => (days === null ? null : dateText(days * 86_400_000)?.slice(0, 10))
}

const scalarToJson = (value: unknown, name: string): unknown => {
  switch (typeof value) {
    case "string":
    case "boolean":
      return value
    case "bigint": {
      const number = Number(value)
      return Number.isSafeInteger(number) ? number : unsafeInteger(name, value)
    }
    case "number":
      return Number.isFinite(value)
        ? value
        : new Misfit("not_a_number", `field ${name} is ${value}, which JSON cannot hold`)
    default:
      return value instanceof Uint8Array
        ? base64(value)
        : value === undefined || value === null
          ? null
          : nestedToJson(value, name)
  }
}

const unsafeInteger = (name: string, value: bigint) =>
  new Misfit("unsafe_integer", `field ${name} is ${value}, which a number cannot hold exactly`)

const decimalToJson = (value: unknown, scale: number, name: string): unknown => {
  if (typeof value !== "number") return scalarToJson(value, name)
  // The decoder multiplies by a power of ten, which leaves a rounding error behind the last digit.
  if (Math.abs(value) * 10 ** scale <= Number.MAX_SAFE_INTEGER)
    return Number(value.toFixed(Math.min(scale, 100)))
  return new Misfit("unsafe_decimal", `field ${name} has more digits than a number holds exactly`)
}

/** Lists, maps and structs; the first misfit inside is the value's. */
const nestedToJson = (value: unknown, name: string): unknown => {
  if (typeof value !== "object" || value === null || value instanceof Uint8Array)
    return scalarToJson(value, name)
  if (value instanceof Date) return value.toISOString()
  if (ArrayBuffer.isView(value)) return nestedToJson([...(value as unknown as Iterable<unknown>)], name)
  if (Array.isArray(value)) {
    const items = value.map((item) => nestedToJson(item, name))
    return items.find((item) => item instanceof Misfit) ?? items
  }
  const entries = Object.entries(value).map(
    ([key, item]) => [key, nestedToJson(item, `${name}.${key}`)] as const
  )
  return entries.find(([, item]) => item instanceof Misfit)?.[1] ?? Object.fromEntries(entries)
}

const base64 = (bytes: Uint8Array): string =>
  Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("base64")

/** `digits` of `rest` follow the milliseconds unless they are zero. */
const isoOf = (millis: bigint | null | undefined, rest: bigint, digits: number): unknown => {
  if (millis === null || millis === undefined) return null
  const text = dateText(Number(millis))
  if (text === undefined) return new Misfit("date_out_of_range", `${millis} ms since 1970 is no date`)
  return rest === 0n ? text : `${text.slice(0, -1)}${String(rest).padStart(digits, "0")}Z`
}

const dateText = (millis: number): string | undefined => {
  const date = new Date(millis)
  return Number.isNaN(date.getTime()) ? undefined : date.toISOString()
}

const floorMod = (value: bigint, by: bigint): bigint => ((value % by) + by) % by
const floorDiv = (value: bigint, by: bigint): bigint => (value - floorMod(value, by)) / by
