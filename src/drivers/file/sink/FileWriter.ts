/**
 * The writer of an opened output file, in either mode.
 *
 * @module
 */
import { basename } from "node:path"
import { Effect } from "effect"
import type { DriverError } from "../../DriverError.ts"
import type { Held, SinkBatch, SinkWriter } from "../../Sink.ts"
import { misconfigured } from "../fileError.ts"
import type { CsvEncoder } from "./CsvEncoder.ts"
import type { FileReceipt } from "./FileReceipt.ts"
import type { OutputFile } from "./OutputFile.ts"

interface Opened {
  readonly output: OutputFile
  readonly csv: CsvEncoder | undefined
  readonly replaces: boolean
  /** The file's last line lacks its newline: the first row written must not join it. */
  readonly endsOpen: boolean
  readonly attempt: <A>(
    operation: string,
    path: string,
    act: () => Promise<A>
  ) => Effect.Effect<A, DriverError>
  readonly publish: (finished: FileReceipt) => Effect.Effect<void, DriverError>
}

/**
 * Characters that are gathered before they are written. Batches are small and a call to the file system
 * costs as much as formatting a hundred records; what is gathered needs no more safety than what is
 * written, because only `flush` promises anything.
 */
const gatherMost = 512 * 1024

export const fileWriter = (opened: Opened): SinkWriter => {
  const { attempt, csv, output } = opened
  const start = output.length
  /** Keys written since the last flush, so that a repeated write is not a second one. Bounded by the flushes. */
  const written = new Map<string, Held>()
  let gathered = ""

  const receipt = (): FileReceipt => ({
    ...(opened.replaces ? { file: basename(output.path) } : {}),
    length: output.length,
    ...(csv?.columns === undefined ? {} : { columns: csv.columns })
  })
  /** What goes in front of the first rows of this opening. */
  const opening = (): string => {
    if (output.length !== start || gathered !== "") return ""
    const newline = opened.endsOpen ? "\n" : ""
    return output.length === 0 && csv?.columns !== undefined ? newline + csv.header : newline
  }

  /** When it rejects, what was gathered is still there: the call can be repeated. */
  const drain = async (): Promise<void> => {
    if (gathered === "") return
    await output.append(gathered)
    gathered = ""
  }
  const write = async (batch: SinkBatch): Promise<Held> => {
    let held = written.get(batch.key)
    if (held === undefined) {
      if (batch.records.length > 0) gathered += opening() + batch.records.join("")
      held = { attempt: batch.attempt, records: batch.records.length }
      written.set(batch.key, held)
    }
    if (gathered.length >= gatherMost) await drain()
    return held
  }
  const flush = attempt("flush", output.path, async () => {
    await drain()
    await output.sync()
    written.clear()
    return receipt()
  })
  /** A run without a record still leaves a readable CSV file where its columns are known. */
  const complete = attempt("finish", output.path, async () => {
    await drain()
    if (opened.replaces && output.length === 0 && csv?.columns !== undefined) await output.append(csv.header)
  })

  return {
    base: receipt(),
    held: () => Effect.succeed(new Map()),
    write: (batch) =>
      Effect.map(
        attempt("write", output.path, () => write(batch)),
        (held) => ({ _tag: "Held", held })
      ),
    flush,
    finish: Effect.andThen(complete, flush),
    publish: Effect.suspend(() => opened.publish(receipt()))
  }
}

/** The run has finished: nothing more is written, whatever is asked. */
export const publishOnly = (finished: FileReceipt, publish: Effect.Effect<void, DriverError>): SinkWriter => {
  const refuse = Effect.fail(
    misconfigured("write", "output_finished", "the output is finished; nothing more can be written to it")
  )
  return {
    base: finished,
    held: () => Effect.succeed(new Map()),
    write: () => refuse,
    flush: Effect.succeed(finished),
    finish: Effect.succeed(finished),
    publish
  }
}
