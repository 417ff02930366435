/**
 * What may stand beside `source: { use: http }`.
 *
 * @module
 */
import { Effect, Schema } from "effect"
import { CsvFormat } from "../file/csv/CsvFormat.ts"
import { convertOf } from "../file/csv/convertField.ts"
import { Delimiter, defaultMaxRecordBytes, FieldTypes } from "../file/FileSourceConfig.ts"
import { ndjsonFormat } from "../file/json/NdjsonFormat.ts"
import type { RecordFormat } from "../file/text/LineRun.ts"

/**
 * `format` says how a body is framed unless its sender says otherwise: `ndjson` (default), `json` (one array),
 * `csv`. A CSV source names its `columns`, so that rows out of different bodies mean the same; with `header`
 * (default) every body begins with a row of those names. `delimiter` and `types` are as for a CSV file.
 * A record of more than `maxRecordBytes` is refused.
 */
export const HttpSourceConfig = Schema.Struct({
  format: Schema.Literals(["ndjson", "json", "csv"]).pipe(
    Schema.withDecodingDefaultKey(Effect.succeed("ndjson" as const))
  ),
  delimiter: Schema.optionalKey(Delimiter),
  header: Schema.optionalKey(Schema.Boolean),
  columns: Schema.optionalKey(Schema.Array(Schema.NonEmptyString).check(Schema.isMinLength(1))),
  types: Schema.optionalKey(FieldTypes),
  maxRecordBytes: Schema.Int.check(Schema.isGreaterThan(0)).pipe(
    Schema.withDecodingDefaultKey(Effect.succeed(defaultMaxRecordBytes))
  )
})
  .check(Schema.makeFilter((config) => issuesOf(config)))
  .pipe(Schema.encodeKeys({ maxRecordBytes: "max_record_bytes" }))
export type HttpSourceConfig = typeof HttpSourceConfig.Type

/** How stored records are read. It is kept with them: what was pushed keeps its meaning when settings change. */
export const RecordSettings = Schema.Struct({
  format: Schema.Literals(["json", "csv"]),
  maxRecordBytes: Schema.Int,
  delimiter: Schema.String,
  columns: Schema.Array(Schema.String),
  types: FieldTypes
})
export type RecordSettings = typeof RecordSettings.Type

/** JSON records are kept one a line, however they came. */
export const recordSettings = (config: HttpSourceConfig): RecordSettings => ({
  format: config.format === "csv" ? "csv" : "json",
  maxRecordBytes: config.maxRecordBytes,
  delimiter: config.delimiter ?? ",",
  columns: config.columns ?? [],
  types: config.types ?? {}
})

/** Reads records as they are kept: without a header. */
export const recordFormat = ({ columns, delimiter, format, types }: RecordSettings): RecordFormat => {
  if (format === "json") return ndjsonFormat
  const converts = columns.map((column) =>
    Object.hasOwn(types, column) ? convertOf(types[column]) : undefined
  )
  return new CsvFormat({ columns, characters: 0, bytes: 0 }, converts, delimiter)
}

interface Settings {
  readonly format: "ndjson" | "json" | "csv"
  readonly delimiter?: string
  readonly header?: boolean
  readonly columns?: ReadonlyArray<string>
  readonly types?: Readonly<Record<string, string>>
}

const issuesOf = (config: Settings): Array<Schema.FilterIssue> => {
  const issues: Array<Schema.FilterIssue> = []
  if (config.format !== "csv") {
    for (const key of ["delimiter", "header", "columns", "types"] as const) {
      if (config[key] === undefined) continue
      issues.push({ path: [key], issue: `only csv has ${key}, these records are ${config.format}` })
    }
    return issues
  }
  const { columns, types } = config
  if (columns === undefined) {
    const issue = "rows that are pushed need their columns named here: columns: [id, name]"
    return [{ path: ["columns"], issue }]
  }
  const twice = columns.find((column, index) => columns.indexOf(column) !== index)
  if (twice !== undefined)
    issues.push({ path: ["columns"], issue: `${JSON.stringify(twice)} is named twice` })
  if (columns.includes("__proto__")) issues.push({ path: ["columns"], issue: "__proto__ is no name here" })
  for (const name of Object.keys(types ?? {})) {
    if (columns.includes(name)) continue
    issues.push({ path: ["types", name], issue: `there is no column ${name}: ${columns.join(", ")}` })
  }
  return issues
}
