/**
 * What an expression computed, as a JSON value; and records whose keys would confuse the evaluator.
 *
 * @module
 */
import { Duration, UnsignedInt } from "@marcbachmann/cel-js/evaluator"

/**
 * The JSON value of a CEL value: integers become numbers, timestamps ISO 8601 texts, durations ISO 8601
 * durations. Invariant 8: what JSON cannot hold (NaN, infinities, integers beyond 2^53, bytes, types)
 * throws with the reason. Parts of the record that are JSON already are not copied.
 */
export const jsonValue = (value: unknown): unknown => {
  switch (typeof value) {
    case "string":
    case "boolean":
      return value
    case "number":
      if (Number.isFinite(value)) return value
      throw new Error(`the result is ${value}, which JSON cannot hold`)
    case "bigint": {
      const number = Number(value)
      if (Number.isSafeInteger(number)) return number
      throw new Error(`the integer ${value} is too large for a JSON number`)
    }
    case "object":
      return value === null ? null : objectValue(value)
    default:
      throw new Error(`the result is ${value === undefined ? "missing" : "not a JSON value"}`)
  }
}

const objectValue = (value: object): unknown => {
  if (Array.isArray(value)) return listValue(value)
  if (value instanceof Map) return fromEntries(value)
  if (value instanceof Date) return value.toISOString()
  if (value instanceof UnsignedInt) return jsonValue(value.valueOf())
  if (value instanceof Duration) return durationText(value)
  const prototype = Object.getPrototypeOf(value)
  if (prototype !== Object.prototype && prototype !== null) {
    throw new Error(
      value instanceof Uint8Array
        ? "the result is bytes; .base64(), .hex() or .string() makes a text of them"
        : "the result is not a JSON value"
    )
  }
  return recordValue(value as Record<string, unknown>)
}

const listValue = (list: ReadonlyArray<unknown>): ReadonlyArray<unknown> => {
  let copy: Array<unknown> | undefined
  for (let index = 0; index < list.length; index++) {
    const part = jsonValue(list[index])
    if (part === list[index]) continue
    copy ??= list.slice()
    copy[index] = part
  }
  return copy ?? list
}

const recordValue = (record: Record<string, unknown>): unknown => {
  let changed = false
  const parts: Array<[string, unknown]> = []
  for (const key of Object.keys(record)) {
    const part = jsonValue(record[key])
    if (part !== record[key]) changed = true
    if (key === "__proto__") refuseProto()
    parts.push([key, part])
  }
  return changed ? Object.fromEntries(parts) : record
}

const fromEntries = (entries: ReadonlyMap<unknown, unknown>): unknown => {
  const parts: Array<[string, unknown]> = []
  for (const [key, part] of entries) {
    if (key === "__proto__") refuseProto()
    parts.push([String(key), jsonValue(part)])
  }
  return Object.fromEntries(parts)
}

const refuseProto = (): never => {
  throw new Error("the result holds the key __proto__, which is refused")
}

const durationText = (duration: Duration): string => {
  const ms = duration.valueOf()
  return `${ms < 0 ? "-" : ""}PT${Math.abs(ms) / 1000}S`
}

/**
 * The same value with every object that has a field named `constructor` turned into a Map. The evaluator
 * tells types apart by `constructor`, so such a field would hide the object's other fields from it.
 * Unchanged parts are shared.
 */
export const shield = (value: unknown): unknown => {
  if (typeof value !== "object" || value === null) return value
  if (Array.isArray(value)) {
    const parts = value.map(shield)
    return parts.some((part, index) => part !== value[index]) ? parts : value
  }
  const entries = Object.entries(value).map(([key, part]) => [key, shield(part)] as const)
  if (Object.hasOwn(value, "constructor")) return new Map(entries)
  const source = value as Record<string, unknown>
  return entries.some(([key, part]) => part !== source[key]) ? Object.fromEntries(entries) : value
}
