/**
 * Pushed records as a source: read from the spool at any place that is not settled, waited for without end.
 *
 * @module
 */
import { type FileHandle, open } from "node:fs/promises"
import { Duration, Effect, type Scope } from "effect"
import type { Position } from "../../../events/Checkpoint.ts"
import type { DriverContext, Offer } from "../Driver.ts"
import { DriverError, type DriverErrorReason } from "../DriverError.ts"
import { fileError } from "../file/fileError.ts"
import { LineRun } from "../file/text/LineRun.ts"
import { parseLineKept } from "../file/text/parseKept.ts"
import { Taken } from "../file/text/Taken.ts"
import type { Place } from "../file/text/TextReader.ts"
import { letGo } from "../letGo.ts"
import type { SourceBatch } from "../Record.ts"
import type { ReadLimit, Source, SourceReader } from "../Source.ts"
import { HttpSourceConfig, recordFormat, recordSettings } from "./HttpSourceConfig.ts"
import { type Segment, SpoolDamaged } from "./spool/Segment.ts"
import type { Spool } from "./spool/Spool.ts"
import { isSpoolPlace, type SpoolPlace } from "./spool/SpoolPlace.ts"
import type { Spools } from "./spool/Spools.ts"

/** Without spools the settings can be looked at, and nothing can be read. */
export const httpSource = (spools: Spools | undefined): Offer<HttpSourceConfig, Source> => ({
  config: HttpSourceConfig,
  make: (config, context) =>
    spools === undefined ? Effect.fail(nobodyListens) : Effect.succeed(sourceOf(config, spools, context))
})

const sourceOf = (config: HttpSourceConfig, spools: Spools, { pipeline, stage }: DriverContext): Source => ({
  parse: (kept) => Effect.sync(() => parseLineKept(kept, recordFormat(recordSettings(config)), nothing)),
  open: Effect.fnUntraced(function* (from): Effect.fn.Return<SourceReader, DriverError, Scope.Scope> {
    const { spool } = yield* attempt("open", () => spools.of(pipeline.id, stage))
    const reader = yield* Effect.acquireRelease(
      attempt("open", async () => new SpoolReader(spool, await placeOf(spool, from))),
      (opened) => letGo(`the reader of ${stage}`, () => opened.close())
    )
    return {
      next: (limit) => reader.next(limit),
      ack: (position) => attempt("ack", () => spool.settle(ours(spool, position))),
      progress: () => ({ done: reader.ordinal, total: spool.ordinal, unit: "rows" })
    }
  })
})

/** A run without a place goes on where the last one settled: what was read once is not read again. */
const placeOf = async (spool: Spool, from: Position | null): Promise<SpoolPlace> => {
  if (from === null) {
    // What this run seals first is found again only if this place stays where it is.
    await spool.keepSettled()
    return spool.settled
  }
  const place = ours(spool, from)
  if (place.ordinal > spool.ordinal) {
    throw changed(`it holds ${spool.ordinal} records and ${place.ordinal} had been read`)
  }
  const found = spool.around(place.ordinal)
  if (place.ordinal > 0 && found === undefined) throw changed("the records behind the place are gone")
  if (
    found !== undefined &&
    found.segment.number !== place.segment &&
    found.segment.header.ordinal !== place.ordinal
  ) {
    throw changed(`record ${place.ordinal} does not stand where it stood`)
  }
  return place
}

const ours = (spool: Spool, position: Position): SpoolPlace => {
  if (isSpoolPlace(position) && position.spool === spool.id) return position
  throw changed("the recorded place is not one in this spool")
}

interface Entered {
  readonly segment: Segment
  readonly handle: FileHandle
  readonly format: ReturnType<typeof recordFormat>
}

class SpoolReader {
  private readonly spool: Spool
  private entered: Entered | undefined
  /** `byte` is in the text of `segment`, `row` counts the records of the spool. */
  private place: Place & { readonly segment: number }

  constructor(spool: Spool, { offset, ordinal, segment }: SpoolPlace) {
    this.spool = spool
    this.place = { segment, byte: offset, row: ordinal, window: undefined, at: 0 }
  }

  get ordinal(): number {
    return this.place.row
  }

  next(limit: ReadLimit): Effect.Effect<SourceBatch | null, DriverError> {
    const read = attempt("next", () => this.read(limit))
    return limit.exactly === true ? read : Effect.andThen(this.arrived(limit), read)
  }

  async close(): Promise<void> {
    await this.entered?.handle.close()
    this.entered = undefined
  }

  /** Waits for a record, and then a while for the others of its batch. */
  private arrived(limit: ReadLimit): Effect.Effect<void> {
    const { spool } = this
    const first = spool.until(() => spool.ordinal > this.place.row)
    if (limit.waitMs === undefined || limit.waitMs === 0) return first
    const rest = spool.until(() => this.isFull(limit))
    return Effect.andThen(first, Effect.timeoutOption(rest, Duration.millis(limit.waitMs))).pipe(
      Effect.asVoid
    )
  }

  /** A batch never spans two segments, so nothing more can come to one that ends before the newest. */
  private isFull({ bytes, records }: ReadLimit): boolean {
    const { head, ordinal } = this.spool
    if (head === undefined || ordinal - this.place.row >= records) return true
    if (this.place.row < head.segment.header.ordinal) return true
    const from = this.place.segment === head.segment.number ? this.place.byte : 0
    return head.index.text - from >= bytes
  }

  private async read(limit: ReadLimit): Promise<SourceBatch | null> {
    const { format, handle, segment } = await this.enter()
    const { maxRecordBytes } = segment.header.settings
    const next = this.spool.around(this.place.row)?.next
    const text = (await segment.index(handle, next)).textOf(segment.path, handle)
    const run = new LineRun(text, format, maxRecordBytes, new Taken(nothing), this.place, limit)
    await run.read()
    const { records } = run.taken
    if (records.length === 0) return null
    const { byte } = run.settled
    const bytes = byte - this.place.byte
    this.place = { ...run.settled, row: this.place.row + records.length, segment: segment.number }
    const to: SpoolPlace = {
      spool: this.spool.id,
      segment: segment.number,
      offset: byte,
      ordinal: this.place.row
    }
    return { records, to, digest: run.digest(), bytes, raw: (index) => run.taken.raw(index) }
  }

  /** The segment that holds the next record. */
  private async enter(): Promise<Entered> {
    const found = this.spool.around(this.place.row)
    if (found === undefined) throw changed("there are no records")
    const { segment } = found
    if (this.entered?.segment === segment) return this.entered
    await this.close()
    if (this.place.segment !== segment.number) {
      this.place = { segment: segment.number, byte: 0, row: this.place.row, window: undefined, at: 0 }
    }
    const handle = await open(segment.path, "r")
    this.entered = { segment, handle, format: recordFormat(segment.header.settings) }
    return this.entered
  }
}

const nothing = Object.freeze({})

const attempt = <A>(operation: string, act: () => Promise<A>): Effect.Effect<A, DriverError> =>
  Effect.tryPromise({ try: act, catch: (cause) => driverError(operation, cause) })

const driverError = (operation: string, cause: unknown): DriverError => {
  if (cause instanceof DriverError) return cause
  if (cause instanceof SpoolDamaged) {
    const suggestion = "restore the folder of the service from a copy; the records are not guessed"
    return failure(operation, {
      _tag: "Misconfigured",
      code: "spool_damaged",
      message: cause.message,
      suggestion
    })
  }
  return failure(operation, fileError(operation, "the spool", "read", cause).reason)
}

const failure = (operation: string, reason: DriverErrorReason): DriverError =>
  new DriverError({ driver: "http", operation, reason })

const changed = (why: string): DriverError =>
  failure("open", {
    _tag: "Misconfigured",
    code: "source_changed",
    message: `the spool is not the one that was being read: ${why}`,
    suggestion: "restore the folder of the service as it was, or give the run up with --abandon"
  })

const nobodyListens = failure("open", {
  _tag: "Misconfigured",
  code: "no_ingress",
  message: "records of an http source are pushed to the service, and none is listening here",
  suggestion: "run the pipeline in the service: millrace serve"
})
