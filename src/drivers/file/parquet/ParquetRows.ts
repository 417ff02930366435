/**
 * Decodes stretches of a Parquet file's rows, column by column.
 *
 * Columns kept in dictionaries are decoded for their whole row group and kept until the next one; the
 * others a window at a time, as far as the file's pages allow.
 *
 * @module
 */
import type { AsyncBuffer, SchemaTree } from "hyparquet"
import { DriverError } from "../../DriverError.ts"
import { type DictionaryColumn, readDictionaryColumn } from "./DictionaryColumn.ts"
import { chunkStart, malformed, type ParquetFile, type RowGroup } from "./ParquetFile.ts"
import { Misfit, textParsers, toJsonOf } from "./parquetValue.ts"

/** Rows asked for at once. The decoder gives whole pages, so it may be as many as the row group has. */
const windowRows = 50_000

/** Rows `from` up to `to`: JSON values, or codes into them, counted from `from`. */
export interface DecodedRows {
  readonly from: number
  readonly to: number
  readonly columns: ReadonlyArray<DecodedColumn>
  /** Some value is a Misfit. */
  readonly misfits: boolean
}

export type DecodedColumn =
  | { readonly codes: Int32Array; readonly values: ReadonlyArray<unknown> }
  | { readonly codes: undefined; readonly values: ReadonlyArray<unknown> }

export class ParquetRows {
  private readonly file: ParquetFile
  private readonly buffer: AsyncBuffer
  private group: RowGroup | undefined
  /** Of `group`; `undefined` for a column that is not kept in a dictionary. */
  private coded: ReadonlyArray<DictionaryColumn | undefined> = []

  constructor(file: ParquetFile) {
    this.file = file
    this.buffer = {
      byteLength: file.size,
      slice: (from, to = file.size) => file.bytes(from, to - from)
    }
  }

  /** Rows from `row` on, or from a little before it: about a window of them, within one row group. */
  async decode(row: number): Promise<DecodedRows> {
    const group = this.file.groups.find((each) => each.from <= row && row < each.to)
    if (group === undefined) throw malformed(this.file.path, `row ${row} is in no row group`)
    try {
      if (this.group !== group) await this.enter(group)
      return await this.window(group, row)
    } catch (cause) {
      if (cause instanceof DriverError || (cause as NodeJS.ErrnoException).syscall !== undefined) throw cause
      throw malformed(this.file.path, cause instanceof Error ? cause.message : String(cause))
    }
  }

  private async enter(group: RowGroup): Promise<void> {
    this.coded = []
    this.group = undefined
    const coded: Array<DictionaryColumn | undefined> = []
    for (const column of this.file.columns) coded.push(await this.readCoded(group, column))
    this.coded = coded
    this.group = group
  }

  private async readCoded(group: RowGroup, column: SchemaTree): Promise<DictionaryColumn | undefined> {
    const chunks = group.chunks.get(column.element.name) ?? []
    const [chunk] = chunks
    if (chunk === undefined || chunks.length > 1) return undefined
    if (!chunk.encodings.some((encoding) => encoding.endsWith("_DICTIONARY"))) return undefined
    const bytes = await this.file.bytes(chunkStart(chunk), Number(chunk.total_compressed_size))
    return readDictionaryColumn(this.file.library, column, chunk, bytes, group.to - group.from)
  }

  private async window(group: RowGroup, row: number): Promise<DecodedRows> {
    let { from, to } = group
    const read: Array<ReadonlyArray<Part>> = []
    for (const [index, column] of this.file.columns.entries()) {
      if (this.coded[index] !== undefined) continue
      const parts = await this.readParts(column.element.name, row, Math.min(row + windowRows, group.to))
      read[index] = parts
      from = Math.max(from, parts[0]?.from ?? group.to)
      to = Math.min(to, parts.at(-1)?.to ?? group.from)
    }
    if (from > row || to <= row) throw malformed(this.file.path, `row ${row} has no values`)
    const columns = this.file.columns.map((column, index): DecodedColumn => {
      const coded = this.coded[index]
      return coded === undefined
        ? { codes: undefined, values: valuesOf(column, read[index]!, from, to) }
        : { codes: coded.codes.subarray(from - group.from, to - group.from), values: coded.values }
    })
    const misfits = columns.some(({ values }) => values.some((value) => value instanceof Misfit))
    return { from, to, columns, misfits }
  }

  private async readParts(name: string, rowStart: number, rowEnd: number): Promise<ReadonlyArray<Part>> {
    const parts: Array<Part> = []
    await this.file.library.parquet.parquetRead({
      file: this.buffer,
      metadata: this.file.metadata,
      compressors: this.file.library.compressors,
      parsers: textParsers,
      columns: [name],
      rowStart,
      rowEnd,
      useOffsetIndex: true,
      utf8: false,
      geoparquet: false,
      onChunk: (chunk) => parts.push({ from: chunk.rowStart, to: chunk.rowEnd, values: chunk.columnData })
    })
    return parts
  }
}

interface Part {
  readonly from: number
  readonly to: number
  readonly values: ArrayLike<unknown>
}

/** The rows wanted of a column as JSON: the decoder's parts may begin earlier and end later. */
const valuesOf = (
  column: SchemaTree,
  parts: ReadonlyArray<Part>,
  from: number,
  to: number
): ReadonlyArray<unknown> => {
  const toJson = toJsonOf(column)
  const values: Array<unknown> = []
  for (const part of parts) {
    const end = Math.min(part.to, to) - part.from
    for (let at = Math.max(0, from - part.from); at < end; at++) {
      const value = part.values[at]
      values.push(toJson === undefined ? value : toJson(value))
    }
  }
  return values
}
