/**
 * Series of the metrics in the table: one metric with one value for each of its labels.
 *
 * @module
 */
import { Clock, Context, Metric } from "effect"
import { type MetricName, type MetricRow, metricTable } from "./metricTable.ts"

export type NamesOf<Kind extends MetricRow["kind"]> = {
  [Name in MetricName]: (typeof metricTable)[Name]["kind"] extends Kind ? Name : never
}[MetricName]

/** A value for each label of the metric, and no other. */
export type LabelsOf<Name extends MetricName> = {
  readonly [Label in (typeof metricTable)[Name]["labels"][number]]: string
}

export const counter = <Name extends NamesOf<"counter">>(name: Name, labels: LabelsOf<Name>) =>
  Metric.counter(name, { description: metricTable[name].help, incremental: true, attributes: { ...labels } })

export const histogram = <Name extends NamesOf<"histogram">>(name: Name, labels: LabelsOf<Name>) =>
  Metric.histogram(name, {
    description: metricTable[name].help,
    boundaries: metricTable[name].bounds,
    attributes: { ...labels }
  })

/**
 * A gauge that is asked when somebody looks, and costs nothing otherwise; `read` is given milliseconds since
 * 1970. Whoever registers it removes it: until then everything `read` holds on to stays in memory.
 */
export const registerGauge = <Name extends NamesOf<"gauge">>(
  context: Context.Context<never>,
  name: Name,
  labels: LabelsOf<Name>,
  read: (now: number) => number
): Metric.Registration =>
  Metric.registerUnsafe(
    Metric.gauge(name, { description: metricTable[name].help, attributes: { ...labels } }),
    context,
    {
      get: (asking) => ({ value: read(Context.get(asking, Clock.Clock).currentTimeMillisUnsafe()) }),
      update: () => {},
      modify: () => {}
    }
  )
