/**
 * Who may have series: so many pipelines and no more, however many there are.
 *
 * Those that are awake come first. What a pipeline counted stays when it falls asleep, so that the last export
 * of a process has it and a pipeline that wakes counts on; it goes when somebody awake needs the room, those
 * that sleep longest first.
 *
 * @module
 */
import { Context, Metric } from "effect"
import { PipelineSeries } from "./PipelineSeries.ts"
import { registerGauge } from "./series.ts"

/** Pipelines that have series at the same time. */
export const pipelinesMost = 1000

export class SeriesRoom {
  /** Holds the registry and nothing else. */
  readonly context: Context.Context<never>
  /** By name. In the order in which they were last left: whoever is nobody's and comes first has slept longest. */
  readonly #taken = new Map<string, { readonly series: PipelineSeries; holders: number }>()
  #refused = 0

  constructor(context: Context.Context<never>) {
    this.context = context
    registerGauge(context, "millrace_pipelines_unmeasured", {}, () => this.#refused)
  }

  /** The series of the pipeline of this name; `undefined` where there is no room. What was taken is given back. */
  take(pipeline: string): PipelineSeries | undefined {
    const known = this.#taken.get(pipeline)
    if (known !== undefined) {
      known.holders++
      return known.series
    }
    if (this.#taken.size >= pipelinesMost && !this.#evict()) {
      this.#refused++
      return undefined
    }
    const series = new PipelineSeries(this.context, pipeline)
    this.#taken.set(pipeline, { series, holders: 1 })
    return series
  }

  giveBack(series: PipelineSeries | undefined): void {
    if (series === undefined) {
      this.#refused--
      return
    }
    const known = this.#taken.get(series.pipeline)
    if (known === undefined || --known.holders > 0) return
    this.#taken.delete(series.pipeline)
    this.#taken.set(series.pipeline, known)
  }

  #evict(): boolean {
    for (const [pipeline, { holders, series }] of this.#taken) {
      if (holders > 0) continue
      series.forget()
      this.#taken.delete(pipeline)
      return true
    }
    return false
  }
}

/** The room of the registry that this context counts in. */
export const seriesRoom = (context: Context.Context<never>): SeriesRoom => {
  const registry = Context.get(context, Metric.MetricRegistry)
  const known = rooms.get(registry)
  if (known !== undefined) return known
  const room = new SeriesRoom(Context.make(Metric.MetricRegistry, registry))
  rooms.set(registry, room)
  return room
}

const rooms = new WeakMap<Metric.MetricRegistry, SeriesRoom>()
