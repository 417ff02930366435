/**
 * Stages whose work is a function of the program.
 *
 * @module
 */
import type { Effect, Schema } from "effect"
import type { Nack, Retry } from "../../flow/Nack.ts"
import type { Worker } from "../../flow/Worker.ts"
import { contractOf } from "../programContract.ts"
import { add, edges, type Pipeline } from "./addStage.ts"

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

/**
 * Makes many records of one. They are that record still: it is settled when all of them are, and if one fails,
 * its dead letter holds the record whole. Of none it is filtered; beyond `limit` (default 10,000) it is a dead letter.
 */
export const explode =
  <const Name extends string, A, B>(
    name: Name,
    schema: Schema.Codec<B, B>,
    f: (record: A) => Iterable<NoInfer<B>>,
    options: { readonly limit?: number } = {}
  ) =>
  <Stages, R>(self: Pipeline<Stages, A, R>): Pipeline<Stages & { readonly [K in Name]: B }, B, R> =>
    add(
      self,
      name,
      { ...edges(self), function: { does: "explode", over: "record" }, ...contractOf(schema) },
      {
        _tag: "Explode",
        f: f as (record: unknown) => Iterable<unknown>,
        schema: schema as Schema.Codec<unknown>,
        limit: options.limit ?? 10_000
      }
    )

/**
 * Makes one record of each with an effect. What it fails with is the reason of a dead letter; with `retry` it
 * asks to be asked again. A `DriverError` speaks of a system, not of the record: it is tried again, and then
 * stops the run; a defect ends it. Up to `concurrency` (default 16) are under way at once, and order is kept.
 */
export const mapEffect =
  <const Name extends string, A, B, R2>(
    name: Name,
    schema: Schema.Codec<B, B>,
    f: (record: A) => Effect.Effect<NoInfer<B>, unknown, R2>,
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
 * Makes records of a whole batch with one effect: exactly one answer for each record, in order: the new
 * record, a `nack` with the reason, or a `retry`, and then only these records are given to it again. What the
 * effect fails with holds for all of them.
 */
export const mapBatch =
  <const Name extends string, A, B, R2>(
    name: Name,
    schema: Schema.Codec<B, B>,
    f: (records: ReadonlyArray<A>) => Effect.Effect<ReadonlyArray<NoInfer<B> | Nack | Retry>, unknown, R2>
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

/**
 * A stage of the program's own: its worker is opened with the run, given one batch after the other, told when
 * no more will follow, and closed.
 */
export const custom =
  <const Name extends string, A, B, R2>(
    name: Name,
    schema: Schema.Codec<B, B>,
    worker: Worker<A, NoInfer<B>, R2>
  ) =>
  <Stages, R>(self: Pipeline<Stages, A, R>): Pipeline<Stages & { readonly [K in Name]: B }, B, R | R2> =>
    add<Stages, R | R2, Name, B>(
      self,
      name,
      { ...edges(self), function: { does: "custom", over: "batch" }, ...contractOf(schema) },
      {
        _tag: "Custom",
        worker: worker as unknown as Worker<unknown, unknown, R2>,
        schema: schema as Schema.Codec<unknown>
      }
    )
