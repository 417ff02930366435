/**
 * The stage graph as a tree of text.
 *
 * @module
 */
import type { Definition } from "../../events/Definition.ts"
import { deadLettersOf, edgesOf, type Node, nodesOf, unroutedOf } from "./stageGraph.ts"
import { shown } from "./terminal.ts"

/** Every source with what follows it. A stage that several lead into is drawn once, and named after that. */
export const graphText = (definition: Definition): string => {
  const nodes = new Map(nodesOf(definition).map((node) => [node.name, node]))
  const edges = edgesOf(definition)
  const drawn = new Set<string>()
  const lines: Array<string> = [definition.name]

  const label = (name: string, when: string | undefined): string => {
    const node = nodes.get(name)
    const condition = when === undefined ? "" : `[${shown(when)}] `
    if (node === undefined) return `${condition}${name} (unknown)`
    if (drawn.has(name)) return `${condition}${name} (see above)`
    return `${condition}${wordsOf(node)}`
  }
  const draw = (name: string, when: string | undefined, lead: string, branch: string): void => {
    lines.push(`${lead}${branch}${label(name, when)}`)
    if (drawn.has(name)) return
    drawn.add(name)
    const below = edges.filter((edge) => edge.from === name)
    const indent = branch === "" ? "" : branch.startsWith("└") ? "   " : "│  "
    below.forEach((edge, index) => {
      draw(edge.to, edge.when, lead + indent, index === below.length - 1 ? "└─ " : "├─ ")
    })
  }
  const entries = [...nodes.keys()].filter((name) => !edges.some((edge) => edge.to === name))
  for (const name of entries) draw(name, undefined, "", "")
  const letters = deadLettersOf(definition)
  const unrouted = unroutedOf(definition)
  if (letters !== undefined) lines.push(wordsOf(letters))
  // What the default does needs no words here.
  if (unrouted !== undefined && definition.onUnrouted === "drop") lines.push(`(${unrouted})`)
  return `${lines.join("\n")}\n`
}

const wordsOf = ({ detail, kind, name, notes }: Node): string =>
  [
    `${name}  ${kind}`,
    ...(detail === "" ? [] : [shown(detail)]),
    ...notes.map((note) => `(${shown(note)})`)
  ].join(" ")
