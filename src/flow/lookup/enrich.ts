/**
 * What becomes of a record once its row is known, or known to be missing.
 *
 * @module
 */
import type { Lookup } from "../../../events/Definition.ts"
import type { LookupRow } from "../../drivers/Lookup.ts"
import { dropped, RecordFailure } from "../route/Route.ts"
import { asObject } from "../stages/asObject.ts"

/** The values a record is looked up by; `undefined` when one of them is null or not there, which is a miss. */
export const lookupKey =
  (fields: ReadonlyArray<string>) =>
  (payload: unknown): ReadonlyArray<unknown> | undefined => {
    if (typeof payload !== "object" || payload === null) return undefined
    const record = payload as Readonly<Record<string, unknown>>
    const values = fields.map((field) => (Object.hasOwn(record, field) ? record[field] : undefined))
    return values.some((value) => value === undefined || value === null) ? undefined : values
  }

/** The record with its row, `dropped`, or a `RecordFailure` thrown: as the stage says a miss is taken. */
export const enricher = (name: string, lookup: Lookup, cut: (row: LookupRow) => LookupRow) => {
  const { default: fallback, into, match, on_miss } = lookup
  const fields = Object.keys(match)
  return (payload: unknown, row: LookupRow | undefined): unknown => {
    const record = asObject(payload, name)
    if (row === undefined && on_miss === "drop") return dropped
    if (row === undefined && on_miss === "pass_through") return payload
    if (row === undefined && on_miss === "dead_letter") {
      const values = fields.map((field) => (Object.hasOwn(record, field) ? record[field] : null))
      throw new RecordFailure("lookup_miss", `nothing matches ${JSON.stringify(values)}`)
    }
    const found = row === undefined ? (fallback ?? null) : cut(row)
    return into === undefined ? { ...record, ...(found as object) } : { ...record, [into]: found }
  }
}

/** The wanted columns of a row, cut out once per row: rows are shared and never changed. */
export const wantedColumns = (take: ReadonlyArray<string> | undefined): ((row: LookupRow) => LookupRow) => {
  if (take === undefined) return (row) => row
  const cut = new WeakMap<LookupRow, LookupRow>()
  return (row) => {
    const known = cut.get(row)
    if (known !== undefined) return known
    const taken = Object.fromEntries(
      take.map((column) => [column, Object.hasOwn(row, column) ? row[column] : null])
    )
    cut.set(row, taken)
    return taken
  }
}
