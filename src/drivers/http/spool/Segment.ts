/**
 * One file of a spool: what it takes to read it, then frames. Only the newest one grows.
 *
 * @module
 */
import { type FileHandle, open } from "node:fs/promises"
import { join } from "node:path"
import { Schema } from "effect"
import { readFully } from "../../file/text/TextFile.ts"
import { RecordSettings } from "../HttpSourceConfig.ts"
import { type Scanned, type SegmentIndex, scanFrames } from "./SegmentIndex.ts"
import type { SpoolDisk } from "./SpoolDisk.ts"

const Header = Schema.Struct({
  spool: Schema.String,
  /** Records of the spool before this segment. */
  ordinal: Schema.Int,
  settings: RecordSettings,
  /** The last keys before this segment: those of older ones are remembered although they are gone. */
  keys: Schema.Array(Schema.Tuple([Schema.String, Schema.String, Schema.Int]))
})
export type SegmentHeader = typeof Header.Type
const HeaderJson = Schema.fromJsonString(Header)
const encodeHeader = Schema.encodeSync(HeaderJson)
const decodeHeader = Schema.decodeSync(HeaderJson)

const extension = ".spool"
const lengthBytes = 4

/** Damage to what was durable: nothing is guessed about records somebody was told are kept. */
export class SpoolDamaged extends Error {}

export class Segment {
  readonly number: number
  readonly path: string
  readonly header: SegmentHeader
  /** Where the first frame begins. */
  readonly start: number
  /** Bytes of the file; of the newest segment as long as it does not grow. */
  size: number
  private scanned: Promise<Scanned> | undefined

  private constructor(path: string, number: number, header: SegmentHeader, start: number, size: number) {
    this.path = path
    this.number = number
    this.header = header
    this.start = start
    this.size = size
  }

  static pathOf(folder: string, number: number): string {
    return join(folder, `${String(number).padStart(12, "0")}${extension}`)
  }

  /** The numbers among the names of a folder, ascending. */
  static numbersIn(names: ReadonlyArray<string>): ReadonlyArray<number> {
    return names
      .filter((name) => name.endsWith(extension))
      .map((name) => Number(name.slice(0, -extension.length)))
      .filter(Number.isSafeInteger)
      .sort((one, other) => one - other)
  }

  static async create(disk: SpoolDisk, folder: string, number: number, header: SegmentHeader) {
    const json = Buffer.from(encodeHeader(header))
    const length = Buffer.alloc(lengthBytes)
    length.writeUInt32LE(json.length)
    const path = Segment.pathOf(folder, number)
    await disk.create(path, Buffer.concat([length, json]))
    const size = lengthBytes + json.length
    return new Segment(path, number, header, size, size)
  }

  static async load(folder: string, number: number): Promise<Segment> {
    const path = Segment.pathOf(folder, number)
    const handle = await open(path, "r")
    try {
      const { size } = await handle.stat()
      const length = (await readFully(path, handle, 0, lengthBytes)).readUInt32LE()
      const json = await readFully(path, handle, lengthBytes, Math.min(length, size - lengthBytes))
      return new Segment(path, number, decodeHeader(json.toString()), lengthBytes + length, size)
    } catch (cause) {
      throw new SpoolDamaged(`${path} has no header that can be read: ${String(cause)}`)
    } finally {
      await handle.close()
    }
  }

  /** Its frames, looked for once. Of a segment that does not grow any more every byte must belong to one. */
  frames(handle: FileHandle): Promise<Scanned> {
    this.scanned ??= scanFrames(this.path, handle, this.size, this.start, this.header.ordinal).catch(
      (cause) => {
        this.scanned = undefined
        throw cause
      }
    )
    return this.scanned
  }

  /** The index of a segment that is being read; `next` is the segment behind it, if there is one. */
  async index(handle: FileHandle, next: Segment | undefined): Promise<SegmentIndex> {
    const { index } = await this.frames(handle)
    if (next !== undefined && index.ordinal !== next.header.ordinal) {
      const records = next.header.ordinal - index.ordinal
      throw new SpoolDamaged(`${this.path} is damaged at byte ${index.end}: ${records} records are missing`)
    }
    return index
  }
}
