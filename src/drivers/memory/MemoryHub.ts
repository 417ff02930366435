/**
 * Sources, sinks and tables that live in this process, for tests, demos and simulation.
 *
 * The hub outlives what is opened in it, as a database outlives its connections: a pipeline can be
 * killed and started again on the same hub, and a writer of an older epoch can still be used to see
 * that it does no harm. Sinks name the winner: the first attempt to take a key keeps it.
 *
 * @module
 */
import { Effect, Schema } from "effect"
import type { Driver, DriverContext } from "../Driver.ts"
import { DriverError } from "../DriverError.ts"
import type { Lookup, LookupRow } from "../Lookup.ts"
import type { SourceRecord } from "../Record.ts"
import { indexRows } from "./indexRows.ts"
import { MemorySink } from "./MemorySink.ts"
import { MemorySource } from "./MemorySource.ts"
import { MemoryTable } from "./MemoryTable.ts"
import type { MemoryOperation, Through } from "./Through.ts"

/**
 * One call of one end, seen before it has its effect or after it. `ordinal` counts the calls of this
 * operation on this end from 0.
 */
export interface MemoryCall {
  readonly operation: MemoryOperation
  readonly name: string
  readonly phase: "before" | "after"
  readonly ordinal: number
}

/**
 * Stands between a pipeline and every call: it may let it pass, delay it (`Effect.sleep`), fail it, or
 * kill whoever called. Failing `after` is the time-out whose request landed.
 */
export type Interpose = (call: MemoryCall) => Effect.Effect<void, DriverError>

export interface MemoryHub {
  readonly driver: Driver
  readonly sources: ReadonlyMap<string, MemorySource>
  readonly sinks: ReadonlyMap<string, MemorySink>
  /** Replaces what a source holds with these payloads. */
  source(name: string, payloads: ReadonlyArray<unknown>): MemorySource
  /** The same, with keys, event times, failures. */
  sourceOf(name: string, records: ReadonlyArray<SourceRecord>): MemorySource
  /** The sink of this name, made when first asked for. */
  sink(name: string): MemorySink
  /** A table that is held in memory: whoever opens it has it as it is then. */
  lookup(name: string, rows: ReadonlyArray<LookupRow>): void
  /** A table that is asked, call by call (`lookup.find`), and can be late, fail and change. */
  remoteLookup(name: string, rows: ReadonlyArray<LookupRow>): MemoryTable
  /** From now on every call goes through this; without an argument, none does. */
  interpose(interpose?: Interpose): void
  /** Every call so far, in order. */
  readonly calls: ReadonlyArray<MemoryCall>
}

const MemoryConfig = Schema.Struct({ name: Schema.NonEmptyString })

export const makeMemoryHub = (): MemoryHub => {
  const sources = new Map<string, MemorySource>()
  const sinks = new Map<string, MemorySink>()
  const lookups = new Map<string, Lookup>()
  const calls: Array<MemoryCall> = []
  const counts = new Map<string, number>()
  let standing: Interpose = () => Effect.void

  const pass = (call: MemoryCall) =>
    Effect.suspend(() => {
      calls.push(call)
      return standing(call)
    })
  const through: Through = (operation, name, effect) =>
    Effect.suspend(() => {
      const ordinal = counts.get(`${operation} ${name}`) ?? 0
      counts.set(`${operation} ${name}`, ordinal + 1)
      const call = { operation, name, ordinal }
      return pass({ ...call, phase: "before" }).pipe(
        Effect.andThen(effect),
        Effect.tap(() => pass({ ...call, phase: "after" }))
      )
    })

  const sourceOf: MemoryHub["sourceOf"] = (name, records) => {
    const source = sources.get(name) ?? new MemorySource(name, through)
    sources.set(name, source)
    source.records = records
    return source
  }
  const sink: MemoryHub["sink"] = (name) => {
    const known = sinks.get(name) ?? new MemorySink(name, through)
    sinks.set(name, known)
    return known
  }
  const found = <A>(kind: string, of: ReadonlyMap<string, A>, name: string) =>
    Effect.suspend(() => {
      const end = of.get(name)
      return end === undefined ? Effect.fail(unknown(kind, name, of)) : Effect.succeed(end)
    })
  const resource = (config: typeof MemoryConfig.Type, _context: DriverContext) => `memory:${config.name}`

  return {
    sources,
    sinks,
    calls,
    sourceOf,
    source: (name, payloads) =>
      sourceOf(
        name,
        payloads.map((payload) => ({ payload, metadata: {} }))
      ),
    sink,
    lookup: (name, rows) =>
      lookups.set(name, { open: (columns) => Effect.sync(() => indexRows(rows, columns)) }),
    remoteLookup: (name, rows) => {
      const table = new MemoryTable(name, rows, through)
      lookups.set(name, { open: (columns) => Effect.sync(() => table.open(columns)) })
      return table
    },
    interpose: (interpose) => {
      standing = interpose ?? (() => Effect.void)
    },
    driver: {
      name: "memory",
      class: "memory",
      guarantee: "effectively_once",
      source: { config: MemoryConfig, resource, make: ({ name }) => found("source", sources, name) },
      sink: { config: MemoryConfig, resource, make: ({ name }) => Effect.sync(() => sink(name)) },
      lookup: { config: MemoryConfig, make: ({ name }) => found("lookup", lookups, name) }
    }
  }
}

const unknown = (kind: string, name: string, known: ReadonlyMap<string, unknown>) =>
  new DriverError({
    driver: "memory",
    operation: "open",
    reason: {
      _tag: "Misconfigured",
      code: "unknown_memory_name",
      message: `this process holds no ${kind} named ${name}`,
      suggestion:
        known.size === 0 ? `fill the hub's ${kind} first` : `it holds ${[...known.keys()].join(", ")}`
    }
  })

/**
 * Fails the call of an operation whose ordinal is `nth`, once. `before`: nothing happened; `after`: it
 * did, and the caller cannot know.
 */
export const failOnce = (fault: {
  readonly operation: MemoryOperation
  readonly nth: number
  readonly phase: MemoryCall["phase"]
  readonly name?: string
}): Interpose => {
  let armed = true
  return (call) => {
    const hit =
      armed &&
      call.operation === fault.operation &&
      call.ordinal === fault.nth &&
      call.phase === fault.phase &&
      (fault.name === undefined || fault.name === call.name)
    if (!hit) return Effect.void
    armed = false
    return Effect.fail(
      new DriverError({
        driver: "memory",
        operation: call.operation,
        reason:
          call.phase === "before"
            ? { _tag: "Unavailable", code: "injected", message: `${call.operation} failed as told` }
            : { _tag: "Timeout", code: "injected", message: `${call.operation} was not answered, as told` }
      })
    )
  }
}
