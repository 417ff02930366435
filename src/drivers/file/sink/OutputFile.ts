/**
 * A file that only grows at its end and knows how long its good part is.
 *
 * A write that failed half-way leaves torn bytes behind; they are cut off before anything else is
 * written, so a retry never doubles or splits a record.
 *
 * @module
 */
import type { FileHandle } from "node:fs/promises"

export class OutputFile {
  readonly path: string
  private readonly handle: FileHandle
  private good: number
  private torn = false
  private unsynced = false

  /** `length` is where the good part ends; what is behind it has been cut off already. */
  constructor(path: string, handle: FileHandle, length: number) {
    this.path = path
    this.handle = handle
    this.good = length
  }

  /** Bytes of the good part. */
  get length(): number {
    return this.good
  }

  async append(text: string): Promise<void> {
    if (this.torn) {
      await this.handle.truncate(this.good)
      this.torn = false
    }
    const bytes = Buffer.from(text, "utf8")
    this.torn = true
    for (let done = 0; done < bytes.length; ) {
      const left = bytes.length - done
      const { bytesWritten } = await this.handle.write(bytes, done, left, this.good + done)
      done += bytesWritten
    }
    this.torn = false
    this.good += bytes.length
    this.unsynced = true
  }

  /** Durable up to `length`, torn bytes cut off. */
  async sync(): Promise<void> {
    if (this.torn) {
      await this.handle.truncate(this.good)
      this.torn = false
      this.unsynced = true
    }
    if (!this.unsynced) return
    await this.handle.datasync()
    this.unsynced = false
  }
}
