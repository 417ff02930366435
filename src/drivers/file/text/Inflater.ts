/**
 * Decompresses gzip piece by piece, in zlib's own thread.
 *
 * @module
 */
import { createGunzip } from "node:zlib"

/** Compressed bytes fed at once: they may expand a thousandfold, and what they expand to is held. */
export const feedBytes = 32 * 1024

export class Inflater {
  private readonly gunzip = createGunzip({ chunkSize: 64 * 1024 })
  private out: Array<Buffer> = []
  private wake = () => {}
  fault: Error | undefined

  constructor() {
    this.gunzip.on("data", (bytes: Buffer) => this.out.push(bytes))
    this.gunzip.on("end", () => this.wake())
    this.gunzip.on("error", (cause) => {
      this.fault ??= cause
      this.wake()
    })
  }

  /** Compressed bytes that belong to members. Fewer than were fed: the last member has ended. */
  get consumed(): number {
    return this.gunzip.bytesWritten
  }

  /** What the bytes expand to, up to the damage when there is a `fault` then; nothing fed is the end. */
  async feed(bytes: Buffer | undefined): Promise<ReadonlyArray<Buffer>> {
    await new Promise<void>((resolve) => {
      this.wake = resolve
      if (bytes === undefined) this.gunzip.end()
      else {
        this.gunzip.write(bytes, (cause) => {
          if (cause) this.fault ??= cause
          resolve()
        })
      }
    })
    const { out } = this
    this.out = []
    return out
  }

  close(): void {
    this.gunzip.destroy()
  }
}
