/**
 * The stage graph as a Mermaid flowchart (https://mermaid.js.org/syntax/flowchart.html).
 *
 * @module
 */
import type { Definition } from "../../events/Definition.ts"
import { edgesOf, nodesOf } from "./stageGraph.ts"
import { cut } from "./terminal.ts"

/** Characters of a label; a longer one makes a picture nobody can read. */
const labelCharacters = 60

export const graphMermaid = (definition: Definition): string => {
  const nodes = nodesOf(definition)
  const ids = new Map(nodes.map(({ name }, index) => [name, `s${index}`]))
  return [
    "flowchart LR",
    ...nodes.map(({ detail, kind, name }) => {
      const text = [`<b>${quoted(name)}</b>`, quoted(`${kind} ${detail}`.trim())].join("<br/>")
      const [open, close] = kind === "source" || kind === "sink" ? ["[(", ")]"] : ["[", "]"]
      return `  ${ids.get(name)}${open}"${text}"${close}`
    }),
    ...edgesOf(definition).map(({ from, to, when }) => {
      const arrow = when === undefined ? "-->" : `-->|"${quoted(when)}"|`
      return `  ${ids.get(from) ?? "unknown"} ${arrow} ${ids.get(to)}`
    }),
    ""
  ].join("\n")
}

/** Mermaid has no escapes but HTML's numeric entities, written with # for &. */
const quoted = (text: string): string =>
  cut(text, labelCharacters).replace(
    /[^\p{L}\p{N} .,:/_+*=()-]/gu,
    (character) => `#${character.codePointAt(0)};`
  )
