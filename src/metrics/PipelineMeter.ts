/**
 * The one observer of a pipeline: it is told every event its actor has appended, and turns it into numbers
 * and, where somebody traces, one span a batch. Nothing is read back from the log, so what is counted is
 * what this process did.
 *
 * Gauges say how the pipeline is and are gone when it sleeps; for what has been counted see `SeriesRoom`.
 *
 * @module
 */
import { Clock, type Context, Effect, type Metric, type Scope } from "effect"
import { deadLettersBranch, type PipelineEvent } from "../../events/PipelineEvent.ts"
import { own } from "../../projections/own.ts"
import { openBatch, type PipelineState } from "../../projections/PipelineState.ts"
import { type BatchSpans, makeBatchSpans } from "./BatchSpans.ts"
import { measure } from "./measure.ts"
import type { PipelineSeries } from "./PipelineSeries.ts"
import { type SeriesRoom, seriesRoom } from "./SeriesRoom.ts"
import { registerGauge } from "./series.ts"

/** How far the sources of a run are; see `SourceReader.progress`. */
export type Progress = () => ReadonlyArray<{
  readonly stage: string
  readonly done: number
  readonly total: number | null
  readonly unit: "bytes" | "rows"
}>

/** Measures a pipeline that stands in this state, until it is closed. */
export const make = Effect.fnUntraced(function* (state: PipelineState): Effect.fn.Return<PipelineMeter> {
  const context = yield* Effect.context<never>()
  return new PipelineMeter(context, state, yield* Clock.currentTimeMillis)
})

export class PipelineMeter {
  readonly #room: SeriesRoom
  readonly #spans: BatchSpans | undefined
  /** When each open batch was sealed, or met: milliseconds since 1970. */
  #openSince: Map<number, number> | undefined
  #gauges: Array<Metric.Registration> | undefined
  #statuses: Array<Metric.Registration> | undefined
  /** By source, while it is read. */
  #sources: Map<string, Array<Metric.Registration>> | undefined
  #progress: Progress | undefined
  #series: PipelineSeries | undefined
  #drivers: ReadonlyMap<string, string> = noDrivers
  #state: PipelineState

  constructor(context: Context.Context<never>, state: PipelineState, now: number) {
    this.#room = seriesRoom(context)
    this.#spans = makeBatchSpans(context)
    this.#state = state
    for (const { batch } of state.open) this.#opened(batch, now)
    if (state.definition !== null) this.#begin(state)
  }

  /** `event` happened to `before` at this instant (milliseconds since 1970), and made `after` of it. */
  tell(event: PipelineEvent, before: PipelineState, after: PipelineState, at: number): void {
    this.#state = after
    if (event._tag === "Defined") this.#defined(before, after)
    if (event._tag === "BatchSealed") this.#opened(event.batch, at)
    this.#spans?.tell(event, before, at, this.#openSince?.get(batchOf(event)) ?? at)
    this.#forgetSettled(after)
    if (this.#series === undefined) return
    for (const each of measure(before, event)) this.#series.update(each, this.#drivers)
    if (event._tag === "BatchSealed" && this.#sources?.has(event.source) !== true)
      this.#showSource(event.source)
    if (before.deployment !== after.deployment || before.lifecycle !== after.lifecycle)
      this.#showStatuses(after)
  }

  /** Shows how far the sources of a run are, as soon as they have given something, until the scope closes. */
  reading(progress: Progress): Effect.Effect<void, never, Scope.Scope> {
    return Effect.andThen(
      Effect.sync(() => {
        this.#progress = progress
      }),
      Effect.addFinalizer(() =>
        Effect.sync(() => {
          this.#progress = undefined
          this.#hideSources()
        })
      )
    )
  }

  close(): void {
    if (this.#state.definition === null) return
    this.#end()
  }

  /** A pipeline with another name or other stages is another one for whoever draws it: it counts anew. */
  #defined(before: PipelineState, after: PipelineState): void {
    const isSame =
      before.definition?.name === after.definition?.name &&
      JSON.stringify([...driversOf(before)]) === JSON.stringify([...driversOf(after)])
    if (isSame) return
    if (before.definition !== null) {
      this.#series?.forget()
      this.#end()
    }
    this.#begin(after)
  }

  #begin(state: PipelineState): void {
    const pipeline = state.definition!.name
    this.#series = this.#room.take(pipeline)
    if (this.#series === undefined) return
    this.#drivers = driversOf(state)
    this.#gauges = [
      registerGauge(
        this.#room.context,
        "millrace_batches_in_flight",
        { pipeline },
        () => this.#state.open.length
      ),
      registerGauge(this.#room.context, "millrace_lag_seconds", { pipeline }, (now) => this.#lagSeconds(now))
    ]
    this.#showStatuses(state)
  }

  #end(): void {
    remove(this.#gauges)
    remove(this.#statuses)
    this.#hideSources()
    this.#room.giveBack(this.#series)
    this.#series = undefined
  }

  #showStatuses({ deployment, lifecycle }: PipelineState): void {
    const { pipeline } = this.#series!
    remove(this.#statuses)
    this.#statuses = [
      registerGauge(
        this.#room.context,
        "millrace_deployment_status",
        { pipeline, status: deployment },
        () => 1
      ),
      registerGauge(this.#room.context, "millrace_lifecycle_status", { pipeline, status: lifecycle }, () => 1)
    ]
  }

  /** Only what is known: a source that counts rows has no bytes, and a stream no size. */
  #showSource(stage: string): void {
    const of = () => this.#progress?.().find((one) => one.stage === stage)
    const now = of()
    if (now === undefined) return
    const labels = { pipeline: this.#series!.pipeline, stage }
    const show = (name: "millrace_source_read_bytes" | "millrace_source_size_bytes", read: () => number) =>
      registerGauge(this.#room.context, name, labels, read)
    const shown: Array<Metric.Registration> = []
    if (now.unit === "bytes") {
      shown.push(show("millrace_source_read_bytes", () => of()?.done ?? 0))
      if (now.total !== null) shown.push(show("millrace_source_size_bytes", () => of()?.total ?? 0))
    }
    this.#sources ??= new Map()
    this.#sources.set(stage, shown)
  }

  #hideSources(): void {
    for (const shown of this.#sources?.values() ?? []) remove(shown)
    this.#sources = undefined
  }

  #lagSeconds(now: number): number {
    const oldest = this.#state.open[0]
    const since = oldest === undefined ? now : (this.#openSince?.get(oldest.batch) ?? now)
    return Math.max(0, now - since) / 1000
  }

  #opened(batch: number, at: number): void {
    this.#openSince ??= new Map()
    if (!this.#openSince.has(batch)) this.#openSince.set(batch, at)
  }

  #forgetSettled(state: PipelineState): void {
    const since = this.#openSince
    if (since === undefined || since.size <= state.open.length) return
    for (const batch of since.keys()) if (openBatch(state, batch) === undefined) since.delete(batch)
  }
}

const batchOf = (event: PipelineEvent): number => ("batch" in event ? (event.batch ?? -1) : -1)

const remove = (registered: Array<Metric.Registration> | undefined): void => {
  for (const one of registered?.splice(0) ?? []) one.remove()
}

const noDrivers: ReadonlyMap<string, string> = new Map()

/** The driver of each source and sink, as the definition names them. */
const driversOf = ({ definition }: PipelineState): ReadonlyMap<string, string> => {
  const wire = definition?.definition as
    | { readonly stages?: Readonly<Record<string, Ends>>; readonly dead_letters?: Ends }
    | null
    | undefined
  if (wire?.stages === undefined) return noDrivers
  const drivers = new Map<string, string>()
  for (const [stage, of] of Object.entries(wire.stages)) {
    const driver = own(of, "source")?.use ?? own(of, "sink")?.use
    if (typeof driver === "string") drivers.set(stage, driver)
  }
  const letters = wire.dead_letters?.sink?.use
  if (typeof letters === "string") drivers.set(deadLettersBranch, letters)
  return drivers
}

type Ends = Readonly<Record<string, { readonly use?: unknown }>>
