/**
 * A table that answers as one far away would: many keys a call, after whatever stands between.
 *
 * @module
 */
import { Effect } from "effect"
import type { LookupRow, RemoteTable } from "../Lookup.ts"
import { indexRows } from "./indexRows.ts"
import type { Through } from "./Through.ts"

export class MemoryTable {
  readonly name: string
  /** What the table holds now; may be replaced while a pipeline runs. */
  rows: ReadonlyArray<LookupRow>
  /** The keys of every call that was let through, in order. */
  readonly asked: Array<ReadonlyArray<ReadonlyArray<unknown>>> = []
  private readonly through: Through

  constructor(name: string, rows: ReadonlyArray<LookupRow>, through: Through) {
    this.name = name
    this.rows = rows
    this.through = through
  }

  open(columns: ReadonlyArray<string>): RemoteTable {
    let held = { of: this.rows, table: indexRows(this.rows, columns) }
    const tableNow = () => {
      if (held.of !== this.rows) held = { of: this.rows, table: indexRows(this.rows, columns) }
      return held.table
    }
    const find: RemoteTable["find"] = (keys) =>
      this.through(
        "lookup.find",
        this.name,
        Effect.sync(() => {
          this.asked.push(keys)
          const table = tableNow()
          return keys.map((key) => table.get(key))
        })
      )
    return { find }
  }
}
