/**
 * Where records may end.
 *
 * @module
 */
import type { Definition } from "../../../events/Definition.ts"
import { reach, successors } from "./order.ts"

/** For every stage the sinks that can be reached from it, itself included, in the order of the file; with `only`, of these. */
export const reachableSinks = (
  definition: Definition,
  only: ReadonlyArray<string> | null = null
): ReadonlyMap<string, ReadonlyArray<string>> => {
  const names = Object.keys(definition.stages)
  const next = successors(definition)
  const sinks = names.filter(
    (name) => definition.stages[name]!.sink !== undefined && only?.includes(name) !== false
  )
  return new Map(
    names.map((name) => {
      const reached = reach([name], next)
      return [name, sinks.filter((sink) => reached.has(sink))]
    })
  )
}
