/**
 * Records of a file out of the bytes their dead letters kept: only a CSV header has to be read for them.
 *
 * @module
 */
import { resolve } from "node:path"
import { Effect, type Scope } from "effect"
import type { DriverContext } from "../Driver.ts"
import type { DriverError } from "../DriverError.ts"
import type { SourceRecord } from "../Record.ts"
import type { KeptRecord, Source } from "../Source.ts"
import { CsvFormat } from "./csv/CsvFormat.ts"
import { convertOf } from "./csv/convertField.ts"
import { openCsv } from "./csv/openCsv.ts"
import { type FileSourceConfig, isCompressed, sourceFormat } from "./FileSourceConfig.ts"
import { fileError } from "./fileError.ts"
import { delimiterOf, nameIn, pathOf } from "./formats.ts"
import { ndjsonFormat } from "./json/NdjsonFormat.ts"
import { requireAllowed } from "./requireAllowed.ts"
import { fileOfPosition } from "./text/GlobReader.ts"
import { openText } from "./text/openText.ts"
import { parseJsonKept, parseLineKept } from "./text/parseKept.ts"

/** `matches`: the settings name many files, and the position of a letter's batch which one. */
export const parseFile = (
  config: FileSourceConfig,
  context: DriverContext,
  matches: () => boolean
): NonNullable<Source["parse"]> => {
  // By path: letters of one file share its header.
  const headers = new Map<string, CsvFormat>()
  return Effect.fnUntraced(function* (
    kept: KeptRecord
  ): Effect.fn.Return<SourceRecord | undefined, DriverError, Scope.Scope> {
    const name = matches() ? fileOfPosition(kept.from) : config.path
    // A batch that began at the beginning of all files does not say which of them that was.
    if (name === undefined) return undefined
    const path = matches() ? resolve(context.base, name) : pathOf(config, context)
    const metadata = Object.freeze({ file: nameIn(context.base, path) })
    if (kept.edited !== undefined) return { payload: kept.edited.payload, metadata }
    switch (sourceFormat(config)) {
      case "ndjson":
        return parseLineKept(kept, ndjsonFormat, metadata)
      case "json":
        return parseJsonKept(kept, metadata)
      case "csv": {
        const format = headers.get(path) ?? (yield* csvOf(config, path, context))
        headers.set(path, format)
        return parseLineKept(kept, format, metadata)
      }
      default:
        // A row of a Parquet file that holds a value JSON has no word for looks like one without it.
        return undefined
    }
  })
}

const csvOf = (
  config: FileSourceConfig,
  path: string,
  { confines }: DriverContext
): Effect.Effect<CsvFormat, DriverError> => {
  const { columns = [], types = {} } = config
  if (config.header === false) {
    const converts = columns.map((column) =>
      Object.hasOwn(types, column) ? convertOf(types[column]) : undefined
    )
    const delimiter = config.delimiter ?? delimiterOf(path)
    return Effect.succeed(new CsvFormat({ columns, characters: 0, bytes: 0 }, converts, delimiter))
  }
  return Effect.scoped(
    Effect.gen(function* () {
      yield* Effect.try({
        try: () => requireAllowed(path, confines),
        catch: (cause) => fileError("open", path, "read", cause)
      })
      return yield* openCsv(config, yield* openText(path, isCompressed(config, path), () => true, null))
    })
  )
}
