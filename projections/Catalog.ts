/**
 * Which pipelines exist, by name and by id. Names are unique; an id is for ever.
 *
 * @module
 */
import type { CatalogEvent } from "../events/CatalogEvent.ts"

export interface Catalog {
  /** Name by id, in the order of registration. */
  readonly names: Readonly<Record<string, string>>
}

export const initial: Catalog = { names: {} }

export const evolve = (catalog: Catalog, event: CatalogEvent): Catalog => {
  switch (event._tag) {
    case "PipelineRegistered":
    case "PipelineRenamed":
      return { names: { ...catalog.names, [event.id]: event.name } }
    case "PipelineRemoved": {
      const { [event.id]: _, ...names } = catalog.names
      return { names }
    }
  }
}

/** The id behind a name, `undefined` when there is none. */
export const idOf = (catalog: Catalog, name: string): string | undefined =>
  Object.keys(catalog.names).find((id) => catalog.names[id] === name)
