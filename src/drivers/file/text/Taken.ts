/**
 * The records of a batch while it is being read, and where each of them lies.
 *
 * @module
 */
import type { Raw, Reason } from "../../../../events/PipelineEvent.ts"
import type { SourceRecord } from "../../Record.ts"
import type { FileMetadata } from "./FileReader.ts"
import { rawOfWindow } from "./rawOf.ts"
import type { TextWindow } from "./TextWindow.ts"

/** The records read from one window, or a single one too large for any. */
interface Stretch {
  readonly first: number
  readonly window: TextWindow | undefined
  readonly raw: Raw | undefined
}

export class Taken {
  readonly records: Array<SourceRecord> = []
  /** Character ranges in the window of the record's stretch, without the line's end. */
  private readonly from: Array<number> = []
  private readonly to: Array<number> = []
  private readonly stretches: Array<Stretch> = []
  private readonly metadata: FileMetadata

  constructor(metadata: FileMetadata) {
    this.metadata = metadata
  }

  begin(window: TextWindow): void {
    this.stretches.push({ first: this.records.length, window, raw: undefined })
  }

  add(payload: unknown, from: number, to: number): void {
    this.records.push({ payload, metadata: this.metadata })
    this.from.push(from)
    this.to.push(to)
  }

  fail(failure: Reason, from: number, to: number): void {
    this.records.push({ payload: null, metadata: this.metadata, failure })
    this.from.push(from)
    this.to.push(to)
  }

  /** A record that was passed over without being held. */
  addSkipped(raw: Raw, failure: Reason): void {
    this.stretches.push({ first: this.records.length, window: undefined, raw })
    this.fail(failure, 0, 0)
  }

  raw(index: number): Raw {
    const stretch = this.stretches.findLast((each) => each.first <= index)
    if (stretch === undefined || index >= this.records.length) {
      throw new RangeError(`record ${index} of a batch of ${this.records.length}`)
    }
    return stretch.raw ?? rawOfWindow(stretch.window!, this.from[index]!, this.endOf(stretch.window!, index))
  }

  /** A carriage return before the newline is the line's end, not the record's. */
  private endOf(window: TextWindow, index: number): number {
    const to = this.to[index]!
    return to > this.from[index]! && window.text.charCodeAt(to - 1) === 13 ? to - 1 : to
  }
}

/** More bytes than `most`, which are not parsed. */
export const tooLarge = (size: number, most: number): Reason => ({
  code: "record_too_large",
  message: `the record has ${size} bytes; at most ${most} are read`
})
