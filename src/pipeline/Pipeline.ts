/**
 * Pipelines as programs write them: typed, with functions, and read from top to bottom.
 *
 *     Pipeline.make("late-flights").pipe(
 *       Pipeline.source("flights", File.ndjson("flights.ndjson", Flight)),
 *       Pipeline.filter("late", (flight) => flight.delay > 60),
 *       Pipeline.map("shaped", LateFlight, (flight) => ({ ... })),
 *       Pipeline.sink("store", File.ndjson("late.ndjson", LateFlight))
 *     )
 *
 * Each stage takes what the one above it makes; a sink leaves that as it is, so several sinks may follow
 * each other. `Pipeline.from` goes back to a stage by name. Stages that do not fit do not compile. What
 * comes out is the same `Definition` a pipeline file gives, and the functions beside it.
 *
 * @module
 */
import { Pipeable, type Result, Schema } from "effect"
import { type Condition, checkDefinition, Definition } from "../../events/Definition.ts"
import type { End } from "../drivers/End.ts"
import {
  type Any,
  add,
  both,
  build,
  checking,
  edges,
  type Pipeline,
  type PipelineOptions
} from "./builder/addStage.ts"
import { type EventTimeOptions, eventTimeOf } from "./builder/timeStages.ts"
import { contractOf } from "./programContract.ts"

export { nack, retry } from "../flow/Nack.ts"
export {
  type Any,
  DuplicateStage,
  isPipeline,
  type Pipeline,
  type PipelineOptions
} from "./builder/addStage.ts"
export * from "./builder/dataStages.ts"
export * from "./builder/functionStages.ts"
export {
  type AggregateOptions,
  aggregate,
  type EventTimeOptions,
  type MeasureOptions,
  type WindowOptions
} from "./builder/timeStages.ts"
export { cron, every, type TickPolicy } from "./programSchedule.ts"

/** Any text is a valid name here; the definition's own check says what is wrong with it. */
export const make = (
  name: string,
  options: PipelineOptions = {}
): Pipeline<Readonly<Record<never, never>>, never> =>
  build({ name, options, stages: {}, functions: new Map(), current: [], condition: undefined })

/**
 * Reads records. The schema of the end, when it has one, is the contract every record is checked against;
 * `eventTime` says when they happened.
 */
export const source =
  <const Name extends string, A>(
    name: Name,
    end: End<A>,
    options: { readonly eventTime?: EventTimeOptions } = {}
  ) =>
  <Stages, Current, R>(
    self: Pipeline<Stages, Current, R>
  ): Pipeline<Stages & { readonly [K in Name]: A }, A, R> =>
    add(
      self,
      name,
      { source: end.use, ...contractOf(end.schema), ...eventTimeOf(options.eventTime) },
      end.schema && checking(end.schema)
    )

/** Writes records; `when` (CEL, or as `Condition` makes it) lets only some of them through. What the next stage takes stays the same. */
export const sink =
  <const Name extends string, A>(name: Name, end: End<A>, options: { readonly when?: Condition } = {}) =>
  <Stages, Current extends A, R>(self: Pipeline<Stages, Current, R>): Pipeline<Stages, Current, R> => ({
    ...add<Stages, R, Name, Current>(self, name, { ...edges(self, options.when), sink: end.use }),
    ...Pipeable.Prototype,
    current: self.current
  })

/** Goes on from these stages instead of the last one: a second branch, or several that meet. */
export const from =
  <const Name extends string>(...names: readonly [Name, ...ReadonlyArray<Name>]) =>
  <Stages extends { readonly [K in Name]: unknown }, Current, R>(
    self: Pipeline<Stages, Current, R>
  ): Pipeline<Stages, Stages[Name], R> =>
    build({ ...self, current: names, condition: undefined })

/** The next stage takes only records for which a condition holds (CEL, or as `Condition` makes it): an edge with a `when`. */
export const when =
  (condition: Condition) =>
  <Stages, Current, R>(self: Pipeline<Stages, Current, R>): Pipeline<Stages, Current, R> =>
    build({ ...self, condition: both(self.condition, condition) })

/** The definition of a pipeline, as its file would give it; fails with what is wrong with its shape. */
export const definition = (self: Any): Result.Result<Definition, Schema.SchemaError> => {
  const { description, deadLetters, merge, onUnrouted, runtime, schedule } = self.options
  return checkDefinition({
    ...defaults,
    name: self.name,
    description: description ?? "",
    schedule: schedule ?? "manual",
    stages: self.stages,
    merge: merge ?? defaults.merge,
    onUnrouted: onUnrouted ?? defaults.onUnrouted,
    deadLetters: { ...defaults.deadLetters, ...deadLetters },
    runtime: { ...defaults.runtime, ...runtime }
  })
}

const defaults = Schema.decodeUnknownSync(Definition)({ name: "defaults", stages: {} })
