/**
 * A column chunk whose values are all kept in a dictionary, as codes into it.
 *
 * Most columns of most Parquet files are written so. Four bytes a row instead of a value a row keeps a
 * decoded row group small, and every distinct value is turned into JSON once.
 *
 * @module
 */
import type {
  ColumnMetaData,
  Compressors,
  DataReader,
  PageHeader,
  ParquetParsers,
  SchemaTree
} from "hyparquet"
import type { ParquetLibrary } from "./parquetLibrary.ts"
import { textParsers, toJsonOf } from "./parquetValue.ts"

export interface DictionaryColumn {
  readonly codes: Int32Array
  /** As JSON; the value of a null comes last. */
  readonly values: ReadonlyArray<unknown>
}

/** `undefined` when the chunk is written in another way, which the library then decodes. */
export const readDictionaryColumn = (
  library: ParquetLibrary,
  column: SchemaTree,
  chunk: ColumnMetaData,
  bytes: ArrayBuffer,
  rows: number
): DictionaryColumn | undefined => {
  const nullable = column.element.repetition_type === "OPTIONAL"
  if (column.children.length > 0 || !(nullable || column.element.repetition_type === "REQUIRED"))
    return undefined
  const { parquetHeader } = library.pages
  const reader: DataReader = { view: new DataView(bytes), offset: 0 }
  const codes = new Int32Array(rows)
  let values: ReadonlyArray<unknown> | undefined
  for (let seen = 0; seen < rows; ) {
    if (reader.offset >= bytes.byteLength - 1) return undefined
    const header = parquetHeader(reader)
    const packed = new Uint8Array(bytes, reader.offset, header.compressed_page_size)
    reader.offset += header.compressed_page_size
    if (header.type === "DICTIONARY_PAGE") {
      values = dictionaryOf(library, column, chunk, header, packed)
      continue
    }
    const count = header.data_page_header?.num_values ?? 0
    if (values === undefined || !isCoded(header) || count > rows - seen) return undefined
    const page = unpack(library, chunk, header, packed)
    readCodes(library, page, codes.subarray(seen, seen + count), nullable, values.length - 1)
    seen += count
  }
  return values === undefined ? undefined : { codes, values }
}

const isCoded = ({ data_page_header: page, type }: PageHeader): boolean =>
  type === "DATA_PAGE" &&
  page !== undefined &&
  page.definition_level_encoding === "RLE" &&
  (page.encoding === "RLE_DICTIONARY" || page.encoding === "PLAIN_DICTIONARY")

const dictionaryOf = (
  library: ParquetLibrary,
  column: SchemaTree,
  chunk: ColumnMetaData,
  header: PageHeader,
  packed: Uint8Array
): ReadonlyArray<unknown> => {
  const { convert, defaultParsers, readPlain } = library.pages
  const { element } = column
  const count = header.dictionary_page_header?.num_values ?? 0
  const plain = readPlain(
    viewOf(unpack(library, chunk, header, packed)),
    chunk.type,
    count,
    element.type_length
  )
  const parsers: ParquetParsers = { ...defaultParsers, ...textParsers }
  const decoder = {
    pathInSchema: column.path,
    element,
    schemaPath: [column],
    type: chunk.type,
    codec: chunk.codec,
    parsers,
    utf8: false
  }
  const rich = Array.from<unknown>(convert(plain, decoder))
  const toJson = toJsonOf(column)
  return [...(toJson === undefined ? rich : rich.map(toJson)), null]
}

const readCodes = (
  library: ParquetLibrary,
  page: Uint8Array,
  into: Int32Array,
  nullable: boolean,
  nullCode: number
): void => {
  const { readRleBitPackedHybrid } = library.pages
  const reader = viewOf(page)
  const present = new Uint8Array(nullable ? into.length : 0)
  let nulls = 0
  if (nullable) {
    readRleBitPackedHybrid(reader, 1, present)
    for (const level of present) nulls += 1 - level
  }
  const width = reader.view.getUint8(reader.offset++)
  const found = nulls === 0 ? into : new Int32Array(into.length - nulls)
  if (width > 0) readRleBitPackedHybrid(reader, width, found, reader.view.byteLength - reader.offset)
  if (nulls === 0) return
  let next = 0
  for (let row = 0; row < into.length; row++) into[row] = present[row] === 1 ? found[next++]! : nullCode
}

const viewOf = (bytes: Uint8Array): DataReader => ({
  view: new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength),
  offset: 0
})

const unpack = (
  library: ParquetLibrary,
  chunk: ColumnMetaData,
  header: PageHeader,
  packed: Uint8Array
): Uint8Array => {
  const compressors: Compressors = library.compressors
  return library.pages.decompressPage(packed, header.uncompressed_page_size, chunk.codec, compressors)
}
