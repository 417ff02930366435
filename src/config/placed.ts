/**
 * Findings in the order of the text, each with its line and column.
 *
 * @module
 */
import { type Finding, finding } from "../../events/Finding.ts"
import type { Locate } from "./locate.ts"

/** A file with more findings than this says so and leaves the rest for the next time. */
const maxFindings = 200

/** About a key rather than the value behind it. */
const keyCodes = new Set([
  "unknown_key",
  "bad_name",
  "forbidden_key",
  "merge_key",
  "bad_key",
  "unknown_source",
  "unknown_lookup",
  "unknown_service",
  "unknown_sink"
])

/** Each finding once. One that has a line already keeps it. */
export const placed = (findings: ReadonlyArray<Finding>, locate: Locate): ReadonlyArray<Finding> => {
  const known = new Set<string>()
  const all: Array<Finding & { readonly line: number; readonly column: number }> = []
  for (const each of findings.slice(0, maxFindings)) {
    const { code, message, pointer } = each
    const id = `${code} ${pointer} ${message}`
    if (known.has(id)) continue
    known.add(id)
    const key = code === "duplicate_key" ? "last" : keyCodes.has(code) ? "first" : undefined
    const { line, column } = each.line === undefined ? locate(pointer, key) : each
    all.push({ ...each, line: line ?? 1, column: column ?? 1 })
  }
  all.sort((left, right) => left.line - right.line || left.column - right.column)
  if (findings.length <= maxFindings) return all
  return [
    ...all,
    finding("too_many_findings", [], `There are ${findings.length - maxFindings} more findings`)
  ]
}
