/**
 * What may stand beside `sink: { use: file }`.
 *
 * @module
 */
import { Effect, Schema } from "effect"
import { Delimiter } from "../FileSourceConfig.ts"
import { type FileFormat, formatOf } from "../formats.ts"

/**
 * `mode: replace` writes beside the target and renames when the run completes; `append` grows the
 * target run after run. `columns` are the columns of a CSV file in order; without them they are the
 * fields of the first record.
 */
export const FileSinkConfig = Schema.Struct({
  path: Schema.NonEmptyString,
  format: Schema.optionalKey(Schema.Literals(["ndjson", "csv"])),
  mode: Schema.Literals(["replace", "append"]).pipe(
    Schema.withDecodingDefaultKey(Effect.succeed("replace" as const))
  ),
  delimiter: Schema.optionalKey(Delimiter),
  columns: Schema.optionalKey(
    Schema.Array(Schema.NonEmptyString).check(Schema.isMinLength(1), Schema.isUnique())
  )
}).check(Schema.makeFilter((config) => issuesOf(config)))
export type FileSinkConfig = typeof FileSinkConfig.Type

/** The format that is meant: the one given, else the one the extension tells. */
export const sinkFormat = (config: {
  readonly path: string
  readonly format?: FileFormat
}): FileFormat | undefined => config.format ?? formatOf(config.path)

interface Settings {
  readonly path: string
  readonly format?: FileFormat
  readonly delimiter?: string
  readonly columns?: ReadonlyArray<string>
}

const issuesOf = (config: Settings): Array<Schema.FilterIssue> => {
  const format = sinkFormat(config)
  if (format !== "ndjson" && format !== "csv") {
    const issue =
      format === undefined
        ? "the extension does not tell the format: say ndjson or csv"
        : `a ${format} file cannot be written: say ndjson or csv`
    return [{ path: ["format"], issue }]
  }
  return (["delimiter", "columns"] as const)
    .filter((key) => format === "ndjson" && config[key] !== undefined)
    .map((key) => ({ path: [key], issue: `an ndjson file has no ${key}` }))
}
