/**
 * Stages that take records in behind a stage whose answers may change: a table, a service, a function of a program.
 *
 * @module
 */
import type { Definition } from "../../../events/Definition.ts"
import { reach, successors } from "../graph/order.ts"
import { reachableSinks } from "../graph/reachableSinks.ts"

/** All stages of a plan that take records in, if the way to one of them may be another one the next time. */
export interface Takers {
  /** The sinks each of them leads to. */
  readonly reaches: ReadonlyMap<string, ReadonlyArray<string>>
  /** The sinks that what comes out of a stage may reach without being taken in on its way. */
  readonly straightFrom: (stage: string) => ReadonlySet<string>
}

/** `undefined` where every attempt at a batch sends its records the same way. `only` as `compile` has it. */
export const takersOf = (definition: Definition, only: ReadonlyArray<string> | null): Takers | undefined => {
  const { stages } = definition
  const next = successors(definition)
  const takers = Object.keys(stages).filter((name) => stages[name]!.aggregate !== undefined)
  const changeable = Object.keys(stages).filter((name) => {
    const { function: mine, lookup, service } = stages[name]!
    return mine !== undefined || lookup !== undefined || service !== undefined
  })
  const behind = reach(changeable, next)
  if (!takers.some((name) => behind.has(name))) return undefined
  const reaches = reachableSinks(definition, only)
  const past = new Map(
    [...next].map(([name, to]) => [name, [...to].filter((each) => !takers.includes(each))])
  )
  return {
    reaches: new Map(takers.map((name) => [name, reaches.get(name) ?? []])),
    straightFrom: (stage) =>
      new Set([...reach([stage], past)].filter((name) => stages[name]!.sink !== undefined))
  }
}
