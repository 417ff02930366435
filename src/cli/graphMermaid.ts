/**
 * The stage graph as a Mermaid flowchart (https://mermaid.js.org/syntax/flowchart.html).
 *
 * @module
 */
import type { Definition } from "../../events/Definition.ts"
import { deadLettersOf, edgesOf, type Node, nodesOf, unroutedOf } from "./stageGraph.ts"
import { cut } from "./terminal.ts"

/** Characters of a label; a longer one makes a picture nobody can read. */
const labelCharacters = 60

export const graphMermaid = (definition: Definition): string => {
  const nodes = nodesOf(definition)
  const ids = new Map(nodes.map(({ name }, index) => [name, `s${index}`]))
  const letters = deadLettersOf(definition)
  const unrouted = unroutedOf(definition)
  return [
    "flowchart LR",
    ...nodes.map((node) => box(ids.get(node.name)!, node)),
    ...edgesOf(definition).map(({ from, to, when }) => {
      const arrow = when === undefined ? "-->" : `-->|"${quoted(when)}"|`
      return `  ${ids.get(from) ?? "unknown"} ${arrow} ${ids.get(to)}`
    }),
    ...(letters === undefined ? [] : [box("letters", letters), "  style letters stroke-dasharray: 4 3"]),
    ...(unrouted === undefined || definition.onUnrouted !== "drop"
      ? []
      : [`  unrouted["${quoted(unrouted)}"]`]),
    ...classes(nodes, ids),
    ""
  ].join("\n")
}

const box = (id: string, { detail, kind, name, notes }: Node): string => {
  const text = [`<b>${quoted(name)}</b>`, quoted(`${kind} ${detail}`.trim()), ...notes.map(quoted)].join(
    "<br/>"
  )
  const [open, close] = shapes[kind] ?? ["[", "]"]
  return `  ${id}${open}"${text}"${close}`
}

/** Ends are stores, stages that keep some records back are gates. */
const shapes: Readonly<Record<string, readonly [string, string]>> = {
  source: ["[(", ")]"],
  sink: ["[(", ")]"],
  filter: ["{{", "}}"],
  validate: ["{{", "}}"],
  dedupe: ["{{", "}}"],
  service: ["([", "])"]
}

const colours: ReadonlyArray<readonly [string, string, ReadonlyArray<string>]> = [
  ["#f0f9ff", "#0284c7", ["source"]],
  ["#f0fdf4", "#16a34a", ["sink"]],
  ["#fffbeb", "#d97706", ["filter", "validate", "dedupe"]],
  ["#fdf4ff", "#c026d3", ["lookup", "service"]],
  ["#fef2f2", "#dc2626", ["aggregate"]]
]

const classes = (nodes: ReadonlyArray<Node>, ids: ReadonlyMap<string, string>): ReadonlyArray<string> =>
  colours.flatMap(([fill, stroke, kinds]) => {
    const found = nodes.filter(({ kind }) => kinds.includes(kind)).map(({ name }) => ids.get(name))
    const name = kinds[0]!
    return found.length === 0
      ? []
      : [
          `  classDef ${name} fill:${fill},stroke:${stroke},color:#0f172a`,
          `  class ${found.join(",")} ${name}`
        ]
  })

/** Mermaid has no escapes but HTML's numeric entities, written with # for &. */
const quoted = (text: string): string =>
  cut(text, labelCharacters).replace(
    /[^\p{L}\p{N} .,:/_+*=()-]/gu,
    (character) => `#${character.codePointAt(0)};`
  )
