/**
 * The stage graph as a picture: columns from left to right, one for each step a record takes.
 *
 * @module
 */
import { toUSVString } from "node:util"
import type { Definition } from "../../events/Definition.ts"
import { columnsOf, type Edge, edgesOf, type Node, nodesOf } from "./stageGraph.ts"
import { cut } from "./terminal.ts"

/** Pixels. The width of a box fits its text: 7 pixels a character of a 12 pixel font. */
const character = 7
const box = { height: 44, gapX: 90, gapY: 24, padding: 12 }
const margin = 20
const labelCharacters = 36

interface Placed extends Node {
  readonly x: number
  readonly y: number
  readonly width: number
}

export const graphSvg = (definition: Definition): string => {
  const placed = place(definition)
  const boxes = [...placed.values()]
  const width = Math.max(0, ...boxes.map((one) => one.x + one.width)) + margin
  const height = Math.max(0, ...boxes.map((one) => one.y + box.height)) + margin
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" font-family="system-ui, sans-serif" font-size="12" role="img">`,
    `<title>${escaped(definition.name)}</title>`,
    `<defs><marker id="arrow" viewBox="0 0 8 8" refX="8" refY="4" markerWidth="8" markerHeight="8" orient="auto"><path d="M0 0L8 4L0 8z" fill="#64748b"/></marker></defs>`,
    `<rect width="100%" height="100%" fill="#ffffff"/>`,
    ...edgesOf(definition).map((edge) => drawEdge(edge, placed)),
    ...boxes.map(drawBox),
    "</svg>",
    ""
  ].join("\n")
}

/** Each stage in its column, at the mean height of what leads into it as far as there is room. */
const place = (definition: Definition): ReadonlyMap<string, Placed> => {
  const columns = columnsOf(definition)
  const edges = edgesOf(definition)
  const nodes = nodesOf(definition)
  const placed = new Map<string, Placed>()
  let x = margin
  for (let column = 0; column <= Math.max(0, ...columns.values()); column++) {
    const here = nodes
      .filter(({ name }) => columns.get(name) === column)
      .map((node) => ({ node, wanted: meanHeight(node.name, edges, placed) }))
      .sort((a, b) => a.wanted - b.wanted)
    const width = Math.max(0, ...here.map(({ node }) => widthOf(node)))
    let free = margin
    for (const { node, wanted } of here) {
      const y = Math.max(free, Math.round(wanted))
      placed.set(node.name, { ...node, x, y, width })
      free = y + box.height + box.gapY
    }
    x += width + box.gapX
  }
  return placed
}

const meanHeight = (
  name: string,
  edges: ReadonlyArray<Edge>,
  placed: ReadonlyMap<string, Placed>
): number => {
  const above = edges.flatMap(({ from, to }) => (to === name ? (placed.get(from)?.y ?? []) : []))
  return above.length === 0 ? margin : above.reduce((sum, y) => sum + y, 0) / above.length
}

const caption = ({ detail, kind }: Node): string => cut(`${kind} ${detail}`.trim(), labelCharacters)

const widthOf = (node: Node): number =>
  Math.max(node.name.length + 1, caption(node).length) * character + 2 * box.padding

const fills: Readonly<Record<string, string>> = { source: "#e0f2fe", sink: "#dcfce7", lookup: "#fef3c7" }

const drawBox = (node: Placed): string => {
  const { kind, name, width, x, y } = node
  const left = x + box.padding
  return (
    `<g><title>${escaped(`${name}: ${kind} ${node.detail}`)}</title>` +
    `<rect x="${x}" y="${y}" width="${width}" height="${box.height}" rx="6" fill="${fills[kind] ?? "#f1f5f9"}" stroke="#64748b"/>` +
    `<text x="${left}" y="${y + 18}" font-weight="600" fill="#0f172a">${escaped(name)}</text>` +
    `<text x="${left}" y="${y + 34}" fill="#475569">${escaped(caption(node))}</text></g>`
  )
}

const drawEdge = ({ from, to, when }: Edge, placed: ReadonlyMap<string, Placed>): string => {
  const [start, end] = [placed.get(from), placed.get(to)]
  if (start === undefined || end === undefined) return ""
  const [x1, y1] = [start.x + start.width, start.y + box.height / 2]
  const [x2, y2] = [end.x, end.y + box.height / 2]
  const bend = (x2 - x1) / 2
  const line = `<path d="M${x1} ${y1}C${x1 + bend} ${y1} ${x2 - bend} ${y2} ${x2} ${y2}" fill="none" stroke="#64748b" marker-end="url(#arrow)"/>`
  if (when === undefined) return line
  const text = `<text x="${(x1 + x2) / 2}" y="${(y1 + y2) / 2 - 6}" text-anchor="middle" font-size="10" fill="#334155">${escaped(cut(when, 24))}</text>`
  return `<g><title>${escaped(when)}</title>${line}${text}</g>`
}

/** Text for XML 1.0: five entities, and no character that XML does not have. */
const escaped = (text: string): string =>
  toUSVString(text)
    // biome-ignore lint/suspicious/noControlCharactersInRegex: XML has no such characters, escaped or not
    .replace(/[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]/g, "\ufffd")
    .replace(/[&<>"']/g, (found) => `&#${found.charCodeAt(0)};`)
