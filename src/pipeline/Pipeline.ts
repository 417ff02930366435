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
import { type Effect, Pipeable, type Result, Schema } from "effect"
import {
  type Condition,
  checkDefinition,
  Definition,
  type Edge,
  type Lookup,
  type MapStage,
  type ScheduleDefinition,
  type Stage
} from "../../events/Definition.ts"
import type { End } from "../drivers/End.ts"
import { contractOf } from "./programContract.ts"
import type { Nack, ProgramFunction } from "./programFunction.ts"

export { nack } from "./programFunction.ts"
export { cron, every, type TickPolicy } from "./programSchedule.ts"

/**
 * A pipeline being written. `Stages` are the record types by stage name, `Current` is what the next stage
 * takes, `R` what its effectful stages need from the program's environment.
 */
export interface Pipeline<out Stages, out Current, out R = never> extends Pipeable.Pipeable {
  readonly name: string
  readonly options: PipelineOptions
  readonly stages: Readonly<Record<string, Stage>>
  readonly functions: ReadonlyMap<string, ProgramFunction<R>>
  /** The stages the next one takes its records from. */
  readonly current: ReadonlyArray<string>
  /** Which of their records the next one takes; all, when undefined. */
  readonly condition: Condition | undefined
  readonly "~types": { readonly stages: () => Stages; readonly current: () => Current }
}

// biome-ignore lint/suspicious/noExplicitAny: any pipeline, whatever its stages carry
export type Any<R = any> = Pipeline<any, any, R>

/** Everything a pipeline file says outside its stages; left out, the file's defaults hold. */
export interface PipelineOptions {
  readonly description?: string
  /** `manual` when left out; else `continuous`, or what `Pipeline.cron` and `Pipeline.every` make. */
  readonly schedule?: ScheduleDefinition
  readonly onUnrouted?: Definition["onUnrouted"]
  readonly deadLetters?: Partial<Definition["deadLetters"]>
  readonly runtime?: Partial<Definition["runtime"]>
  /** The folder relative paths resolve against; the working directory when left out. */
  readonly base?: string
}

/** Any text is a valid name here; the definition's own check says what is wrong with it. */
export const make = (
  name: string,
  options: PipelineOptions = {}
): Pipeline<Readonly<Record<never, never>>, never> =>
  build({ name, options, stages: {}, functions: new Map(), current: [], condition: undefined })

/** Reads records. The schema of the end, when it has one, is the contract every record is checked against. */
export const source =
  <const Name extends string, A>(name: Name, end: End<A>) =>
  <Stages, Current, R>(
    self: Pipeline<Stages, Current, R>
  ): Pipeline<Stages & { readonly [K in Name]: A }, A, R> =>
    add(self, name, { source: end.use, ...contractOf(end.schema) }, end.schema && checking(end.schema))

/** Keeps the records for which the predicate holds. */
export const filter =
  <const Name extends string, A>(name: Name, predicate: (record: A) => boolean) =>
  <Stages, R>(self: Pipeline<Stages, A, R>): Pipeline<Stages & { readonly [K in Name]: A }, A, R> =>
    add(
      self,
      name,
      { ...edges(self), function: { does: "filter", over: "record" } },
      { _tag: "Filter", predicate: predicate as (record: unknown) => boolean }
    )

/** Keeps the records for which a condition holds, in CEL or as `Condition` makes it: data, so it is in the log and needs no program. */
export const filterBy =
  <const Name extends string>(name: Name, condition: Condition) =>
  <Stages, Current, R>(
    self: Pipeline<Stages, Current, R>
  ): Pipeline<Stages & { readonly [K in Name]: Current }, Current, R> =>
    add(self, name, { ...edges(self), filter: condition })

/** Makes one record of each; an exception is the reason of a dead letter. */
export const map =
  <const Name extends string, A, B>(name: Name, schema: Schema.Codec<B, B>, f: (record: A) => NoInfer<B>) =>
  <Stages, R>(self: Pipeline<Stages, A, R>): Pipeline<Stages & { readonly [K in Name]: B }, B, R> =>
    add(
      self,
      name,
      { ...edges(self), function: { does: "map", over: "record" }, ...contractOf(schema) },
      { _tag: "Map", f: f as (record: unknown) => unknown, schema: schema as Schema.Codec<unknown> }
    )

/** Makes one record of each by expressions (CEL): data, as in a pipeline file. */
export const mapBy =
  <const Name extends string, B>(name: Name, schema: Schema.Codec<B, B>, expressions: MapStage) =>
  <Stages, Current, R>(
    self: Pipeline<Stages, Current, R>
  ): Pipeline<Stages & { readonly [K in Name]: B }, B, R> =>
    add(self, name, { ...edges(self), map: expressions, ...contractOf(schema) }, checking(schema))

/**
 * Makes one record of each with an effect. What it fails with is the reason of a dead letter, a defect
 * ends the run; up to `concurrency` (default 16) are under way at once, and order is kept.
 */
export const mapEffect =
  <const Name extends string, A, B, E, R2>(
    name: Name,
    schema: Schema.Codec<B, B>,
    f: (record: A) => Effect.Effect<NoInfer<B>, E, R2>,
    options: { readonly concurrency?: number } = {}
  ) =>
  <Stages, R>(self: Pipeline<Stages, A, R>): Pipeline<Stages & { readonly [K in Name]: B }, B, R | R2> =>
    add<Stages, R | R2, Name, B>(
      self,
      name,
      { ...edges(self), function: { does: "map", over: "record" }, ...contractOf(schema) },
      {
        _tag: "MapEffect",
        f: f as (record: unknown) => Effect.Effect<unknown, unknown, R2>,
        schema: schema as Schema.Codec<unknown>,
        concurrency: options.concurrency ?? 16
      }
    )

/**
 * Makes records of a whole batch with one effect: exactly one answer for each record, in order, either the
 * new record or a `nack` with the reason. A failure of the effect nacks all of them.
 */
export const mapBatch =
  <const Name extends string, A, B, E, R2>(
    name: Name,
    schema: Schema.Codec<B, B>,
    f: (records: ReadonlyArray<A>) => Effect.Effect<ReadonlyArray<NoInfer<B> | Nack>, E, R2>
  ) =>
  <Stages, R>(self: Pipeline<Stages, A, R>): Pipeline<Stages & { readonly [K in Name]: B }, B, R | R2> =>
    add<Stages, R | R2, Name, B>(
      self,
      name,
      { ...edges(self), function: { does: "map", over: "batch" }, ...contractOf(schema) },
      {
        _tag: "MapBatch",
        f: f as (records: ReadonlyArray<unknown>) => Effect.Effect<ReadonlyArray<unknown>, unknown, R2>,
        schema: schema as Schema.Codec<unknown>
      }
    )

/** Enriches records from a table; `schema` is the record with what was found. */
export const lookup =
  <const Name extends string, B>(name: Name, schema: Schema.Codec<B, B>, table: LookupOptions) =>
  <Stages, Current, R>(
    self: Pipeline<Stages, Current, R>
  ): Pipeline<Stages & { readonly [K in Name]: B }, B, R> => {
    const { end, match, into, onMiss, take } = table
    const wire = {
      ...end.use,
      match,
      on_miss: onMiss ?? "pass_through",
      ...(into === undefined ? {} : { into }),
      ...(take === undefined ? {} : { take })
    } as Lookup
    return add(self, name, { ...edges(self), lookup: wire, ...contractOf(schema) }, checking(schema))
  }

export interface LookupOptions {
  readonly end: End<unknown>
  /** Field of the record to column of the table. */
  readonly match: Readonly<Record<string, string>>
  readonly into?: string
  readonly take?: ReadonlyArray<string>
  readonly onMiss?: "pass_through" | "drop" | "dead_letter"
}

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
  const { description, deadLetters, onUnrouted, runtime, schedule } = self.options
  return checkDefinition({
    ...defaults,
    name: self.name,
    description: description ?? "",
    schedule: schedule ?? "manual",
    stages: self.stages,
    onUnrouted: onUnrouted ?? defaults.onUnrouted,
    deadLetters: { ...defaults.deadLetters, ...deadLetters },
    runtime: { ...defaults.runtime, ...runtime }
  })
}

const defaults = Schema.decodeUnknownSync(Definition)({ name: "defaults", stages: {} })

/** Whether a value is a pipeline, as `make` and the stages build it. */
export const isPipeline = (value: unknown): value is Any<never> =>
  typeof value === "object" && value !== null && "~types" in value && value["~types"] === types

/** What a stage reads: the current stages, each by an edge that lets through what the conditions hold for. */
const edges = (self: Any, own?: Condition): { readonly from: ReadonlyArray<Edge> } => {
  const when = both(self.condition, own)
  return { from: self.current.map((stage) => (when === undefined ? { stage } : { stage, when })) }
}

const both = (first: Condition | undefined, second: Condition | undefined): Condition | undefined =>
  first === undefined || second === undefined ? (first ?? second) : { all: [first, second] }

const checking = <A>(schema: Schema.Codec<A, A>): ProgramFunction<never> => ({
  _tag: "Check",
  schema: schema as unknown as Schema.Codec<unknown>
})

const add = <Stages, R, const Name extends string, Current>(
  self: Any<R>,
  name: Name,
  stage: Stage,
  of?: ProgramFunction<R>
): Pipeline<Stages & { readonly [K in Name]: Current }, Current, R> => {
  if (Object.hasOwn(self.stages, name)) throw new DuplicateStage(self.name, name)
  return build({
    ...self,
    stages: { ...self.stages, [name]: stage },
    functions: of === undefined ? self.functions : new Map([...self.functions, [name, of]]),
    current: [name],
    condition: undefined
  })
}

/** Two stages of one name: a slip of the program's author, reported where it is made. */
export class DuplicateStage extends Error {
  constructor(pipeline: string, stage: string) {
    super(`pipeline ${pipeline} has two stages called ${stage}`)
    this.name = "DuplicateStage"
  }
}

const build = <Stages, Current, R>(
  of: Pick<Any<R>, "name" | "options" | "stages" | "functions" | "current" | "condition">
): Pipeline<Stages, Current, R> => ({
  ...Pipeable.Prototype,
  name: of.name,
  options: of.options,
  stages: of.stages,
  functions: of.functions,
  current: of.current,
  condition: of.condition,
  "~types": types as Pipeline<Stages, Current, R>["~types"]
})

const absent = (): never => {
  throw new Error("a type is not a value")
}
const types = { stages: absent, current: absent }
