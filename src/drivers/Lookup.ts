/**
 * Tables that records are enriched from: held in memory and looked into, or far away and asked.
 *
 * @module
 */
import type { Effect, Scope } from "effect"
import type { DriverError } from "./DriverError.ts"

/** A row of a table. Rows are shared and never changed. */
export type LookupRow = Readonly<Record<string, unknown>>

export interface Lookup<Table = LookupTable | RemoteTable> {
  /** Opens a table keyed by these columns. */
  open(columns: ReadonlyArray<string>): Effect.Effect<Table, DriverError, Scope.Scope>
}

/** A table in memory, bounded by its driver, which refuses a larger one. */
export interface LookupTable {
  /** The first row whose columns equal these values, in the order of `columns`. */
  get(values: ReadonlyArray<unknown>): LookupRow | undefined
  readonly size: number
  /**
   * The table as it is now: itself while nothing has changed. Asked before every batch, so how often it
   * really looks is the driver's business. It does not fail: what cannot be read anew stays as it is.
   */
  readonly refreshed?: Effect.Effect<LookupTable>
}

/** A table that is asked: many keys in one call, never one call per record. The engine caches, chunks and retries. */
export interface RemoteTable {
  /**
   * For each key (values in the order of `columns`; none is null, none twice) the first row that has it, or
   * `undefined` where there is none; as many answers as keys. A retryable error is an outage: the same call
   * is made again, and no record is to blame.
   */
  find(
    keys: ReadonlyArray<ReadonlyArray<unknown>>
  ): Effect.Effect<ReadonlyArray<LookupRow | undefined>, DriverError>
}

/**
 * The text of a key. Values are compared by it: the text "1" is not the number 1, and nothing is converted.
 */
export const keyText = (values: ReadonlyArray<unknown>): string => {
  // A text alone is its own key; the mark keeps it apart from the arrays below.
  if (values.length === 1 && typeof values[0] === "string") return `"${values[0]}`
  return JSON.stringify(values, (_, value) => (typeof value === "bigint" ? { bigint: `${value}` } : value))
}
