/**
 * Files: NDJSON, CSV and Parquet in, NDJSON and CSV out, CSV, JSON and NDJSON as tables to look up.
 *
 * @module
 */
import type { Driver } from "../Driver.ts"
import { fileLookup } from "./FileLookup.ts"
import { fileSource } from "./FileSource.ts"
import { fileSink } from "./sink/FileSink.ts"

export const fileDriver: Driver = {
  name: "file",
  class: "file",
  guarantee: "effectively_once",
  source: fileSource,
  sink: fileSink,
  lookup: fileLookup
}
