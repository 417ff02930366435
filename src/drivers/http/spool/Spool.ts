/**
 * The records pushed for one stage: stored before their sender is answered, kept until they are settled.
 *
 * One process at a time has a spool open, and all writing goes through here. The folder holds the segments,
 * `spool.json` with the spool's name, and `settled.json` with the place before which everything is settled.
 *
 * If the process dies after: a frame is written, nobody was told: a whole frame counts, a torn one is cut off;
 * it is synced, its sender asks again with the same key and gets the same answer; the settled place is
 * written, segments before it are removed when the spool is opened the next time.
 *
 * @module
 */
import { randomBytes } from "node:crypto"
import { type FileHandle, open, readdir, readFile } from "node:fs/promises"
import { join } from "node:path"
import { Effect } from "effect"
import { makeFolder } from "../../file/sink/durable.ts"
import type { RecordSettings } from "../HttpSourceConfig.ts"
import type { SpoolBounds } from "./bounds.ts"
import { RememberedKeys } from "./RememberedKeys.ts"
import { Segment } from "./Segment.ts"
import type { SegmentIndex } from "./SegmentIndex.ts"
import type { SpoolDisk } from "./SpoolDisk.ts"
import { isSpoolPlace, type SpoolPlace } from "./SpoolPlace.ts"

/** The newest segment, open for writing. */
export interface Head {
  readonly segment: Segment
  readonly handle: FileHandle
  readonly index: SegmentIndex
}

export class Spool {
  readonly id: string
  readonly folder: string
  readonly disk: SpoolDisk
  readonly bounds: SpoolBounds
  readonly keys: RememberedKeys
  head: Head | undefined
  private readonly segments: Array<Segment> = []
  private settledAt: SpoolPlace
  private settling: Promise<void> = Promise.resolve()
  private readonly waiting = new Set<() => void>()

  private constructor(folder: string, id: string, disk: SpoolDisk, bounds: SpoolBounds) {
    this.folder = folder
    this.id = id
    this.disk = disk
    this.bounds = bounds
    this.keys = new RememberedKeys(bounds.keys)
    this.settledAt = { spool: id, segment: 0, offset: 0, ordinal: 0 }
  }

  /** Makes the spool if there is none; cuts off what a process left half written. */
  static async open(folder: string, disk: SpoolDisk, bounds: SpoolBounds): Promise<Spool> {
    await makeFolder(folder)
    const spool = new Spool(folder, await nameOf(folder, disk), disk, bounds)
    try {
      for (const number of Segment.numbersIn(await readdir(folder))) {
        spool.segments.push(await Segment.load(folder, number))
      }
      const newest = spool.segments.at(-1)
      if (newest !== undefined) await spool.continue(newest)
      await spool.restoreSettled()
      await spool.prune()
    } catch (cause) {
      await spool.head?.handle.close()
      throw cause
    }
    return spool
  }

  /** Records stored since the spool began, settled ones included. */
  get ordinal(): number {
    return this.head?.index.ordinal ?? 0
  }

  /** Everything before this place is settled. */
  get settled(): SpoolPlace {
    return this.settledAt
  }

  /** Bytes on the disk. */
  get bytes(): number {
    let bytes = this.head?.index.end ?? 0
    for (const segment of this.segments) if (segment !== this.head?.segment) bytes += segment.size
    return bytes
  }

  /** Waits, for as long as it takes, until something that was stored makes it so. */
  until(holds: () => boolean): Effect.Effect<void> {
    return Effect.callback<void>((resume) => {
      const look = () => {
        if (!holds()) return
        this.waiting.delete(look)
        resume(Effect.void)
      }
      this.waiting.add(look)
      look()
      return Effect.sync(() => this.waiting.delete(look))
    })
  }

  /** Something was stored. */
  wake(): void {
    for (const look of [...this.waiting]) look()
  }

  /** The segment that holds the record behind this place, or will; with the one after it. */
  around(ordinal: number): { readonly segment: Segment; readonly next: Segment | undefined } | undefined {
    const index = this.segments.findLastIndex((each) => each.header.ordinal <= ordinal)
    const segment = this.segments[index]
    return segment === undefined ? undefined : { segment, next: this.segments[index + 1] }
  }

  /** A new segment for records of this kind; what is written before is durable. */
  async begin(settings: RecordSettings): Promise<Head> {
    const { ordinal } = this
    const number = (this.segments.at(-1)?.number ?? 0) + 1
    const header = { spool: this.id, ordinal, settings, keys: this.keys.entries() }
    const segment = await Segment.create(this.disk, this.folder, number, header)
    const before = this.head
    if (before !== undefined) before.segment.size = before.index.end
    this.segments.push(segment)
    await this.grow(segment)
    await before?.handle.close()
    this.wake()
    return this.head!
  }

  /**
   * Everything before the place is settled, and the log knows: it is never read again, except by a process
   * that dies before this is on the disk and then acknowledges again.
   */
  settle(place: SpoolPlace): Promise<void> {
    const next = this.settling.then(async () => {
      if (place.ordinal <= this.settledAt.ordinal) return
      this.settledAt = place
      if (this.prunable.length === 0)
        return this.disk.replace(this.settledPath, Buffer.from(JSON.stringify(place)))
      // What is removed is known to be settled by everybody who comes after.
      await this.keepSettled()
      await this.prune()
    })
    this.settling = next.catch(() => {})
    return next
  }

  /** A run is about to begin where the last one settled: a power failure must not move that place. */
  async keepSettled(): Promise<void> {
    await this.disk.create(this.settledPath, Buffer.from(JSON.stringify(this.settledAt)))
  }

  async close(): Promise<void> {
    await this.settling
    await this.keepSettled().catch(() => {})
    await this.head?.handle.close()
    this.head = undefined
  }

  private get settledPath(): string {
    return join(this.folder, "settled.json")
  }

  /** Segments whose every record is settled; never the newest, which knows the keys and the count. */
  private get prunable(): ReadonlyArray<Segment> {
    const kept = this.segments.findIndex((_, index) => {
      const next = this.segments[index + 1]
      return next === undefined || next.header.ordinal > this.settledAt.ordinal
    })
    return this.segments.slice(0, Math.max(0, kept))
  }

  private async prune(): Promise<void> {
    for (const segment of this.prunable) {
      await this.disk.remove(segment.path)
      this.segments.shift()
    }
  }

  /** Goes on with the newest segment behind its last whole frame. */
  private async continue(segment: Segment): Promise<void> {
    this.keys.restore(segment.header.keys)
    const { keys } = await this.grow(segment)
    for (const key of keys) this.keys.remember(key, key.ordinal)
    const { handle, index } = this.head!
    if (segment.size > index.end) await this.disk.cut(handle, index.end)
    segment.size = index.end
  }

  private async grow(segment: Segment) {
    const handle = await open(segment.path, "r+")
    try {
      const scanned = await segment.frames(handle)
      this.head = { segment, handle, index: scanned.index }
      return scanned
    } catch (cause) {
      await handle.close()
      throw cause
    }
  }

  private async restoreSettled(): Promise<void> {
    const text = await readFile(this.settledPath, "utf8").catch(ifMissing)
    const oldest = this.segments[0]
    const found = parsed(text)
    if (isSpoolPlace(found) && found.spool === this.id) this.settledAt = found
    if (oldest === undefined || oldest.header.ordinal <= this.settledAt.ordinal) return
    this.settledAt = { spool: this.id, segment: oldest.number, offset: 0, ordinal: oldest.header.ordinal }
  }
}

/** The spool's own name, made with it: tokens and places of another one of this path are told apart. */
const nameOf = async (folder: string, disk: SpoolDisk): Promise<string> => {
  const path = join(folder, "spool.json")
  const text = await readFile(path, "utf8").catch(ifMissing)
  if (text !== undefined) return (JSON.parse(text) as { readonly id: string }).id
  const id = randomBytes(8).toString("hex")
  await disk.create(path, Buffer.from(JSON.stringify({ id })))
  return id
}

/** A power failure may have left half of it: then the log knows better, and says so with its next acknowledgement. */
const parsed = (text: string | undefined): unknown => {
  try {
    return JSON.parse(text ?? "null")
  } catch {
    return null
  }
}

const ifMissing = (cause: NodeJS.ErrnoException): undefined => {
  if (cause.code !== "ENOENT") throw cause
}
