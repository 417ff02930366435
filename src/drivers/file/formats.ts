/**
 * The formats files come in, and which one a name tells.
 *
 * @module
 */
import { extname, resolve } from "node:path"
import type { DriverContext } from "../Driver.ts"

export type FileFormat = "ndjson" | "csv" | "parquet" | "json"

const byExtension: Readonly<Record<string, FileFormat>> = {
  ".ndjson": "ndjson",
  ".jsonl": "ndjson",
  ".csv": "csv",
  ".tsv": "csv",
  ".parquet": "parquet",
  ".json": "json"
}

/** The format that goes with the path's extension. */
export const formatOf = (path: string): FileFormat | undefined => byExtension[extname(path).toLowerCase()]

/** What separates the fields of a CSV file of this name, unless its settings say otherwise. */
export const delimiterOf = (path: string): string => (extname(path).toLowerCase() === ".tsv" ? "\t" : ",")

/** The absolute path, which is also the name of the resource. */
export const pathOf = (config: { readonly path: string }, context: DriverContext): string =>
  resolve(context.base, config.path)
