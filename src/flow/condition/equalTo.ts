/**
 * Is a value this very JSON value?
 *
 * @module
 */
import type { Schema } from "effect"

/** Deep and exact: lists in order, objects by their keys in any order, no conversion. Asking allocates nothing. */
export const equalTo = (wanted: Schema.Json): ((value: unknown) => boolean) => {
  if (typeof wanted !== "object" || wanted === null) return (value) => value === wanted
  return Array.isArray(wanted) ? listEqualTo(wanted) : objectEqualTo(wanted as Schema.JsonObject)
}

const listEqualTo = (wanted: ReadonlyArray<Schema.Json>): ((value: unknown) => boolean) => {
  const items = wanted.map(equalTo)
  return (value) => {
    if (!Array.isArray(value) || value.length !== items.length) return false
    for (let at = 0; at < items.length; at++) if (!items[at]!(value[at])) return false
    return true
  }
}

const objectEqualTo = (wanted: Schema.JsonObject): ((value: unknown) => boolean) => {
  const names = Object.keys(wanted)
  const fields = names.map((name) => equalTo(wanted[name]!))
  return (value) => {
    if (typeof value !== "object" || value === null || Array.isArray(value)) return false
    const record = value as Readonly<Record<string, unknown>>
    for (let at = 0; at < names.length; at++) {
      const name = names[at]!
      if (!Object.hasOwn(record, name) || !fields[at]!(record[name])) return false
    }
    let own = 0
    for (const name in record) if (Object.hasOwn(record, name)) own++
    return own === names.length
  }
}
