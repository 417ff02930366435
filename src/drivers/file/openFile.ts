/**
 * Opens one file of a source at a position, in the format its settings mean.
 *
 * @module
 */
import { Effect, type Scope } from "effect"
import type { Position } from "../../../events/Checkpoint.ts"
import type { Confines } from "../Confines.ts"
import type { DriverError } from "../DriverError.ts"
import type { ReadLimit } from "../Source.ts"
import { openCsv } from "./csv/openCsv.ts"
import { type FileSourceConfig, isCompressed, sourceFormat } from "./FileSourceConfig.ts"
import { fileError } from "./fileError.ts"
import { ArrayRun } from "./json/ArrayRun.ts"
import { ndjsonFormat } from "./json/NdjsonFormat.ts"
import { requireArray } from "./json/notAnArray.ts"
import { closeBracket, comma } from "./json/ValueScan.ts"
import { openParquet } from "./parquet/ParquetReader.ts"
import { requireAllowed } from "./requireAllowed.ts"
import type { FileMetadata, FileReader } from "./text/FileReader.ts"
import { GrowingFile } from "./text/GrowingFile.ts"
import { LineRun, type RecordFormat } from "./text/LineRun.ts"
import { type MayGoOn, openText } from "./text/openText.ts"
import { Taken } from "./text/Taken.ts"
import { type Place, TextReader } from "./text/TextReader.ts"

export interface OpenOptions {
  readonly confines?: Confines | undefined
  /** The file is still being written: a reader that is at its end looks for more. */
  readonly follows?: boolean | undefined
}

/** `path` is absolute; every record of the file carries `metadata`. */
export const openFile = (
  config: FileSourceConfig,
  path: string,
  metadata: FileMetadata,
  from: Position | null,
  { confines, follows = false }: OpenOptions = {}
): Effect.Effect<FileReader, DriverError, Scope.Scope> =>
  Effect.andThen(
    Effect.try({
      try: () => requireAllowed(path, confines),
      catch: (cause) => fileError("open", path, "read", cause)
    }),
    openAllowed(config, path, metadata, from, follows)
  )

const openAllowed = (
  config: FileSourceConfig,
  path: string,
  metadata: FileMetadata,
  from: Position | null,
  follows: boolean
): Effect.Effect<FileReader, DriverError, Scope.Scope> => {
  const format = sourceFormat(config)
  if (format === "parquet") return openParquet(path, config.columns, metadata, from)
  return format === "json"
    ? openArray(config, path, metadata, from)
    : openLines(config, path, format === "csv", metadata, from, follows)
}

const openLines = Effect.fnUntraced(function* (
  config: FileSourceConfig,
  path: string,
  isCsv: boolean,
  metadata: FileMetadata,
  from: Position | null,
  follows: boolean
) {
  const opened = yield* openText(path, isCompressed(config, path), betweenLines, from)
  const format: RecordFormat = isCsv ? yield* openCsv(config, opened) : ndjsonFormat
  const { handle, head, start } = opened
  const file = follows
    ? new GrowingFile(path, handle, start.byte, { isQuoted: isCsv, most: config.maxRecordBytes })
    : opened.file
  const begin = (place: Place, limit: ReadLimit) =>
    new LineRun(file, format, config.maxRecordBytes, new Taken(metadata), place, limit)
  return new TextReader(file, head, start, begin)
})

const openArray = Effect.fnUntraced(function* (
  config: FileSourceConfig,
  path: string,
  metadata: FileMetadata,
  from: Position | null
) {
  const { file, head, start } = yield* openText(path, isCompressed(config, path), betweenElements, from)
  yield* Effect.tryPromise({
    try: async () => (start.byte === 0 ? await requireArray(file) : undefined),
    catch: (cause) => fileError("open", path, "read", cause)
  })
  const begin = (place: Place, limit: ReadLimit) =>
    new ArrayRun(file, config.maxRecordBytes, new Taken(metadata), place, limit)
  return new TextReader(file, head, start, begin)
})

const lineFeed = 10
const carriageReturn = 13

const betweenLines: MayGoOn = (before, next) =>
  before === lineFeed || next === lineFeed || next === carriageReturn

const betweenElements: MayGoOn = (_, next) => next === comma || next === closeBracket
