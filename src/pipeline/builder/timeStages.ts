/**
 * What a program says of event time: when records happened, and what is made of those of one window.
 *
 * @module
 */
import { Duration, Schema } from "effect"
import type { EventTime as EventTimeOf, Measure, Window } from "../../../events/Definition.ts"
import { Aggregate } from "../../../events/definition/Aggregate.ts"
import { EventTime } from "../../../events/definition/EventTime.ts"
import { contractOf } from "../programContract.ts"
import { add, checking, edges, type Pipeline } from "./addStage.ts"

/** When the records of a source happened; what is left out is as in a pipeline file. */
export interface EventTimeOptions {
  /** The field that holds the time: a path, joined by dots. */
  readonly field: string
  /** `iso` (when left out), `unix_s`, `unix_ms`, or a pattern of `yyyy MM dd HH mm ss SSS`. */
  readonly format?: string
  /** So much older than the watermark a record may be; 0 when left out. */
  readonly allowedLateness?: Duration.Input
  /** A source without a record for this long holds nobody up; 30 seconds when left out. */
  readonly idleTimeout?: Duration.Input
  /** What becomes of late records; `dead_letter` when left out. */
  readonly onLate?: EventTimeOf["onLate"]
}

/** The part of a source's stage that says when its records happened. */
export const eventTimeOf = (options: EventTimeOptions | undefined): { readonly eventTime?: EventTimeOf } => {
  if (options === undefined) return {}
  const { allowedLateness, idleTimeout, ...rest } = options
  return {
    eventTime: {
      ...eventTimeDefaults,
      ...rest,
      ...(allowedLateness === undefined ? {} : { allowedLateness: millis(allowedLateness) }),
      ...(idleTimeout === undefined ? {} : { idleTimeout: millis(idleTimeout) })
    }
  }
}

const eventTimeDefaults = Schema.decodeSync(EventTime)({ field: "any" })

/** Windows of event time: one behind the other, overlapping, or as long as something happens. */
export type WindowOptions =
  | { readonly tumbling: Duration.Input }
  | { readonly sliding: Duration.Input; readonly every: Duration.Input }
  | { readonly session: Duration.Input }

/** What is made of the records of a window; `collect` keeps the first 100 when it has no `limit`. */
export type MeasureOptions =
  | Exclude<Measure, { readonly collect: string }>
  | { readonly collect: string; readonly limit?: number }

export interface AggregateOptions {
  readonly window: WindowOptions
  /** What records are grouped by: fields of the result, each with an expression (CEL). */
  readonly by?: Readonly<Record<string, string>>
  readonly make: Readonly<Record<string, MeasureOptions>>
  /** At most so many windows are open at once; 100,000 when left out. */
  readonly limit?: number
}

/**
 * Makes one record for each window and group once the watermark has passed the window: the fields of `by`,
 * then `window_start` and `window_end` (ISO 8601), then those of `make`. `schema` is that record.
 */
export const aggregate =
  <const Name extends string, B>(name: Name, schema: Schema.Codec<B, B>, options: AggregateOptions) =>
  <Stages, Current, R>(
    self: Pipeline<Stages, Current, R>
  ): Pipeline<Stages & { readonly [K in Name]: B }, B, R> =>
    add(
      self,
      name,
      { ...edges(self), aggregate: aggregateOf(options), ...contractOf(schema) },
      checking(schema)
    )

const aggregateOf = ({ by, limit, make, window }: AggregateOptions): Aggregate => ({
  window: windowOf(window),
  by: by ?? {},
  make: Object.fromEntries(Object.entries(make).map(([field, measure]) => [field, measureOf(measure)])),
  limit: limit ?? aggregateDefaults.limit
})

const aggregateDefaults = Schema.decodeSync(Aggregate)({ window: { session: "1s" }, make: {} })
const collectDefaults = { limit: 100 }

const windowOf = (window: WindowOptions): Window => {
  if ("tumbling" in window) return { tumbling: millis(window.tumbling) }
  if ("sliding" in window) return { sliding: millis(window.sliding), every: millis(window.every) }
  return { session: millis(window.session) }
}

const measureOf = (measure: MeasureOptions): Measure =>
  typeof measure === "object" && "collect" in measure ? { ...collectDefaults, ...measure } : measure

const millis = (duration: Duration.Input): number => Math.round(Duration.toMillis(duration))
