/**
 * Which stages of a case lead where.
 *
 * @module
 */
import type { Case, Node } from "./Case.ts"

export const nodeOf = (of: Case, name: string): Node => of.nodes.find((node) => node.name === name)!

const stagesFrom = (of: Case, name: string): ReadonlySet<string> => {
  const seen = new Set([name])
  for (const at of seen) for (const { to } of nodeOf(of, at).edges) seen.add(to)
  return seen
}

/** The sinks that can be reached from a stage, whatever the conditions say. */
export const sinksFrom = (of: Case, name: string): ReadonlyArray<string> => {
  const seen = stagesFrom(of, name)
  return of.nodes.flatMap((node) => (node.does.kind === "sink" && seen.has(node.name) ? [node.name] : []))
}

/** The sources that are read as one, by the name of all of them, where a case says so; else each is alone. */
export const groupsOf = (of: Case): ReadonlyMap<string, ReadonlyArray<string>> => {
  const sources = of.nodes.flatMap(({ does, name }) => (does.kind === "source" ? [name] : []))
  const behind = new Map(sources.map((source) => [source, stagesFrom(of, source)]))
  let groups: ReadonlyArray<ReadonlyArray<string>> = []
  for (const source of sources) {
    const meets = (group: ReadonlyArray<string>) =>
      group.some((other) => [...behind.get(source)!].some((stage) => behind.get(other)!.has(stage)))
    const met = of.merge === "arrival" ? [] : groups.filter(meets)
    groups = [...groups.filter((group) => !met.includes(group)), [...met.flat(), source]]
  }
  return new Map(
    groups.map((group) => {
      const inOrder = sources.filter((source) => group.includes(source))
      return [inOrder.join("+"), inOrder]
    })
  )
}
