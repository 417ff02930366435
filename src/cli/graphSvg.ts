/**
 * The stage graph as a picture: columns from left to right, one for each step a record takes.
 *
 * @module
 */
import { toUSVString } from "node:util"
import type { Definition } from "../../events/Definition.ts"
import { type Box, type Line, layoutOf, type Size } from "./graphLayout.ts"
import { deadLettersOf, type Edge, edgesOf, type Node, nodesOf, unroutedOf } from "./stageGraph.ts"
import { cut } from "./terminal.ts"

const margin = 24
const padding = 14
/** Pixels of a character, on the generous side: fonts differ, and a text must fit its box in each of them. */
const wide = { name: 8, kind: 6.5, detail: 6.8, note: 6.4, when: 6.2 }
/** Pixels between two lines of text. */
const leading = 16
const most = { name: 40, detail: 44, note: 48, when: 34 }

export const graphSvg = (definition: Definition): string => {
  const nodes = nodesOf(definition)
  const edges = edgesOf(definition)
  const layout = layoutOf(
    definition,
    edges,
    new Map(nodes.map((node) => [node.name, sizeOf(node)])),
    whenSize
  )
  const head = headOf(definition)
  const foot = footOf(definition)
  const top = margin + head.height
  const footAt = layout.height + 30
  const width = Math.ceil(Math.max(layout.width, head.width, foot.width) + 2 * margin)
  const height = Math.ceil(top + layout.height + (foot.height === 0 ? 0 : 30 + foot.height) + margin)
  const boxOf = (node: Node) => layout.boxes.get(node.name)!
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" font-family="system-ui, -apple-system, 'Segoe UI', Roboto, 'DejaVu Sans', sans-serif" font-size="12" role="img">`,
    `<title>${escaped(definition.name)}</title>`,
    `<defs><marker id="arrow" viewBox="0 0 8 8" refX="7.5" refY="4" markerWidth="8" markerHeight="8" orient="auto"><path d="M0 0.5L8 4L0 7.5z" fill="#64748b"/></marker></defs>`,
    `<rect width="100%" height="100%" fill="#ffffff"/>`,
    `<g transform="translate(${margin} ${margin})">${head.drawn}</g>`,
    `<g transform="translate(${margin} ${top})">`,
    ...layout.lines.map(drawLine),
    ...layout.lines.flatMap(drawWhen),
    ...nodes.map((node) => drawBox(node, boxOf(node))),
    "</g>",
    ...(foot.height === 0 ? [] : [`<g transform="translate(${margin} ${top + footAt})">${foot.drawn}</g>`]),
    "</svg>",
    ""
  ].join("\n")
}

/** East Asian characters and pictures take the place of two. */
const lengthOf = (text: string): number => {
  let length = 0
  for (const character of text)
    length += /[\u1100-\u{10ffff}]/u.test(character) && !/[\u2000-\u2bff]/u.test(character) ? 2 : 1
  return length
}

const textWidth = (text: string, style: keyof typeof wide): number => lengthOf(text) * wide[style]

const nameOf = ({ name }: Node): string => cut(name, most.name)
const detailOf = ({ detail }: Node): string => cut(detail, most.detail)
const notesOf = ({ notes }: Node): ReadonlyArray<string> => notes.map((note) => cut(note, most.note))

const sizeOf = (node: Node): Size => ({
  width: Math.ceil(
    2 * padding +
      Math.max(
        textWidth(nameOf(node), "name") + 16 + textWidth(node.kind, "kind"),
        textWidth(detailOf(node), "detail"),
        ...notesOf(node).map((note) => textWidth(note, "note"))
      )
  ),
  height: 32 + (node.detail === "" ? 0 : leading) + node.notes.length * leading
})

/** The words of an edge: one line above it, and what does not fit there below it. */
const whenLines = (when: string): ReadonlyArray<string> => {
  if (lengthOf(when) <= most.when) return [when]
  const joint = Math.max(
    ...[" and ", " or ", " && ", " || "].map((word) => when.lastIndexOf(word, most.when))
  )
  const space = when.lastIndexOf(" ", most.when)
  const end = joint > 0 ? joint : space < most.when / 2 ? most.when : space
  return [when.slice(0, end), cut(when.slice(end).trimStart(), most.when)]
}

const whenSize = ({ when }: Edge): Size => {
  if (when === undefined) return { width: 0, height: 0 }
  const lines = whenLines(when)
  return {
    width: Math.ceil(Math.max(...lines.map((each) => textWidth(each, "when")))) + 8,
    height: lines.length === 1 ? 20 : 38
  }
}

interface Part extends Size {
  readonly drawn: string
}

const headOf = ({ description, name }: Definition): Part => {
  const words = cut(description.split("\n")[0] ?? "", 110)
  const title = `<text y="12" font-size="16" font-weight="700" fill="#0f172a">${escaped(name)}</text>`
  const below = words === "" ? "" : `<text y="31" fill="#64748b">${escaped(words)}</text>`
  return {
    drawn: title + below,
    width: Math.max(lengthOf(name) * 10.5, lengthOf(words) * wide.detail),
    height: words === "" ? 32 : 52
  }
}

/** What belongs to no edge: where dead letters go, and what becomes of what no edge takes. */
const footOf = (definition: Definition): Part => {
  const letters = deadLettersOf(definition)
  const unrouted = unroutedOf(definition)
  const size = letters === undefined ? { width: 0, height: 0 } : sizeOf(letters)
  const beside = size.width === 0 ? 0 : size.width + 18
  const words = unrouted === undefined ? "" : unrouted
  return {
    drawn:
      (letters === undefined ? "" : drawBox(letters, { x: 0, y: 0, ...size }, "4 3")) +
      (words === ""
        ? ""
        : `<text x="${beside}" y="${size.height === 0 ? 12 : size.height / 2 + 4}" fill="#64748b" font-style="italic">${escaped(words)}</text>`),
    width: beside + textWidth(words, "detail"),
    height: Math.max(size.height, words === "" ? 0 : 16)
  }
}

/** By kind: a light ground and the colour of its edge and name. */
const colours: Readonly<Record<string, readonly [string, string]>> = {
  source: ["#f0f9ff", "#0284c7"],
  sink: ["#f0fdf4", "#16a34a"],
  filter: ["#fffbeb", "#d97706"],
  dedupe: ["#fffbeb", "#d97706"],
  validate: ["#fffbeb", "#d97706"],
  lookup: ["#fdf4ff", "#c026d3"],
  service: ["#fdf4ff", "#c026d3"],
  aggregate: ["#fef2f2", "#dc2626"]
}
const otherColours = ["#f8fafc", "#475569"] as const

const drawBox = (node: Node, { height, width, x, y }: Box, dashes?: string): string => {
  const [ground, colour] = colours[node.kind] ?? otherColours
  const lines = [
    `<text x="${x + padding}" y="0" font-size="13" font-weight="600" fill="#0f172a">${escaped(nameOf(node))}</text><text x="${x + width - padding}" y="0" text-anchor="end" font-size="11" fill="${colour}">${escaped(node.kind)}</text>`,
    ...(node.detail === ""
      ? []
      : [`<text x="${x + padding}" y="0" fill="#334155">${escaped(detailOf(node))}</text>`]),
    ...notesOf(node).map(
      (note) => `<text x="${x + padding}" y="0" font-size="11" fill="#64748b">${escaped(note)}</text>`
    )
  ]
  // A box that many edges end in is higher than its text, which then stands in the middle.
  const first = y + height / 2 - ((lines.length - 1) * leading) / 2 + 4
  const texts = lines.map((line, at) => line.replaceAll(' y="0"', ` y="${first + at * leading}"`))
  const told = [node.kind, node.detail, ...node.notes].filter((each) => each !== "").join(", ")
  const dashed = dashes === undefined ? "" : ` stroke-dasharray="${dashes}"`
  return (
    `<g><title>${escaped(`${node.name}: ${told}`)}</title>` +
    `<rect x="${x}" y="${y}" width="${width}" height="${height}" rx="7" fill="${ground}" stroke="${colour}" stroke-opacity="0.55"${dashed}/>` +
    `${texts.join("")}</g>`
  )
}

const drawLine = ({ legs, start }: Line): string => {
  let { x, y } = start
  let path = `M${x} ${y}`
  for (const { bend, end, y: next } of legs) {
    const half = (bend - x) / 2
    path += next === y ? `H${end}` : `C${x + half} ${y} ${bend - half} ${next} ${bend} ${next}H${end}`
    x = end
    y = next
  }
  return `<path d="${path}" fill="none" stroke="#94a3b8" stroke-width="1.3" marker-end="url(#arrow)"/>`
}

const drawWhen = ({ edge: { when }, legs }: Line): ReadonlyArray<string> => {
  const last = legs.at(-1)
  if (when === undefined || last === undefined) return []
  const texts = whenLines(when).map(
    (text, at) =>
      `<text x="${last.bend + 2}" y="${last.y + (at === 0 ? -5 : 13)}" font-size="11" fill="#334155">${escaped(text)}</text>`
  )
  return [`<g><title>${escaped(when)}</title>${texts.join("")}</g>`]
}

/** Text for XML 1.0: five entities, and no character that XML does not have. */
const escaped = (text: string): string =>
  toUSVString(text)
    // biome-ignore lint/suspicious/noControlCharactersInRegex: XML has no such characters, escaped or not
    .replace(/[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]/g, "\ufffd")
    .replace(/[&<>"']/g, (found) => `&#${found.charCodeAt(0)};`)
