/**
 * Rows of a Parquet file as records, in batches that can be read again from their row numbers.
 *
 * @module
 */
import { Effect, Schema } from "effect"
import type { Position } from "../../../../events/Checkpoint.ts"
import type { Reason } from "../../../../events/PipelineEvent.ts"
import type { SourceBatch, SourceRecord } from "../../Record.ts"
import type { ReadLimit } from "../../Source.ts"
import { fileError } from "../fileError.ts"
import type { FileMetadata, FileReader, Progress } from "../text/FileReader.ts"
import { sourceChanged } from "../text/Fingerprint.ts"
import { openRegular } from "../text/openText.ts"
import { rawOfText } from "../text/rawOf.ts"
import { ParquetFile } from "./ParquetFile.ts"
import { type DecodedColumn, type DecodedRows, ParquetRows } from "./ParquetRows.ts"
import { Misfit } from "./parquetValue.ts"

/** `row` is the next row, `footer` the hash of the file's footer. */
const RowPosition = Schema.Struct({
  row: Schema.Int.check(Schema.isGreaterThanOrEqualTo(0)),
  footer: Schema.String
})
const isRowPosition = Schema.is(RowPosition)

export const openParquet = Effect.fnUntraced(function* (
  path: string,
  columns: ReadonlyArray<string> | undefined,
  metadata: FileMetadata,
  from: Position | null
) {
  const handle = yield* openRegular(path)
  return yield* Effect.tryPromise({
    try: async (): Promise<FileReader> => {
      const file = await ParquetFile.open(path, handle, columns)
      return new ParquetReader(file, metadata, from === null ? 0 : rowOf(file, from))
    },
    catch: (cause) => fileError("open", path, "read", cause)
  })
})

const rowOf = (file: ParquetFile, from: Position): number => {
  if (isRowPosition(from) && from.footer === file.footer && from.row <= file.rows) return from.row
  throw sourceChanged(file.path, "its footer is different")
}

class ParquetReader implements FileReader {
  private readonly file: ParquetFile
  private readonly rows: ParquetRows
  private readonly metadata: FileMetadata
  private row: number
  private decoded: DecodedRows | undefined

  constructor(file: ParquetFile, metadata: FileMetadata, row: number) {
    this.file = file
    this.metadata = metadata
    this.rows = new ParquetRows(file)
    this.row = row
  }

  get progress(): Progress {
    return { done: this.row, total: this.file.rows, unit: "rows" }
  }

  async atEnd(): Promise<boolean> {
    return this.row >= this.file.rows
  }

  async next(limit: ReadLimit): Promise<SourceBatch | null> {
    const from = this.row
    const end = Math.min(this.file.rows, from + limit.records)
    const records: Array<SourceRecord> = []
    const most = limit.exactly === true ? Number.POSITIVE_INFINITY : limit.bytes
    let bytes = 0
    let to = from
    while (to < end && (to === from || bytes < most)) {
      if (this.decoded === undefined || to < this.decoded.from || to >= this.decoded.to) {
        // The old rows go before the new ones come.
        this.decoded = undefined
        this.decoded = await this.rows.decode(to)
      }
      const { columns, misfits } = this.decoded
      const first = to - this.decoded.from
      // The size of a row is guessed from the first one; columns of very uneven texts are rare.
      const size = rowBytes(columns, first)
      const room = most === Number.POSITIVE_INFINITY ? end : Math.max(1, Math.ceil((most - bytes) / size))
      const count = Math.min(end, this.decoded.to, to + room) - to
      build(this.file.names, columns, first, count, misfits, this.metadata, records)
      bytes += count * size
      to += count
    }
    if (records.length === 0) return null
    const digest = await this.file.digest(from, to)
    this.row = to
    return {
      records,
      to: { row: to, footer: this.file.footer },
      digest,
      bytes,
      raw: (index) => rawOfText(JSON.stringify(records[index]!.payload))
    }
  }
}

/** Rows `first` up to `first + count` of the columns; a row with a misfit is a failure without it. */
const build = (
  names: ReadonlyArray<string>,
  columns: ReadonlyArray<DecodedColumn>,
  first: number,
  count: number,
  misfits: boolean,
  metadata: FileMetadata,
  into: Array<SourceRecord>
): void => {
  for (let row = first; row < first + count; row++) {
    const payload: Record<string, unknown> = {}
    let failure: Reason | undefined
    for (let index = 0; index < names.length; index++) {
      const { codes, values } = columns[index]!
      const value = codes === undefined ? values[row] : values[codes[row]!]
      if (misfits && value instanceof Misfit) {
        failure ??= value.reason
        payload[names[index]!] = null
      } else payload[names[index]!] = value
    }
    into.push(failure === undefined ? { payload, metadata } : { payload, metadata, failure })
  }
}

/** Bytes a row takes in memory, roughly. */
const rowBytes = (columns: ReadonlyArray<DecodedColumn>, row: number): number => {
  let bytes = 16
  for (const { codes, values } of columns) {
    const value = codes === undefined ? values[row] : values[codes[row]!]
    if (typeof value === "string") bytes += 16 + value.length
    else bytes += typeof value === "object" && value !== null ? JSON.stringify(value).length : 8
  }
  return bytes
}
