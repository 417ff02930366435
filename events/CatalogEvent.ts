/**
 * Which pipelines exist. The id never changes; the name may.
 *
 * @module
 */
import { Schema } from "effect"

export const CatalogEvent = Schema.TaggedUnion({
  PipelineRegistered: { id: Schema.String, name: Schema.String },
  PipelineRenamed: { id: Schema.String, name: Schema.String },
  PipelineRemoved: { id: Schema.String }
})
export type CatalogEvent = typeof CatalogEvent.Type
export const { PipelineRegistered, PipelineRenamed, PipelineRemoved } = CatalogEvent.cases

/** The one stream of the catalog. */
export const catalogStream = "catalog"
