/**
 * Records from a file that can be read again from any position.
 *
 * @module
 */
import { Effect, type Scope } from "effect"
import type { Position } from "../../../events/Checkpoint.ts"
import type { DriverContext, Offer } from "../Driver.ts"
import type { DriverError } from "../DriverError.ts"
import type { Source, SourceReader } from "../Source.ts"
import { FileSourceConfig, sourceFormat } from "./FileSourceConfig.ts"
import { fileError } from "./fileError.ts"
import { pathOf } from "./formats.ts"
import { ndjsonFormat } from "./NdjsonFormat.ts"
import { openCsv } from "./openCsv.ts"
import { type OpenedText, openText } from "./openText.ts"
import { openParquet } from "./ParquetReader.ts"
import { type RecordFormat, TextReader } from "./TextReader.ts"

export const fileSource: Offer<FileSourceConfig, Source> = {
  config: FileSourceConfig,
  resource: pathOf,
  make: (config, context) => Effect.succeed(makeSource(config, context))
}

/** The source these settings mean. */
export const makeSource = (config: FileSourceConfig, context: DriverContext): Source => {
  const path = pathOf(config, context)
  switch (sourceFormat(config)) {
    case "csv":
      return { open: (from) => openReader(path, config, from, (opened) => openCsv(config, opened)) }
    case "parquet":
      return { open: (from) => openParquet(path, config.columns, from) }
    default:
      return { open: (from) => openReader(path, config, from, () => Effect.succeed(ndjsonFormat)) }
  }
}

/** A reader of a text format; `formatOf` may look at the opened file first. */
const openReader = Effect.fnUntraced(function* (
  path: string,
  config: FileSourceConfig,
  from: Position | null,
  formatOf: (opened: OpenedText) => Effect.Effect<RecordFormat, DriverError, Scope.Scope>
): Effect.fn.Return<SourceReader, DriverError, Scope.Scope> {
  const opened = yield* openText(path, from)
  const format = yield* formatOf(opened)
  const reader = new TextReader(opened.file, format, config.maxRecordBytes, opened.head, opened.start)
  return {
    next: (limit) =>
      Effect.tryPromise({
        try: () => reader.next(limit),
        catch: (cause) => fileError("next", path, "read", cause)
      }),
    // The position is in the log; a file has nobody to tell.
    ack: () => Effect.void,
    progress: () => reader.progress
  }
})
