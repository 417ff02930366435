/**
 * The stages of a definition in the order in which records meet them.
 *
 * @module
 */
import type { Definition } from "../../../events/Definition.ts"

/**
 * Topological order of the stage names, stages of equal rank as the file has them. Edges from unknown
 * stages do not count; stages on or behind a cycle come last.
 */
export const order = (definition: Definition): ReadonlyArray<string> => {
  const names = Object.keys(definition.stages)
  const next = successors(definition)
  const waiting = new Map(names.map((name) => [name, 0]))
  for (const to of next.values()) for (const name of to) waiting.set(name, waiting.get(name)! + 1)
  const sorted = names.filter((name) => waiting.get(name) === 0)
  for (let index = 0; index < sorted.length; index++) {
    for (const name of next.get(sorted[index]!)!) {
      const left = waiting.get(name)! - 1
      waiting.set(name, left)
      if (left === 0) sorted.push(name)
    }
  }
  const done = new Set(sorted)
  return [...sorted, ...names.filter((name) => !done.has(name))]
}

/** The stages behind each stage, each once. */
export const successors = (definition: Definition): ReadonlyMap<string, ReadonlySet<string>> => {
  const next = new Map(Object.keys(definition.stages).map((name) => [name, new Set<string>()]))
  for (const [name, stage] of Object.entries(definition.stages)) {
    for (const edge of stage.from ?? []) next.get(edge.stage)?.add(name)
  }
  return next
}

/** Everything that can be reached from these stages, themselves included. */
export const reach = (
  from: Iterable<string>,
  next: ReadonlyMap<string, Iterable<string>>
): ReadonlySet<string> => {
  const seen = new Set<string>()
  const open = [...from]
  for (let name = open.pop(); name !== undefined; name = open.pop()) {
    if (seen.has(name)) continue
    seen.add(name)
    open.push(...(next.get(name) ?? []))
  }
  return seen
}
