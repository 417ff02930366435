/**
 * The series of one pipeline that grow: made when they are first told something, and thrown away together.
 *
 * @module
 */
import { type Context, Metric } from "effect"
import type { Measure } from "./measure.ts"
import { type Label, metricTable } from "./metricTable.ts"
import { counter, histogram, type LabelsOf, type NamesOf } from "./series.ts"

export class PipelineSeries {
  readonly pipeline: string
  readonly #context: Context.Context<never>
  readonly #series = new Map<string, Metric.Metric<number, unknown>>()

  constructor(context: Context.Context<never>, pipeline: string) {
    this.#context = context
    this.pipeline = pipeline
  }

  /** `drivers` names the driver of a stage. */
  update(measure: Measure, drivers: ReadonlyMap<string, string>): void {
    const key = `${measure.metric}\n${measure.stage ?? ""}\n${measure.kind ?? ""}`
    let series = this.#series.get(key)
    if (series === undefined) {
      series = this.#make(measure, drivers)
      this.#series.set(key, series)
    }
    series.updateUnsafe(measure.value, this.#context)
  }

  forget(): void {
    for (const series of this.#series.values()) Metric.removeUnsafe(series, this.#context)
    this.#series.clear()
  }

  #make({ kind = "", metric, stage = "" }: Measure, drivers: ReadonlyMap<string, string>) {
    const all: Readonly<Record<Exclude<Label, "model">, string>> = {
      pipeline: this.pipeline,
      stage,
      driver: drivers.get(stage) ?? "",
      status: kind,
      reason: kind
    }
    const labels = Object.fromEntries(
      metricTable[metric].labels.map((label) => [label, all[label as keyof typeof all]])
    )
    return isHistogram(metric)
      ? histogram(metric, labels as LabelsOf<typeof metric>)
      : counter(metric, labels as LabelsOf<typeof metric>)
  }
}

const isHistogram = (metric: Measure["metric"]): metric is NamesOf<"histogram"> =>
  metricTable[metric].kind === "histogram"
