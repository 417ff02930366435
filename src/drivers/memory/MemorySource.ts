/**
 * An array as a source: read from any index, acknowledged into a list.
 *
 * @module
 */
import { hash } from "node:crypto"
import { Effect } from "effect"
import type { Position } from "../../../events/Checkpoint.ts"
import type { Raw } from "../../../events/PipelineEvent.ts"
import { DriverError } from "../DriverError.ts"
import type { SourceBatch, SourceRecord } from "../Record.ts"
import type { ReadLimit, Source, SourceReader } from "../Source.ts"
import type { Through } from "./Through.ts"

export class MemorySource implements Source {
  readonly name: string
  records: ReadonlyArray<SourceRecord> = []
  /** Every acknowledged position, repetitions included. */
  readonly acks: Array<Position> = []
  private readonly through: Through

  constructor(name: string, through: Through) {
    this.name = name
    this.through = through
  }

  open(from: Position | null): Effect.Effect<SourceReader, DriverError> {
    return this.through(
      "source.open",
      this.name,
      Effect.suspend(() => this.openAt(from))
    )
  }

  private openAt(from: Position | null): Effect.Effect<SourceReader, DriverError> {
    const start = from === null ? 0 : Number(from)
    if (!Number.isInteger(start) || start < 0 || start > this.records.length) {
      return Effect.fail(changed(this.name, this.records.length, from))
    }
    let at = start
    const read = (limit: ReadLimit) => Effect.sync(() => this.batchAt(at, limit))
    return Effect.succeed({
      // It goes on only with what has arrived: an answer that was lost on the way is given again.
      next: (limit) =>
        Effect.tap(this.through("source.next", this.name, read(limit)), (batch) =>
          Effect.sync(() => {
            at += batch?.records.length ?? 0
          })
        ),
      ack: (position) =>
        this.through(
          "source.ack",
          this.name,
          Effect.sync(() => void this.acks.push(position))
        ),
      progress: () => ({ done: at, total: this.records.length, unit: "rows" })
    })
  }

  private batchAt(at: number, limit: ReadLimit): SourceBatch | null {
    const texts: Array<string> = []
    let bytes = 0
    for (const record of this.records.slice(at, at + limit.records)) {
      const text = textOf(record)
      if (texts.length > 0 && limit.exactly !== true && bytes + text.length > limit.bytes) break
      texts.push(text)
      bytes += text.length
    }
    if (texts.length === 0) return null
    return {
      records: this.records.slice(at, at + texts.length),
      to: at + texts.length,
      digest: hash("sha256", texts.join("\n"), "hex"),
      bytes,
      raw: (index): Raw => ({ encoding: "utf8", data: texts[index]!, size: Buffer.byteLength(texts[index]!) })
    }
  }
}

const textOf = (record: SourceRecord): string => JSON.stringify(record.payload) ?? "null"

const changed = (name: string, length: number, from: Position) =>
  new DriverError({
    driver: "memory",
    operation: "open",
    reason: {
      _tag: "Misconfigured",
      code: "source_changed",
      message: `${name} holds ${length} records and cannot be read from ${JSON.stringify(from)}`
    }
  })
