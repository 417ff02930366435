/**
 * The place of sources that are read as one. A source knows places only between the batches it gives, its
 * units; so a place inside a unit is the place before it and how many of its records are taken.
 *
 * @module
 */
import { Schema } from "effect"
import { Position } from "../../../events/Checkpoint.ts"
import { own } from "../../../projections/own.ts"

/**
 * Where one source stands: at `at`, everything before it is taken (`null` is the beginning). Of the unit behind it,
 * which has `unit` records, `taken` are; both are 0 while nothing of it is. `offset` counts all records taken.
 */
const SourcePlace = Schema.Struct({
  at: Schema.NullOr(Position),
  unit: Schema.Int,
  taken: Schema.Int,
  offset: Schema.Int
})
export type SourcePlace = typeof SourcePlace.Type

/**
 * `sources` by stage, in the order of the file. The rest tells how the batch that ends here came about, so that it
 * can be read again whatever the timing was: `order` are the sources (by their index) in the order in which a record
 * was taken of each, `units` the sizes of the units that each source began to give; both as `runLengths.ts` writes them.
 */
export const MergedPosition = Schema.Struct({
  sources: Schema.Record(Schema.String, SourcePlace),
  order: Schema.String,
  units: Schema.Array(Schema.String)
})
export type MergedPosition = typeof MergedPosition.Type

const isMergedPosition = Schema.is(MergedPosition)

/** The position, if it is one of exactly these sources. */
export const mergedPosition = (
  position: Position,
  names: ReadonlyArray<string>
): MergedPosition | undefined => {
  if (!isMergedPosition(position)) return undefined
  const known = Object.keys(position.sources)
  return known.length === names.length && names.every((name) => known.includes(name)) ? position : undefined
}

/** Stages that are read as one share a name. */
export const groupName = (stages: ReadonlyArray<string>): string => stages.join("+")

/** A name of a planned source as the stages it stands for; a stage has no plus in its name. */
export const stagesOf = (name: string): ReadonlyArray<string> => name.split("+")

/**
 * The position up to which a source stage is settled, also where it is read as one with others; `null` before the
 * first. `sources` are those of a run.
 */
export const settledPosition = (
  sources: Readonly<Record<string, { readonly checkpoint: { readonly position: Position } | null }>>,
  stage: string
): Position | null => {
  const name = Object.keys(sources).find((each) => stagesOf(each).includes(stage)) ?? stage
  const position = own(sources, name)?.checkpoint?.position ?? null
  if (name === stage || !isMergedPosition(position)) return position
  return own(position.sources, stage)?.at ?? null
}
