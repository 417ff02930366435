/**
 * Rows held in memory, found by the values of some of their columns.
 *
 * Where several rows have the same values the first one is found; a column a row lacks counts as null.
 *
 * @module
 */
import { keyText, type LookupRow, type LookupTable } from "../Lookup.ts"

export const indexRows = (rows: Iterable<LookupRow>, columns: ReadonlyArray<string>): LookupTable => {
  const byKey = new Map<string, LookupRow>()
  for (const row of rows) {
    const key = keyText(columns.map((column) => (Object.hasOwn(row, column) ? row[column] : null)))
    if (!byKey.has(key)) byKey.set(key, row)
  }
  return { get: (values) => byKey.get(keyText(values)), size: byKey.size }
}
