/**
 * Pushed records as the source of a program's pipeline.
 *
 * @module
 */
import type { Schema } from "effect"
import type { Use } from "../../../events/Definition.ts"
import * as End from "../End.ts"

/** Settings as a pipeline file has them, beside `use` and `format`. */
export type HttpSettings = Readonly<Record<string, Schema.Json>>

const of =
  (format: string) =>
  <A = unknown>(schema?: Schema.Codec<A, A>, settings: HttpSettings = {}): End.End<A> =>
    End.make({ use: "http", format, ...settings } as Use, schema)

/** Bodies of one JSON value a line. */
export const ndjson = of("ndjson")

/** Bodies that are one JSON array of records. */
export const json = of("json")

/** Bodies of rows; `columns` has to name their columns. */
export const csv = of("csv")
