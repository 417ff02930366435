/**
 * A table that records are enriched from.
 *
 * @module
 */
import type { Effect, Scope } from "effect"
import type { DriverError } from "./DriverError.ts"

export interface Lookup {
  /**
   * Opens a table keyed by these columns. `get` is synchronous: the table is held in memory
   * (bounded by the driver, which refuses a larger one).
   */
  open(columns: ReadonlyArray<string>): Effect.Effect<LookupTable, DriverError, Scope.Scope>
}

export interface LookupTable {
  /** The first row whose columns equal these values, in the order of `columns`. */
  get(values: ReadonlyArray<unknown>): Readonly<Record<string, unknown>> | undefined
  readonly size: number
}
