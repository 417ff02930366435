/**
 * What is different between two states of a pipeline: where, what it was, and what it is.
 *
 * @module
 */
import type { Schema } from "effect"
import { own } from "./own.ts"
import type { PipelineState } from "./PipelineState.ts"

/**
 * One difference. `path` is a JSON pointer (RFC 6901) into the state; an open batch is named by its ordinal,
 * because its place in the list changes with every batch that leaves, and so is what a batch leaves behind. `before` is absent for what is new,
 * `after` for what is gone; a whole part that came or went is one difference.
 */
export interface Difference {
  readonly path: string
  readonly before?: Schema.Json
  readonly after?: Schema.Json
}

/** The differences in the order of the state's fields. As many as the states have parts, however long the history. */
export const diff = (before: PipelineState, after: PipelineState): ReadonlyArray<Difference> => {
  const found: Array<Difference> = []
  compare(byOrdinal(before), byOrdinal(after), "", found)
  return found
}

/** The differences of two JSON values, in the same way. */
export const differences = (before: Schema.Json, after: Schema.Json): ReadonlyArray<Difference> => {
  const found: Array<Difference> = []
  compare(before, after, "", found)
  return found
}

const byOrdinal = (state: PipelineState): Schema.Json =>
  ({
    ...state,
    open: ordinals(state.open),
    ...(state.run?.memory === undefined
      ? {}
      : { run: { ...state.run, memory: { ...state.run.memory, later: ordinals(state.run.memory.later) } } })
  }) as unknown as Schema.Json

const ordinals = <Batch extends { readonly batch: number }>(batches: ReadonlyArray<Batch>) =>
  Object.fromEntries(batches.map((batch) => [String(batch.batch), batch]))

type Fields = Readonly<Record<string, Schema.Json>>

const compare = (
  before: Schema.Json | undefined,
  after: Schema.Json | undefined,
  path: string,
  found: Array<Difference>
): void => {
  // What an event did not touch is the same object.
  if (before === after) return
  const [was, is] = [fieldsOf(before), fieldsOf(after)]
  if (was === undefined || is === undefined) {
    if (before !== undefined && after !== undefined && isSame(before, after)) return
    found.push({
      path,
      ...(before === undefined ? {} : { before }),
      ...(after === undefined ? {} : { after })
    })
    return
  }
  for (const name of new Set([...Object.keys(was), ...Object.keys(is)])) {
    compare(own(was, name), own(is, name), `${path}/${escaped(name)}`, found)
  }
}

/** What is compared field by field: objects, and lists of objects by their index. Other lists are one value. */
const fieldsOf = (value: Schema.Json | undefined): Fields | undefined => {
  if (typeof value !== "object" || value === null) return undefined
  if (!Array.isArray(value)) return value as Fields
  return value.length > 0 && value.every((item) => typeof item === "object" && item !== null)
    ? Object.fromEntries(value.map((item, index) => [String(index), item as Schema.Json]))
    : undefined
}

const isSame = (before: Schema.Json, after: Schema.Json): boolean =>
  JSON.stringify(before) === JSON.stringify(after)

const escaped = (name: string): string => name.replaceAll("~", "~0").replaceAll("/", "~1")
