/**
 * Rows held in memory, found by the values of some of their columns.
 *
 * Values are compared by their JSON text: the string "1" is not the number 1. Where several rows have
 * the same values the first one is found; a column a row lacks counts as null.
 *
 * @module
 */
import type { LookupTable } from "../Lookup.ts"

export type LookupRow = Readonly<Record<string, unknown>>

export const indexRows = (rows: Iterable<LookupRow>, columns: ReadonlyArray<string>): LookupTable => {
  const byKey = new Map<string, LookupRow>()
  for (const row of rows) {
    const key = keyOf(columns.map((column) => (Object.hasOwn(row, column) ? row[column] : null)))
    if (!byKey.has(key)) byKey.set(key, row)
  }
  return { get: (values) => byKey.get(keyOf(values)), size: byKey.size }
}

const keyOf = (values: ReadonlyArray<unknown>): string => {
  // A text alone is its own key; the mark keeps it apart from the arrays below.
  if (values.length === 1 && typeof values[0] === "string") return `"${values[0]}`
  return JSON.stringify(values, (_, value) => (typeof value === "bigint" ? { bigint: `${value}` } : value))
}
