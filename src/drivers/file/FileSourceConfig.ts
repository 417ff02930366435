/**
 * What may stand beside `source: { use: file }`.
 *
 * @module
 */
import { Effect, Schema } from "effect"
import { type FileFormat, isGzipName, readFormatOf } from "./formats.ts"

/** What a CSV field is read as; an empty one is null for every type but string. */
export const FieldType = Schema.Literals(["string", "number", "integer", "boolean"])
export type FieldType = typeof FieldType.Type
export const FieldTypes = Schema.Record(Schema.String, FieldType)

export const Delimiter = Schema.String.check(
  Schema.isPattern(/^[^"\r\n\u0080-\uffff]$/, {
    message: "one ASCII character other than a quote or a line break"
  })
)

/** Bytes of the largest record that is parsed, unless the settings say otherwise. */
export const defaultMaxRecordBytes = 16 * 1024 * 1024

/**
 * `path` resolves against the file that names it and may be a glob (`*`, `**`, `?`, `[a-z]`, `{a,b}`).
 * `format` and `compression` may be left out where the extension tells; `json` is one array of records.
 * `delimiter`, `header` and `types` are for CSV; `columns` names the columns of a CSV file without a
 * header, or the columns wanted from a Parquet file. A record of more than `maxRecordBytes` is never
 * held in memory and becomes a dead letter.
 */
export const FileSourceConfig = Schema.Struct({
  path: Schema.NonEmptyString,
  format: Schema.optionalKey(Schema.Literals(["ndjson", "csv", "parquet", "json"])),
  compression: Schema.optionalKey(Schema.Literals(["gzip", "none"])),
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
export type FileSourceConfig = typeof FileSourceConfig.Type

/** The format that is meant: the one given, else the one the extension tells. */
export const sourceFormat = (config: {
  readonly path: string
  readonly format?: FileFormat
}): FileFormat | undefined => config.format ?? readFormatOf(config.path)

/** Whether a file of this name is decompressed: what the settings say, else what its extension tells. */
export const isCompressed = (config: Pick<Settings, "compression">, path: string): boolean =>
  config.compression === undefined ? isGzipName(path) : config.compression === "gzip"

interface Settings {
  readonly path: string
  readonly format?: FileFormat
  readonly compression?: "gzip" | "none"
  readonly delimiter?: string
  readonly header?: boolean
  readonly columns?: ReadonlyArray<string>
  readonly types?: Readonly<Record<string, string>>
}

const issuesOf = (config: Settings): Array<Schema.FilterIssue> => {
  const format = sourceFormat(config)
  if (format === undefined) {
    const issue = "the extension does not tell the format: say ndjson, json, csv or parquet"
    return [{ path: ["format"], issue }]
  }
  const issues: Array<Schema.FilterIssue> = []
  if (format === "parquet" && isCompressed(config, config.path)) {
    issues.push({
      path: ["compression"],
      issue: "a parquet file is compressed inside; it cannot be read out of gzip"
    })
  }
  for (const key of ["delimiter", "header", "types"] as const) {
    if (format !== "csv" && config[key] !== undefined) {
      issues.push({ path: [key], issue: `only a csv file has ${key}, this one is ${format}` })
    }
  }
  if ((format === "ndjson" || format === "json") && config.columns !== undefined) {
    issues.push({
      path: ["columns"],
      issue: `${format === "json" ? "a" : "an"} ${format} file has no columns`
    })
  }
  if (format === "csv" && config.header !== false && config.columns !== undefined) {
    issues.push({
      path: ["columns"],
      issue: "the header names the columns; set header: false to name them here"
    })
  }
  if (config.header === false && config.columns === undefined) {
    issues.push({ path: ["columns"], issue: "without a header the columns must be named" })
  }
  return issues
}
