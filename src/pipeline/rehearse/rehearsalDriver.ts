/**
 * The outside world of a rehearsal: whatever driver a stage names, its end is this one. Sources give what
 * the rehearsal was given, sinks collect, lookups have its tables. Settings are not looked at, secrets are
 * not resolved.
 *
 * @module
 */
import { Deferred, Effect, Schema } from "effect"
import type { Definition } from "../../../events/Definition.ts"
import type { Driver } from "../../drivers/Driver.ts"
import type { LookupRow } from "../../drivers/Lookup.ts"
import { indexRows } from "../../drivers/memory/indexRows.ts"
import { MemorySink } from "../../drivers/memory/MemorySink.ts"
import { MemorySource } from "../../drivers/memory/MemorySource.ts"
import type { Through } from "../../drivers/memory/Through.ts"
import type { SourceRecord } from "../../drivers/Record.ts"
import { asWritten } from "./asWritten.ts"

export interface RehearsalEnds {
  /** By source stage, in the order in which they are read; a source that is left out has no records. */
  readonly given: Readonly<Record<string, ReadonlyArray<SourceRecord>>>
  /** By lookup stage. */
  readonly tables: Readonly<Record<string, ReadonlyArray<LookupRow>>>
}

export interface RehearsalDrivers {
  /** For every name that the definition uses. */
  readonly drivers: ReadonlyMap<string, Driver>
  /** Every sink that was made, by stage. */
  readonly sinks: ReadonlyMap<string, MemorySink>
}

const anySettings = Schema.Record(Schema.String, Schema.Json)

export const rehearsalDrivers = (definition: Definition, ends: RehearsalEnds): RehearsalDrivers => {
  const sinks = new Map<string, MemorySink>()
  const sourceOf = sourcesOf(definition, ends)
  const driver: Omit<Driver, "name"> = {
    class: "memory",
    guarantee: "effectively_once",
    source: { config: anySettings, make: (_, { stage }) => Effect.sync(() => sourceOf(stage)) },
    sink: {
      config: anySettings,
      make: (_, { stage }) =>
        Effect.sync(() => {
          const sink = new MemorySink(stage, straight)
          sink.encode = asWritten
          sinks.set(stage, sink)
          return sink
        })
    },
    lookup: {
      config: anySettings,
      make: (_, { stage }) =>
        Effect.succeed({
          open: (columns) => Effect.sync(() => indexRows(ends.tables[stage] ?? [], columns))
        })
    }
  }
  const drivers = new Map([...usedNames(definition)].map((name) => [name, { ...driver, name }]))
  return { drivers, sinks }
}

const straight: Through = (_operation, _name, effect) => effect

/**
 * Where sources meet as they come, nobody knows their order; in a rehearsal it is that of the sources in
 * what is given: each is read once those before it have come to their end. A merge that asks its sources in
 * an order of its own finds all of them ready.
 */
const sourcesOf = (definition: Definition, { given }: RehearsalEnds) => {
  const ended = new Map(Object.keys(given).map((name) => [name, Deferred.makeUnsafe<void>()]))
  const names = definition.merge === "arrival" ? [...ended.keys()] : []
  const cameToItsEnd = (stage: string): void => {
    const end = ended.get(stage)
    if (end !== undefined) Deferred.doneUnsafe(end, Effect.void)
  }
  return (stage: string): MemorySource => {
    const before = names.slice(0, Math.max(0, names.indexOf(stage)))
    const turn = Effect.forEach(before, (name) => Deferred.await(ended.get(name)!), { discard: true })
    const through: Through = (operation, _, effect) =>
      operation !== "source.next"
        ? effect
        : Effect.andThen(turn, effect).pipe(
            Effect.tap((batch) => Effect.sync(() => batch === null && cameToItsEnd(stage)))
          )
    const source = new MemorySource(stage, through)
    source.records = given[stage] ?? []
    return source
  }
}

/** Every `use` of the definition, wherever it stands. */
const usedNames = (definition: Definition): ReadonlySet<string> => {
  const names = new Set<string>()
  const visit = (value: unknown): void => {
    if (typeof value !== "object" || value === null) return
    const { use } = value as { readonly use?: unknown }
    if (typeof use === "string") names.add(use)
    for (const part of Object.values(value)) visit(part)
  }
  visit(definition.stages)
  visit(definition.deadLetters)
  return names
}
