/**
 * What the log remembers of a file being written.
 *
 * @module
 */
import { Schema } from "effect"
import type { Receipt, SinkOpening } from "../../Sink.ts"
import { misconfigured } from "../fileError.ts"

/**
 * `length` bytes of the output are applied. `file` is the name of the partial file beside the target
 * (replace mode only); `columns` are those of a CSV file, once they are settled.
 */
export const FileReceipt = Schema.Struct({
  file: Schema.optionalKey(Schema.NonEmptyString),
  length: Schema.Int.check(Schema.isGreaterThanOrEqualTo(0)),
  columns: Schema.optionalKey(Schema.Array(Schema.String))
})
export type FileReceipt = typeof FileReceipt.Type

const isFileReceipt = Schema.is(FileReceipt)

/** Throws a DriverError when another kind of sink wrote it. */
export const readReceipt = (receipt: Receipt): FileReceipt => {
  // A name with a slash would let an edited log point anywhere.
  if (isFileReceipt(receipt) && !receipt.file?.includes("/")) return receipt
  throw misconfigured(
    "open",
    "receipt_unreadable",
    "the recorded output is not that of a file sink",
    "the sink was probably of another kind; start a new run"
  )
}

/** Where the bytes of a run that was set back are, if nothing has been recorded since. */
export interface RecordedBefore {
  readonly receipt: FileReceipt
  readonly finished: boolean
}

export const recordedBefore = ({ before }: SinkOpening): RecordedBefore | undefined =>
  before === undefined || before.receipt === null
    ? undefined
    : { receipt: readReceipt(before.receipt), finished: before.finished }

/** A finished output is ours as long as it has the length it was finished with. */
export const changedSinceFinished = (path: string, size: number, recorded: number) =>
  misconfigured(
    "open",
    size < recorded ? "output_shorter_than_recorded" : "output_longer_than_recorded",
    `${path} has ${size} bytes; it was finished with ${recorded}`,
    "something wrote to the finished output, so it cannot be set back or added to; restore it, or start a new run"
  )

export const shorterThanRecorded = (path: string, size: number | undefined, recorded: number) =>
  misconfigured(
    "open",
    "output_shorter_than_recorded",
    size === undefined
      ? `${path} is gone; ${recorded} bytes of it were recorded as written`
      : `${path} has ${size} bytes; ${recorded} were recorded as written`,
    "something removed or cut the output; restore it, or start a new run"
  )
