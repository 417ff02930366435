/**
 * The bytes of one request: in memory while they are few, on the disk beyond that.
 *
 * @module
 */
import { createHash, type Hash } from "node:crypto"
import { type FileHandle, open, rm } from "node:fs/promises"
import { join } from "node:path"
import { chunkBytes, readFully, type TextFile } from "../../file/text/TextFile.ts"
import { refuse } from "../IngressError.ts"
import type { SpoolBounds } from "../spool/bounds.ts"

/** A body that has arrived. Whoever has it closes it. */
export class Body implements TextFile {
  readonly path = "the body"
  readonly end: number
  /** SHA-256 of its bytes, hex. */
  readonly digest: string
  private readonly held: Buffer | FileHandle
  private readonly away: () => Promise<void>

  constructor(held: Buffer | FileHandle, end: number, digest: string, away: () => Promise<void>) {
    this.held = held
    this.end = end
    this.digest = digest
    this.away = away
  }

  async read(start: number, length: number): Promise<Buffer> {
    const to = Math.min(this.end, start + length)
    if (Buffer.isBuffer(this.held)) return this.held.subarray(start, to)
    return readFully(this.path, this.held, start, Math.max(0, to - start))
  }

  /** A chunk at a time. */
  async *chunks(from: number): AsyncGenerator<Buffer> {
    for (let at = from; at < this.end; at += chunkBytes) yield await this.read(at, chunkBytes)
  }

  close(): Promise<void> {
    return this.away()
  }
}

/** Where bodies are put that do not stay in memory. */
export class Incoming {
  readonly folder: string
  readonly bounds: Pick<SpoolBounds, "bodyBytes" | "heldBytes" | "incomingBytes">
  /** Bytes that are there now, of all bodies. */
  bytes = 0
  private made = 0

  constructor(folder: string, bounds: Incoming["bounds"]) {
    this.folder = folder
    this.bounds = bounds
  }

  body(): BodyWriter {
    return new BodyWriter(this)
  }

  nextPath(): string {
    return join(this.folder, `${this.made++}.body`)
  }
}

/** Takes a body as it arrives. It ends with `done` or `discard`. */
export class BodyWriter {
  private readonly incoming: Incoming
  private readonly hash: Hash = createHash("sha256")
  private parts: Array<Uint8Array> = []
  private bytes = 0
  private spilled: { readonly handle: FileHandle; readonly path: string; bytes: number } | undefined

  constructor(incoming: Incoming) {
    this.incoming = incoming
  }

  /** Rejects with an IngressError where there are too many bytes. */
  async add(part: Uint8Array): Promise<void> {
    const { bodyBytes, heldBytes, incomingBytes } = this.incoming.bounds
    this.bytes += part.length
    if (this.bytes > bodyBytes) {
      throw refuse({
        _tag: "TooLarge",
        message: `a body has at most ${bodyBytes} bytes`,
        bytesMost: bodyBytes
      })
    }
    this.hash.update(part)
    this.parts.push(part)
    if (this.bytes <= heldBytes) return
    if (this.incoming.bytes + part.length > incomingBytes) {
      const message = "too many large bodies are arriving at once"
      throw refuse({ _tag: "Full", message, suggestion: "send it again in a moment" })
    }
    await this.spill()
  }

  async done(): Promise<Body> {
    const digest = this.hash.digest("hex")
    if (this.spilled === undefined)
      return new Body(Buffer.concat(this.parts), this.bytes, digest, async () => {})
    return new Body(this.spilled.handle, this.bytes, digest, () => this.discard())
  }

  async discard(): Promise<void> {
    this.parts = []
    const { spilled } = this
    this.spilled = undefined
    if (spilled === undefined) return
    this.incoming.bytes -= spilled.bytes
    await spilled.handle.close()
    await rm(spilled.path, { force: true })
  }

  private async spill(): Promise<void> {
    const part = this.parts.length === 1 ? this.parts[0]! : Buffer.concat(this.parts)
    this.parts = []
    if (this.spilled === undefined) {
      const path = this.incoming.nextPath()
      this.spilled = { path, handle: await open(path, "wx+", 0o600), bytes: 0 }
    }
    const { spilled } = this
    await spilled.handle.appendFile(part)
    spilled.bytes += part.length
    this.incoming.bytes += part.length
  }
}
