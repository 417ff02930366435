/**
 * An opened Parquet file: its footer, the columns wanted, and what vouches for its bytes.
 *
 * @module
 */
import { createHash } from "node:crypto"
import type { FileHandle } from "node:fs/promises"
import type { ColumnMetaData, FileMetaData, SchemaTree } from "hyparquet"
import { nearest } from "../../../../events/nearest.ts"
import { DriverError } from "../../DriverError.ts"
import { misconfigured } from "../fileError.ts"
import { shortHash } from "../text/Fingerprint.ts"
import { chunkBytes, plainFile, type TextFile } from "../text/TextFile.ts"
import { loadParquet, type ParquetLibrary } from "./parquetLibrary.ts"

/** Rows `from` up to `to` of the file, and the chunks of the columns that are read. */
export interface RowGroup {
  readonly from: number
  readonly to: number
  /** By top-level column; a nested column has several. */
  readonly chunks: ReadonlyMap<string, ReadonlyArray<ColumnMetaData>>
}

export class ParquetFile {
  readonly path: string
  readonly library: ParquetLibrary
  readonly metadata: FileMetaData
  readonly rows: number
  readonly columns: ReadonlyArray<SchemaTree>
  readonly names: ReadonlyArray<string>
  readonly groups: ReadonlyArray<RowGroup>
  /** Hash of the footer, which describes every byte before it. */
  readonly footer: string
  readonly size: number
  private readonly file: TextFile
  private readonly hashes = new Map<RowGroup, string>()

  private constructor(
    file: TextFile,
    library: ParquetLibrary,
    footer: Buffer,
    wanted: ReadonlyArray<string> | undefined
  ) {
    this.file = file
    this.path = file.path
    this.size = file.end
    this.library = library
    this.metadata = library.parquet.parquetMetadata(toArrayBuffer(footer), { geoparquet: false })
    this.footer = shortHash(footer)
    this.rows = Number(this.metadata.num_rows)
    this.columns = pickColumns(file.path, library.parquet.parquetSchema(this.metadata).children, wanted)
    this.names = this.columns.map((column) => column.element.name)
    this.groups = groupsOf(this.metadata, new Set(this.names))
  }

  /** Rejects with a DriverError when it is no Parquet file, or lacks a column that is wanted. */
  static async open(
    path: string,
    handle: FileHandle,
    wanted: ReadonlyArray<string> | undefined
  ): Promise<ParquetFile> {
    const library = await loadParquet()
    const file = await plainFile(path, handle)
    const tail = await file.read(Math.max(0, file.end - 8), 8)
    const length = tail.length === 8 && tail.toString("latin1", 4) === "PAR1" ? tail.readUInt32LE(0) + 8 : 0
    if (length === 0 || length > file.end) throw malformed(path, "it does not end in a Parquet footer")
    const footer = await file.read(file.end - length, length)
    try {
      return new ParquetFile(file, library, footer, wanted)
    } catch (cause) {
      throw cause instanceof DriverError ? cause : malformed(path, String(cause))
    }
  }

  async bytes(from: number, length: number): Promise<ArrayBuffer> {
    return toArrayBuffer(await this.file.read(from, length))
  }

  /**
   * What rows `from` up to `to` are read from: the footer, the range, and the compressed bytes of the
   * row groups it touches, which are hashed once.
   */
  async digest(from: number, to: number): Promise<string> {
    const digest = createHash("sha256").update(`${this.footer} ${from} ${to}`)
    for (const group of this.groups) {
      if (group.to <= from || group.from >= to) continue
      const known = this.hashes.get(group) ?? (await this.hashGroup(group))
      this.hashes.set(group, known)
      digest.update(` ${known}`)
    }
    return digest.digest("hex")
  }

  private async hashGroup({ chunks }: RowGroup): Promise<string> {
    const hashing = createHash("sha256")
    for (const chunk of [...chunks.values()].flat()) {
      const end = chunkStart(chunk) + Number(chunk.total_compressed_size)
      for (let at = chunkStart(chunk); at < end; at += chunkBytes) {
        hashing.update(await this.file.read(at, Math.min(chunkBytes, end - at)))
      }
    }
    return hashing.digest("hex")
  }
}

/** Some writers leave out where the dictionary is; it then comes first. */
export const chunkStart = ({
  data_page_offset: data,
  dictionary_page_offset: dictionary
}: ColumnMetaData): number =>
  Number(dictionary !== undefined && dictionary > 0 && dictionary < data ? dictionary : data)

export const malformed = (path: string, why: string): DriverError =>
  misconfigured("read", "malformed_parquet", `${path} cannot be read as a Parquet file: ${why}`)

const groupsOf = (metadata: FileMetaData, names: ReadonlySet<string>): ReadonlyArray<RowGroup> => {
  let from = 0
  return metadata.row_groups.map((group) => {
    const to = from + Number(group.num_rows)
    const chunks = new Map<string, Array<ColumnMetaData>>()
    for (const { meta_data: chunk } of group.columns) {
      const name = chunk?.path_in_schema[0]
      if (chunk === undefined || name === undefined || !names.has(name)) continue
      chunks.set(name, [...(chunks.get(name) ?? []), chunk])
    }
    const range = { from, to, chunks }
    from = to
    return range
  })
}

const pickColumns = (
  path: string,
  children: ReadonlyArray<SchemaTree>,
  wanted: ReadonlyArray<string> | undefined
): ReadonlyArray<SchemaTree> => {
  const names = children.map((child) => child.element.name)
  if (names.includes("__proto__")) {
    throw misconfigured("open", "reserved_column", `${path} has a column named __proto__`, "rename it")
  }
  return (wanted ?? names).map((name) => {
    const found = children.find((child) => child.element.name === name)
    if (found !== undefined) return found
    const close = nearest(name, names)
    throw misconfigured(
      "open",
      "unknown_column",
      `${path} has no column ${name}`,
      close === undefined ? `its columns are ${names.join(", ")}` : `did you mean ${close}?`
    )
  })
}

/** The decoder wants a buffer of its own, not a view into another. */
const toArrayBuffer = (bytes: Buffer): ArrayBuffer =>
  (bytes.byteOffset === 0 && bytes.byteLength === bytes.buffer.byteLength
    ? bytes.buffer
    : bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength)) as ArrayBuffer
