/**
 * A file as a table that records are enriched from, held in memory.
 *
 * Where several rows have the same key the first one is found.
 *
 * @module
 */
import { Effect, Schema } from "effect"
import { DurationMs } from "../../../events/definition/Duration.ts"
import { nearest } from "../../../events/nearest.ts"
import type { DriverContext, Offer } from "../Driver.ts"
import type { DriverError } from "../DriverError.ts"
import type { Lookup, LookupRow, LookupTable } from "../Lookup.ts"
import { indexRows } from "../memory/indexRows.ts"
import type { SourceReader } from "../Source.ts"
import { makeSource } from "./FileSource.ts"
import { Delimiter, defaultMaxRecordBytes, FieldTypes } from "./FileSourceConfig.ts"
import { fileError, misconfigured } from "./fileError.ts"
import { type FileFormat, pathOf, readFormatOf, realPathOf } from "./formats.ts"
import { refreshedTable } from "./refreshedTable.ts"
import { globCovers } from "./text/globFiles.ts"

const positive = Schema.Int.check(Schema.isGreaterThan(0))

/**
 * `format: json` is one array of objects; `maxRows` bounds what is held in memory. With `refresh` (ms once
 * decoded) a run looks that often whether the file has changed, between two batches; else it is read once a run.
 */
export const FileLookupConfig = Schema.Struct({
  path: Schema.NonEmptyString,
  format: Schema.optionalKey(Schema.Literals(["csv", "json", "ndjson"])),
  delimiter: Schema.optionalKey(Delimiter),
  types: Schema.optionalKey(FieldTypes),
  maxRows: positive.pipe(Schema.withDecodingDefaultKey(Effect.succeed(1_000_000))),
  refresh: Schema.optionalKey(
    DurationMs.check(
      Schema.isGreaterThan(0, { message: "a duration above 0: it is how often the file is looked at" })
    )
  )
})
  .check(Schema.makeFilter((config) => issuesOf(config)))
  .pipe(Schema.encodeKeys({ maxRows: "max_rows" }))
export type FileLookupConfig = typeof FileLookupConfig.Type

export const fileLookup: Offer<FileLookupConfig, Lookup<LookupTable>> = {
  config: FileLookupConfig,
  resource: realPathOf,
  covers: globCovers,
  make: (config, context) =>
    Effect.succeed({
      open: (columns) => {
        const load = loadTable(config, context, columns)
        return config.refresh === undefined
          ? load
          : refreshedTable(pathOf(config, context), config.refresh, load)
      }
    })
}

const loadTable = Effect.fnUntraced(function* (
  config: FileLookupConfig,
  context: DriverContext,
  columns: ReadonlyArray<string>
): Effect.fn.Return<LookupTable, DriverError> {
  const rows = yield* readRows(config, context)
  const path = pathOf(config, context)
  return yield* Effect.try({
    try: () => tableOf(path, rows, columns),
    catch: (cause) => fileError("open", path, "read", cause)
  })
})

const issuesOf = (config: {
  readonly path: string
  readonly format?: FileFormat
  readonly delimiter?: string
  readonly types?: object
}): Array<Schema.FilterIssue> => {
  const format = config.format ?? readFormatOf(config.path)
  if (format === undefined || format === "parquet") {
    return [{ path: ["format"], issue: "say csv, json or ndjson; the extension does not tell one of them" }]
  }
  return (["delimiter", "types"] as const)
    .filter((key) => format !== "csv" && config[key] !== undefined)
    .map((key) => ({ path: [key], issue: `only a csv file has ${key}, this one is ${format}` }))
}

const tableOf = (
  path: string,
  rows: ReadonlyArray<LookupRow>,
  columns: ReadonlyArray<string>
): LookupTable => {
  // The rows of a JSON file need not all have the same fields.
  const known = new Set(rows.slice(0, sampledRows).flatMap((row) => Object.keys(row)))
  const missing = columns.find(
    (column) => !known.has(column) && !rows.some((row) => Object.hasOwn(row, column))
  )
  if (missing !== undefined && rows.length > 0) {
    const close = nearest(missing, [...known])
    throw misconfigured(
      "open",
      "unknown_column",
      `${path} has no column ${missing}`,
      close === undefined ? `its columns are ${[...known].join(", ")}` : `did you mean ${close}?`
    )
  }
  return indexRows(rows, columns)
}

const sampledRows = 1000

const readRows = (
  config: FileLookupConfig,
  context: DriverContext
): Effect.Effect<ReadonlyArray<LookupRow>, DriverError> => {
  const path = pathOf(config, context)
  const format = config.format ?? readFormatOf(config.path)
  return Effect.scoped(
    Effect.gen(function* () {
      const { maxRows, refresh: _, ...settings } = config
      const source = makeSource(
        { ...settings, format: format ?? "ndjson", maxRecordBytes: defaultMaxRecordBytes },
        context
      )
      return yield* drain(path, yield* source.open(null), maxRows)
    })
  ).pipe(
    Effect.mapError((error) =>
      error.reason.code === "not_an_array" ? malformed(path, "it is not an array of objects") : error
    )
  )
}

const drain = Effect.fnUntraced(function* (path: string, reader: SourceReader, maxRows: number) {
  const rows: Array<LookupRow> = []
  for (;;) {
    const batch = yield* reader.next({ records: 10_000, bytes: 8 * 1024 * 1024 })
    if (batch === null) return rows
    for (const { failure, payload } of batch.records) {
      if (failure !== undefined) return yield* malformed(path, `row ${rows.length + 1}: ${failure.message}`)
      if (!isRow(payload)) return yield* malformed(path, `row ${rows.length + 1} is not an object`)
      rows.push(payload)
    }
    if (rows.length > maxRows) return yield* tooLarge(path, maxRows)
  }
})

const isRow = (value: unknown): value is LookupRow =>
  typeof value === "object" && value !== null && !Array.isArray(value)

const malformed = (path: string, why: string) =>
  misconfigured("open", "malformed_lookup", `${path} cannot be used as a table: ${why}`)

const tooLarge = (path: string, maxRows: number) =>
  misconfigured(
    "open",
    "lookup_too_large",
    `${path} has more than ${maxRows} rows, which is what is held in memory`,
    "raise max_rows, or keep the table in a database"
  )
