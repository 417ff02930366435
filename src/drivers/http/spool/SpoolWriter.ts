/**
 * Appends requests to a spool: whoever waits while the disk is busy is made durable together with the others.
 *
 * @module
 */
import { isDeepStrictEqual } from "node:util"
import type { RecordSettings } from "../HttpSourceConfig.ts"
import { type IngressError, ingressError, refuse } from "../IngressError.ts"
import { encodeHead, type FrameKey, frameHeadBytes } from "./frame.ts"
import type { Spool } from "./Spool.ts"

/** Records that may be stored as they are: whole lines. */
export interface Payload {
  readonly settings: RecordSettings
  readonly bytes: number
  readonly records: number
  readonly crc: number
  readonly key: FrameKey | undefined
  chunks(): AsyncIterable<Buffer>
}

interface Waiting {
  readonly payload: Payload
  readonly stored: (ordinal: number) => void
  readonly refused: (error: IngressError) => void
}

/** Bytes gathered into one call of the disk. */
const gatherBytes = 1024 * 1024

export class SpoolWriter {
  private readonly spool: Spool
  private readonly queue: Array<Waiting> = []
  private working: Promise<void> | undefined
  /** Bytes behind the last whole frame may be on the disk: a write did not go as it should. */
  private littered = false

  constructor(spool: Spool) {
    this.spool = spool
  }

  /** Resolves with the place behind the records once they are durable; rejects with an IngressError. */
  append(payload: Payload): Promise<number> {
    return new Promise((stored, refused) => {
      this.queue.push({ payload, stored, refused })
      this.working ??= this.work()
    })
  }

  /** Nobody waits any more. */
  async idle(): Promise<void> {
    while (this.working !== undefined) await this.working
  }

  private async work(): Promise<void> {
    // Whoever asks in this same turn is in the first group already.
    await Promise.resolve()
    while (this.queue.length > 0) await this.store(this.takeGroup())
    this.working = undefined
  }

  private takeGroup(): ReadonlyArray<Waiting> {
    let bytes = 0
    const over = this.queue.findIndex(({ payload }, index) => {
      bytes += payload.bytes
      return index > 0 && bytes > this.spool.bounds.groupBytes
    })
    return this.queue.splice(0, over < 0 ? this.queue.length : over)
  }

  /** As many groups as it takes segments; each is answered when it is durable. */
  private async store(group: ReadonlyArray<Waiting>): Promise<void> {
    let staged = new Staged()
    for (const waiting of group) {
      const { payload } = waiting
      try {
        const known = payload.key === undefined ? undefined : this.known(payload.key, staged)
        if (known !== undefined) {
          staged.also(waiting, known)
          continue
        }
        this.refuseFull(payload, staged)
        if (this.needsSegment(payload, staged)) {
          await this.commit(staged)
          staged = new Staged()
          await this.clean()
          await this.spool.begin(payload.settings)
        }
        if (staged.isFresh) await this.clean()
        await this.stage(waiting, staged)
      } catch (cause) {
        waiting.refused(ingressError(cause))
        if (!staged.torn) continue
        // What is whole is made durable first: cleaning cuts back to what is.
        await this.commit(staged)
        staged = new Staged()
      }
    }
    await this.commit(staged)
  }

  /** Where the records of a request are that came with this key before. */
  private known({ key, request }: FrameKey, staged: Staged): number | undefined {
    const found = staged.keys.get(key) ?? this.spool.keys.find(key)
    if (found === undefined || found.request === request) return found?.ordinal
    throw refuse({
      _tag: "KeyReused",
      message: "this Idempotency-Key came with another request before",
      suggestion: "take a new key for every new request"
    })
  }

  private refuseFull({ bytes }: Payload, staged: Staged): void {
    const { bounds, bytes: held } = this.spool
    if (held + staged.bytes + frameHeadBytes + bytes <= bounds.spoolBytes) return
    throw refuse({
      _tag: "Full",
      message: `the stage holds ${held} bytes of records that are not settled; it may have ${bounds.spoolBytes}`,
      suggestion: "wait until the pipeline has worked some of them off; is it running?"
    })
  }

  private needsSegment({ bytes, settings }: Payload, staged: Staged): boolean {
    const { bounds, head } = this.spool
    if (head === undefined || !isDeepStrictEqual(head.segment.header.settings, settings)) return true
    const frames = head.index.frames + staged.frames.length
    const size = head.index.end + staged.bytes + frameHeadBytes + bytes
    return frames > 0 && (frames >= bounds.segmentFrames || size > bounds.segmentBytes)
  }

  private async stage(waiting: Waiting, staged: Staged): Promise<void> {
    const { payload } = waiting
    const mark = staged.mark
    try {
      staged.gather(encodeHead(payload))
      for await (const chunk of payload.chunks()) {
        staged.gather(chunk)
        if (staged.gathered >= gatherBytes) await this.write(staged)
      }
    } catch (cause) {
      staged.dropTo(mark)
      throw cause
    }
    staged.add(waiting, this.spool.ordinal)
  }

  /** What is gathered, in one call. When it fails nobody knows how much of it is there. */
  private async write(staged: Staged): Promise<void> {
    const { disk, head } = this.spool
    const { buffers, gathered, written } = staged
    if (gathered === 0) return
    this.littered = true
    try {
      await disk.write(head!.handle, buffers, head!.index.end + written)
    } catch (cause) {
      staged.failure = cause
      staged.torn = true
      throw cause
    }
    staged.written += gathered
    staged.forget(0, 0)
  }

  /** Makes what is staged durable, then says so. */
  private async commit(staged: Staged): Promise<void> {
    const { disk, head, keys } = this.spool
    const { frames, others } = staged
    try {
      if (staged.failure !== undefined) throw staged.failure
      await this.write(staged)
      if (frames.length > 0) await disk.sync(head!.handle)
    } catch (cause) {
      // What the disk holds now is cut back before anything else is written.
      this.littered = true
      for (const { waiting } of [...frames, ...others]) waiting.refused(ingressError(cause))
      return
    }
    for (const { ordinal, waiting } of frames) {
      head!.index.add(waiting.payload)
      if (waiting.payload.key !== undefined) keys.remember(waiting.payload.key, ordinal)
    }
    this.littered &&= staged.torn
    for (const { ordinal, waiting } of [...frames, ...others]) waiting.stored(ordinal)
    if (frames.length > 0) this.spool.wake()
  }

  private async clean(): Promise<void> {
    const { disk, head } = this.spool
    if (!this.littered || head === undefined) return
    await disk.cut(head.handle, head.index.end)
    this.littered = false
  }
}

/** Gathered or written, and not durable yet. */
class Staged {
  readonly frames: Array<{ readonly waiting: Waiting; readonly ordinal: number }> = []
  /** Those who sent what is stored or staged already. */
  readonly others: Array<{ readonly waiting: Waiting; readonly ordinal: number }> = []
  readonly keys = new Map<string, { readonly request: string; readonly ordinal: number }>()
  /** Bytes of the frames that are whole. */
  bytes = 0
  buffers: Array<Buffer> = []
  /** Bytes in `buffers`. */
  gathered = 0
  /** Bytes given to the disk, behind what is durable. */
  written = 0
  /** A frame that is not whole has been written in part. */
  torn = false
  failure: unknown
  private records = 0

  get isFresh(): boolean {
    return this.frames.length === 0 && this.written === 0
  }

  get mark(): Mark {
    return { buffers: this.buffers.length, gathered: this.gathered, written: this.written }
  }

  gather(bytes: Buffer): void {
    this.buffers.push(bytes)
    this.gathered += bytes.length
  }

  /** Takes back a frame that was not gathered to its end. */
  dropTo({ buffers, gathered, written }: Mark): void {
    if (written === this.written) {
      this.forget(buffers, gathered)
    } else {
      this.torn = true
      this.forget(0, 0)
    }
  }

  forget(buffers: number, gathered: number): void {
    this.buffers = this.buffers.slice(0, buffers)
    this.gathered = gathered
  }

  add(waiting: Waiting, before: number): void {
    const { bytes, key, records } = waiting.payload
    this.bytes += frameHeadBytes + bytes
    this.records += records
    const ordinal = before + this.records
    this.frames.push({ waiting, ordinal })
    if (key !== undefined) this.keys.set(key.key, { request: key.request, ordinal })
  }

  also(waiting: Waiting, ordinal: number): void {
    this.others.push({ waiting, ordinal })
  }
}

interface Mark {
  readonly buffers: number
  readonly gathered: number
  readonly written: number
}
