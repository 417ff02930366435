/**
 * Which pipelines exist, by name and by id. Names are unique; an id is for ever.
 *
 * @module
 */
import { HashMap, Option } from "effect"
import type { CatalogEvent } from "../events/CatalogEvent.ts"

export interface Registered {
  readonly id: string
  readonly name: string
  /** Counts registrations: the order pipelines are listed in. */
  readonly ordinal: number
}

/** Persistent maps: a log with ten thousand pipelines is folded without copying ten thousand names each time. */
export interface Catalog {
  readonly byId: HashMap.HashMap<string, Registered>
  readonly ids: HashMap.HashMap<string, string>
  /** How many there have ever been. */
  readonly registrations: number
}

export const initial: Catalog = { byId: HashMap.empty(), ids: HashMap.empty(), registrations: 0 }

export const evolve = (catalog: Catalog, event: CatalogEvent): Catalog => {
  switch (event._tag) {
    case "PipelineRegistered":
    case "PipelineRenamed":
      return named(catalog, event)
    case "PipelineRemoved":
      return { ...withoutName(catalog, event.id), byId: HashMap.remove(catalog.byId, event.id) }
  }
}

/** The id behind a name, `undefined` when there is none. */
export const idOf = (catalog: Catalog, name: string): string | undefined =>
  Option.getOrUndefined(HashMap.get(catalog.ids, name))

/** All there are, in the order of registration. */
export const list = (catalog: Catalog): ReadonlyArray<Registered> =>
  HashMap.toValues(catalog.byId).sort((a, b) => a.ordinal - b.ordinal)

const named = (catalog: Catalog, { id, name }: { readonly id: string; readonly name: string }): Catalog => {
  const known = Option.getOrUndefined(HashMap.get(catalog.byId, id))
  const { ids } = withoutName(catalog, id)
  return {
    byId: HashMap.set(catalog.byId, id, { id, name, ordinal: known?.ordinal ?? catalog.registrations }),
    ids: HashMap.set(ids, name, id),
    registrations: catalog.registrations + (known === undefined ? 1 : 0)
  }
}

/** A name that is given up is free, unless somebody else has it by now. */
const withoutName = (catalog: Catalog, id: string): Catalog => {
  const known = Option.getOrUndefined(HashMap.get(catalog.byId, id))
  return known === undefined || idOf(catalog, known.name) !== id
    ? catalog
    : { ...catalog, ids: HashMap.remove(catalog.ids, known.name) }
}
