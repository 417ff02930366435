/**
 * Which sources are read as one.
 *
 * @module
 */
import type { Definition } from "../../../events/Definition.ts"
import { reach, successors } from "./order.ts"

/**
 * All sources, in the order of the file. Those whose records meet somewhere further on stand together, unless they
 * are merged as they arrive. What takes part in a run changes nothing: a sealed range is of the whole group.
 */
export const sourceGroups = (definition: Definition): ReadonlyArray<ReadonlyArray<string>> => {
  const sources = Object.keys(definition.stages).filter(
    (name) => definition.stages[name]!.source !== undefined
  )
  return definition.merge === "arrival" ? sources.map((name) => [name]) : meetingSources(definition, sources)
}

/** The sources of which any two are connected by stages they both lead to. */
const meetingSources = (
  definition: Definition,
  sources: ReadonlyArray<string>
): ReadonlyArray<ReadonlyArray<string>> => {
  const next = successors(definition)
  let groups: ReadonlyArray<{
    readonly members: ReadonlyArray<string>
    readonly leadTo: ReadonlySet<string>
  }> = []
  for (const name of sources) {
    const leadTo = reach([name], next)
    const meets = groups.filter((group) => !group.leadTo.isDisjointFrom(leadTo))
    const joined = {
      members: [...meets.flatMap(({ members }) => members), name].sort(
        (a, b) => sources.indexOf(a) - sources.indexOf(b)
      ),
      leadTo: meets.reduce((all, group) => all.union(group.leadTo), leadTo)
    }
    const rest = groups.filter((group) => !meets.includes(group))
    groups = [...rest, joined].sort((a, b) => sources.indexOf(a.members[0]!) - sources.indexOf(b.members[0]!))
  }
  return groups.map(({ members }) => members)
}
