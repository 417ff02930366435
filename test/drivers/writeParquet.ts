/**
 * A Parquet writer for tests: flat optional columns, uncompressed, several pages and row groups.
 *
 * @module
 */

export interface ParquetColumn {
  readonly name: string
  /** Of the Parquet format: 2 is INT64, 5 DOUBLE, 6 BYTE_ARRAY. */
  readonly type: 2 | 5 | 6
  /** ConvertedType of the format: 0 is UTF8, 10 TIMESTAMP_MICROS. */
  readonly converted?: number
  readonly dictionary: boolean
  readonly values: ReadonlyArray<bigint | number | string | Uint8Array | null>
}

export const writeParquet = (
  columns: ReadonlyArray<ParquetColumn>,
  options: { readonly groupRows: number; readonly pageRows: number }
): Uint8Array => {
  const parts: Array<Buffer> = [Buffer.from("PAR1")]
  let offset = 4
  const rows = columns[0]!.values.length
  const groups: Array<Thrift> = []
  for (let from = 0; from < rows; from += options.groupRows) {
    const to = Math.min(rows, from + options.groupRows)
    const chunks = columns.map((column) => {
      const pages = pagesOf(column, column.values.slice(from, to), options.pageRows)
      const start = offset
      parts.push(pages.bytes)
      offset += pages.bytes.length
      return struct({
        2: i64(start),
        3: struct({
          1: i32(column.type),
          2: list(5, [i32(0), i32(3), i32(8)]),
          3: list(8, [text(column.name)]),
          4: i32(0),
          5: i64(to - from),
          6: i64(pages.bytes.length),
          7: i64(pages.bytes.length),
          9: i64(start + pages.dictionaryBytes),
          ...(column.dictionary ? { 11: i64(start) } : {})
        })
      })
    })
    groups.push(struct({ 1: list(12, chunks), 2: i64(offset), 3: i64(to - from) }))
  }
  const schema = [
    struct({ 4: text("root"), 5: i32(columns.length) }),
    ...columns.map(({ converted, name, type }) =>
      struct({
        1: i32(type),
        3: i32(1),
        4: text(name),
        ...(converted === undefined ? {} : { 6: i32(converted) })
      })
    )
  ]
  const footer = struct({ 1: i32(1), 2: list(12, schema), 3: i64(rows), 4: list(12, groups) }).bytes
  const length = Buffer.alloc(4)
  length.writeUInt32LE(footer.length)
  return Buffer.concat([...parts, footer, length, Buffer.from("PAR1")])
}

type Value = ParquetColumn["values"][number]

const pagesOf = (column: ParquetColumn, values: ReadonlyArray<Value>, pageRows: number) => {
  const distinct = [...new Set(values.filter((value) => value !== null))]
  const dictionary = column.dictionary
    ? page(plain(column, distinct), { 1: i32(2), 7: struct({ 1: i32(distinct.length), 2: i32(0) }) })
    : Buffer.alloc(0)
  const pages: Array<Buffer> = []
  for (let from = 0; from < values.length; from += pageRows) {
    const slice = values.slice(from, from + pageRows)
    const present = slice.filter((value) => value !== null)
    const levels = runs(slice.map((value) => (value === null ? 0 : 1)))
    const size = Buffer.alloc(4)
    size.writeUInt32LE(levels.length)
    const data = column.dictionary
      ? Buffer.concat([
          Buffer.from([16]),
          runs(
            present.map((value) => distinct.indexOf(value)),
            2
          )
        ])
      : plain(column, present)
    const header = struct({ 1: i32(slice.length), 2: i32(column.dictionary ? 8 : 0), 3: i32(3), 4: i32(3) })
    pages.push(page(Buffer.concat([size, levels, data]), { 1: i32(0), 5: header }))
  }
  return { bytes: Buffer.concat([dictionary, ...pages]), dictionaryBytes: dictionary.length }
}

const page = (data: Buffer, fields: Readonly<Record<number, Thrift>>): Buffer =>
  Buffer.concat([struct({ ...fields, 2: i32(data.length), 3: i32(data.length) }).bytes, data])

const plain = ({ type }: ParquetColumn, values: ReadonlyArray<Value>): Buffer =>
  Buffer.concat(
    values.map((value) => {
      const bytes = Buffer.alloc(8)
      if (type === 2) bytes.writeBigInt64LE(value as bigint)
      else if (type === 5) bytes.writeDoubleLE(value as number)
      else {
        const data = Buffer.from(value as string)
        bytes.writeUInt32LE(data.length)
        return Buffer.concat([bytes.subarray(0, 4), data])
      }
      return bytes
    })
  )

/** Runs of one value each, `width` bytes wide. */
const runs = (values: ReadonlyArray<number>, width = 1): Buffer =>
  Buffer.concat(
    values.map((value) =>
      Buffer.from([2, ...Array.from({ length: width }, (_, at) => (value >> (8 * at)) & 255)])
    )
  )

interface Thrift {
  readonly type: number
  readonly bytes: Buffer
}

const varint = (value: number): Buffer => {
  const bytes: Array<number> = []
  let rest = value
  for (; rest > 127; rest = Math.floor(rest / 128)) bytes.push((rest % 128) + 128)
  return Buffer.from([...bytes, rest])
}
const i32 = (value: number): Thrift => ({ type: 5, bytes: varint(value * 2) })
const i64 = (value: number): Thrift => ({ type: 6, bytes: varint(value * 2) })
const text = (value: string): Thrift => ({
  type: 8,
  bytes: Buffer.concat([varint(Buffer.byteLength(value)), Buffer.from(value)])
})
const list = (type: number, items: ReadonlyArray<Thrift>): Thrift => {
  const head =
    items.length < 15
      ? Buffer.from([items.length * 16 + type])
      : Buffer.concat([Buffer.from([240 + type]), varint(items.length)])
  return { type: 9, bytes: Buffer.concat([head, ...items.map((item) => item.bytes)]) }
}
/** Fields by number; integer keys of an object come in ascending order. */
const struct = (fields: Readonly<Record<number, Thrift>>): Thrift => {
  let last = 0
  const parts = Object.entries(fields).map(([id, field]) => {
    const delta = Number(id) - last
    last = Number(id)
    return Buffer.concat([Buffer.from([delta * 16 + field.type]), field.bytes])
  })
  return { type: 12, bytes: Buffer.concat([...parts, Buffer.from([0])]) }
}
