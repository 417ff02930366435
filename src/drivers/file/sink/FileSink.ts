/**
 * Records into a file, effectively once: what the log does not vouch for is cut off on resume.
 *
 * A file cannot tell which batches it holds, and need not: cut back to the last receipt it holds exactly
 * the batches that were applied, so a batch that is owed is simply not there and is written again.
 *
 * @module
 */

import { dirname } from "node:path"
import { Effect, type Scope } from "effect"
import type { Confines } from "../../Confines.ts"
import type { DriverContext, Offer } from "../../Driver.ts"
import type { DriverError } from "../../DriverError.ts"
import { letGo } from "../../letGo.ts"
import type { Receipt, Sink, SinkOpening, SinkWriter } from "../../Sink.ts"
import { readHeader } from "../csv/csvHeader.ts"
import { fileError, misconfigured } from "../fileError.ts"
import { delimiterOf, realPathOf } from "../formats.ts"
import { requireAllowed } from "../requireAllowed.ts"
import { endsOpen, openAppend } from "./AppendOutput.ts"
import { CsvEncoder } from "./CsvEncoder.ts"
import { makeFolder } from "./durable.ts"
import { encodeJson } from "./encodeJson.ts"
import { lockFile } from "./FileLock.ts"
import { type FileReceipt, readReceipt, recordedBefore } from "./FileReceipt.ts"
import { FileSinkConfig, sinkFormat } from "./FileSinkConfig.ts"
import { fileWriter, publishOnly } from "./FileWriter.ts"
import { type PartialFiles, partialFiles } from "./PartialFiles.ts"
import { type OpenedOutput, openReplace, publishReplace } from "./ReplaceOutput.ts"

export const fileSink: Offer<FileSinkConfig, Sink> = {
  config: FileSinkConfig,
  resource: realPathOf,
  make: (config, context) => Effect.succeed(new FileSink(config, context))
}

class FileSink implements Sink {
  private readonly config: FileSinkConfig
  private readonly target: string
  private readonly delimiter: string
  private readonly partials: PartialFiles
  private readonly csv: CsvEncoder | undefined
  private readonly confines: Confines | undefined
  private run: string | undefined

  constructor(config: FileSinkConfig, context: DriverContext) {
    this.config = config
    this.confines = context.confines
    this.target = realPathOf(config, context)
    this.delimiter = config.delimiter ?? delimiterOf(config.path)
    this.partials = partialFiles(this.target, context.pipeline.id)
    this.csv = sinkFormat(config) === "csv" ? new CsvEncoder(this.delimiter, config.columns) : undefined
  }

  encode(payload: unknown): string {
    return this.csv === undefined ? `${encodeJson(payload)}\n` : this.csv.encode(payload)
  }

  recall(receipt: Receipt): void {
    if (this.csv !== undefined) this.csv.columns = readReceipt(receipt).columns ?? this.csv.columns
  }

  open(opening: SinkOpening): Effect.Effect<SinkWriter, DriverError, Scope.Scope> {
    const attempt = <A>(operation: string, path: string, act: () => Promise<A>) =>
      Effect.uninterruptible(
        Effect.tryPromise({ try: act, catch: (cause) => fileError(operation, path, "write", cause) })
      )
    const { target } = this
    return Effect.gen({ self: this }, function* () {
      yield* attempt("open", target, async () => requireAllowed(target, this.confines))
      const receipt = yield* attempt("open", target, async () =>
        opening.receipt === null ? undefined : readReceipt(opening.receipt)
      )
      const publish = (finished: FileReceipt) =>
        attempt("publish", target, () => this.publish(opening.epoch, finished))
      if (opening.finished) {
        const finished = receipt ?? { length: 0 }
        return publishOnly(finished, publish(finished))
      }
      yield* attempt("open", target, () => makeFolder(dirname(target)))
      if (this.config.mode === "append") yield* lockFile(target)
      const opened = yield* Effect.acquireRelease(
        attempt("open", target, () => this.openOutput(opening, receipt)),
        ({ handle }) => letGo(target, () => handle.close())
      )
      yield* attempt("open", target, () => this.settleColumns(opening, receipt, opened))
      return fileWriter({
        ...opened,
        csv: this.csv,
        replaces: this.config.mode === "replace",
        attempt,
        publish
      })
    })
  }

  private async openOutput(
    opening: SinkOpening,
    receipt: FileReceipt | undefined
  ): Promise<OpenedOutput & { readonly endsOpen: boolean }> {
    const before = recordedBefore(opening)
    if (this.config.mode === "append") {
      const leftover = opening.leftover === null ? undefined : readReceipt(opening.leftover)
      return openAppend(this.target, receipt, leftover, before, opening.extends)
    }
    const opened = await openReplace(this.target, this.partials, opening, receipt, before)
    const isForeign = opening.extends === true && receipt === undefined
    return { ...opened, endsOpen: isForeign && (await endsOpen(opened.handle, opened.output.length)) }
  }

  private async publish(epoch: number, finished: FileReceipt): Promise<void> {
    if (this.config.mode === "replace") await publishReplace(this.target, this.partials, epoch, finished)
  }

  /** A continued file keeps its columns; a new one gets those of the settings or of its first record. */
  private async settleColumns(
    opening: SinkOpening,
    receipt: FileReceipt | undefined,
    { handle, output }: OpenedOutput
  ): Promise<void> {
    if (this.csv === undefined) return
    const sameRun = this.run === opening.run
    this.run = opening.run
    const written =
      receipt?.columns ?? (output.length > 0 ? await readHeader(handle, output, this.delimiter) : undefined)
    const wanted = this.config.columns
    if (written !== undefined && wanted !== undefined && written.join("\n") !== wanted.join("\n")) {
      throw misconfigured(
        "open",
        "columns_differ",
        `${this.target} has the columns ${written.join(", ")}; the settings name ${wanted.join(", ")}`,
        "name the columns the file has, or write to another file"
      )
    }
    // Reopened within a run, rows that are already encoded must still fit: the columns stay.
    this.csv.columns = written ?? wanted ?? (sameRun ? this.csv.columns : undefined)
  }
}
