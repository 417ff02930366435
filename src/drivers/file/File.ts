/**
 * Files as the ends of a program's pipeline.
 *
 * @module
 */
import type { Schema } from "effect"
import type { Use } from "../../../events/Definition.ts"
import * as End from "../End.ts"

/** Settings as a pipeline file has them, beside `use`, `path` and `format`. */
export type FileSettings = Readonly<Record<string, Schema.Json>>

const of =
  (format: string) =>
  <A = unknown>(path: string, schema?: Schema.Codec<A, A>, settings: FileSettings = {}): End.End<A> =>
    End.make({ use: "file", path, format, ...settings } as Use, schema)

/** One JSON value a line. Relative paths resolve against the pipeline's base folder. */
export const ndjson = of("ndjson")

/** Rows of text; `types` says which columns are numbers or booleans. */
export const csv = of("csv")

/** A Parquet file; a source only. Needs `hyparquet` and `hyparquet-compressors`. */
export const parquet = of("parquet")
