/**
 * The formats files come in, and which one a name tells.
 *
 * @module
 */
import { realpathSync } from "node:fs"
import { basename, dirname, extname, isAbsolute, join, relative, resolve, sep } from "node:path"
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

/** As `formatOf`, seen through the extension of a compressed file. */
export const readFormatOf = (path: string): FileFormat | undefined => formatOf(uncompressed(path))

/** Does the name say that the file is compressed? */
export const isGzipName = (path: string): boolean => extname(path).toLowerCase() === ".gz"

const uncompressed = (path: string): string => (isGzipName(path) ? path.slice(0, -".gz".length) : path)

/** What separates the fields of a CSV file of this name, unless its settings say otherwise. */
export const delimiterOf = (path: string): string =>
  extname(uncompressed(path)).toLowerCase() === ".tsv" ? "\t" : ","

/** The file behind a path, links followed as far as it exists: two names of one file are one resource. */
export const realPathOf = (config: { readonly path: string }, context: DriverContext): string =>
  realPath(pathOf(config, context))

/** The same of an absolute path. */
export const realPath = (path: string): string => {
  const missing: Array<string> = []
  for (let there = path; ; there = dirname(there)) {
    try {
      return join(realpathSync(there), ...missing)
    } catch {
      if (dirname(there) === there) return path
      missing.unshift(basename(there))
    }
  }
}

/** The absolute path. */
export const pathOf = (config: { readonly path: string }, context: DriverContext): string =>
  resolve(context.base, config.path)

/** A path as records carry it: relative to the pipeline's folder, absolute outside of it. */
export const nameIn = (base: string, path: string): string => {
  const name = relative(base, path)
  return name === "" || name.startsWith("..") || isAbsolute(name) ? path : name.split(sep).join("/")
}
