/**
 * Stages that are data, as in a pipeline file: they are in the log, and need no program to run.
 *
 * @module
 */
import { Duration, Schema } from "effect"
import {
  type Condition,
  type Lookup,
  LookupAsk,
  LookupCache,
  type MapStage
} from "../../../events/Definition.ts"
import { Dedupe } from "../../../events/definition/Dedupe.ts"
import { Explode } from "../../../events/definition/Explode.ts"
import { Service } from "../../../events/definition/Service.ts"
import type { End } from "../../drivers/End.ts"
import { contractOf } from "../programContract.ts"
import { add, checking, edges, type Pipeline } from "./addStage.ts"

/** Keeps the records for which a condition holds, in CEL or as `Condition` makes it: data, so it is in the log and needs no program. */
export const filterBy =
  <const Name extends string>(name: Name, condition: Condition) =>
  <Stages, Current, R>(
    self: Pipeline<Stages, Current, R>
  ): Pipeline<Stages & { readonly [K in Name]: Current }, Current, R> =>
    add(self, name, { ...edges(self), filter: condition })

/** Makes one record of each by expressions (CEL): data, as in a pipeline file. */
export const mapBy =
  <const Name extends string, B>(name: Name, schema: Schema.Codec<B, B>, expressions: MapStage) =>
  <Stages, Current, R>(
    self: Pipeline<Stages, Current, R>
  ): Pipeline<Stages & { readonly [K in Name]: B }, B, R> =>
    add(self, name, { ...edges(self), map: expressions, ...contractOf(schema) }, checking(schema))

export interface ExplodeOptions {
  /** Where the list is: a path, joined by dots. */
  readonly field: string
  /** The record goes on with the element in this field instead of the list; without it, the element alone. */
  readonly into?: string
  /** What becomes of a record without elements; `drop` when left out. */
  readonly onEmpty?: Explode["onEmpty"]
  /** The most records one may become, 10,000 when left out; a longer list makes it a dead letter. */
  readonly limit?: number
}

/** Makes one record of each element of a list. */
export const explodeBy =
  <const Name extends string, B>(name: Name, schema: Schema.Codec<B, B>, options: ExplodeOptions) =>
  <Stages, Current, R>(
    self: Pipeline<Stages, Current, R>
  ): Pipeline<Stages & { readonly [K in Name]: B }, B, R> =>
    add(
      self,
      name,
      { ...edges(self), explode: { ...explodeDefaults, ...options }, ...contractOf(schema) },
      checking(schema)
    )

const explodeDefaults = Schema.decodeSync(Explode)({ field: "any" })

/** Lets only records through that fit the schema; the others become dead letters, or are dropped. */
export const validate =
  <const Name extends string, B>(
    name: Name,
    schema: Schema.Codec<B, B>,
    options: { readonly onInvalid?: "dead_letter" | "drop" } = {}
  ) =>
  <Stages, Current, R>(
    self: Pipeline<Stages, Current, R>
  ): Pipeline<Stages & { readonly [K in Name]: B }, B, R> =>
    add(
      self,
      name,
      {
        ...edges(self),
        validate: { contract: contractOf(schema).output ?? {}, onInvalid: options.onInvalid ?? "dead_letter" }
      },
      { _tag: "Validate", schema: schema as unknown as Schema.Codec<unknown> }
    )

export interface DedupeOptions {
  /** What records are told apart by (CEL). */
  readonly key: string
  /** The last so many keys are known; 100,000 when left out. */
  readonly remember?: number
  /** Only keys of this span of event time before a record count. */
  readonly within?: Duration.Input
}

/** Lets each record through once, by its key. */
export const dedupe =
  <const Name extends string>(name: Name, { key, remember, within }: DedupeOptions) =>
  <Stages, Current, R>(
    self: Pipeline<Stages, Current, R>
  ): Pipeline<Stages & { readonly [K in Name]: Current }, Current, R> => {
    const stage: Dedupe = {
      key,
      remember: remember ?? dedupeDefaults.remember,
      ...(within === undefined ? {} : { within: millis(within) })
    }
    return add(self, name, { ...edges(self), dedupe: stage })
  }

const millis = (duration: Duration.Input): number => Math.round(Duration.toMillis(duration))
const dedupeDefaults = Schema.decodeSync(Dedupe)({ key: "any" })

/** Enriches records from a table; `schema` is the record with what was found. */
export const lookup =
  <const Name extends string, B>(name: Name, schema: Schema.Codec<B, B>, table: LookupOptions) =>
  <Stages, Current, R>(
    self: Pipeline<Stages, Current, R>
  ): Pipeline<Stages & { readonly [K in Name]: B }, B, R> => {
    const { ask, cache, end, match, into, onMiss, take } = table
    const wire = {
      ...end.use,
      match,
      on_miss: onMiss ?? "pass_through",
      ...(table.default === undefined ? {} : { default: table.default }),
      ...(cache === undefined ? {} : { cache: { ...cacheDefaults, ...cache } }),
      ...(ask === undefined ? {} : { ask: { ...askDefaults, ...ask } }),
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
  readonly onMiss?: "pass_through" | "drop" | "dead_letter" | "default"
  /** What is taken for a row with `onMiss: "default"`. */
  readonly default?: Schema.Json
  /** What is remembered of a table that is asked; times are in milliseconds. */
  readonly cache?: Partial<LookupCache>
  /** How a table that is far away is asked; times are in milliseconds. */
  readonly ask?: Partial<LookupAsk>
}

const cacheDefaults = Schema.decodeSync(LookupCache)({})
const askDefaults = Schema.decodeSync(LookupAsk)({})

/** What a service stage says; what is left out is as in a pipeline file. Times are in milliseconds. */
export type ServiceOptions = Pick<Service, "endpoints"> & Partial<Service>

/** Has the work done by a service that is asked over HTTP; `schema` is the record as it answers it. */
export const service =
  <const Name extends string, B>(name: Name, schema: Schema.Codec<B, B>, options: ServiceOptions) =>
  <Stages, Current, R>(
    self: Pipeline<Stages, Current, R>
  ): Pipeline<Stages & { readonly [K in Name]: B }, B, R> =>
    add(
      self,
      name,
      { ...edges(self), service: { ...serviceDefaults, ...options }, ...contractOf(schema) },
      checking(schema)
    )

const serviceDefaults = Schema.decodeSync(Service)({ endpoints: [{ url: "http://any" }] })
