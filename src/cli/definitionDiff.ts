/**
 * Where two definitions differ, by JSON pointer (RFC 6901).
 *
 * @module
 */
import type { Schema } from "effect"

/** `from` is `null` where something was added, `to` where it was removed. */
export interface Change {
  readonly pointer: string
  readonly change: "added" | "removed" | "changed"
  readonly from: Schema.Json
  readonly to: Schema.Json
}

/** Both in canonical wire form; in the order of the new one, and what it has no more after that. */
export const definitionDiff = (from: Schema.Json, to: Schema.Json, pointer = ""): ReadonlyArray<Change> => {
  if (isObject(from) && isObject(to)) {
    const keys = [...Object.keys(to), ...Object.keys(from).filter((key) => !Object.hasOwn(to, key))]
    return keys.flatMap((key) => {
      const at = `${pointer}/${key.replaceAll("~", "~0").replaceAll("/", "~1")}`
      if (!Object.hasOwn(from, key)) return [{ pointer: at, change: "added", from: null, to: to[key]! }]
      if (!Object.hasOwn(to, key)) return [{ pointer: at, change: "removed", from: from[key]!, to: null }]
      return definitionDiff(from[key]!, to[key]!, at)
    })
  }
  return isSame(from, to) ? [] : [{ pointer, change: "changed", from, to }]
}

type JsonObject = { readonly [key: string]: Schema.Json }

const isObject = (value: Schema.Json): value is JsonObject =>
  typeof value === "object" && value !== null && !Array.isArray(value)

/** A list is one value: what moved inside of it would read as every item changed. */
const isSame = (from: Schema.Json, to: Schema.Json): boolean => {
  if (Array.isArray(from) && Array.isArray(to)) {
    return from.length === to.length && from.every((item, index) => isSame(item, to[index]!))
  }
  if (isObject(from) && isObject(to)) return definitionDiff(from, to).length === 0
  return from === to
}
