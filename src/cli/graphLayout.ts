/**
 * Where the boxes and lines of a stage graph stand: columns from left to right, few crossings, nothing on
 * top of anything else.
 *
 * An edge over several columns passes through each of them at a place of its own. Between two columns lines
 * bend in a first strip and run straight in a second one, where the words of an edge stand above its line.
 *
 * @module
 */
import { arrange } from "./graphArrange.ts"
import { columnsOf, type Edge } from "./stageGraph.ts"

export interface Size {
  readonly width: number
  readonly height: number
}

/** A box and its top left corner, in pixels. */
export interface Box extends Size {
  readonly x: number
  readonly y: number
}

/** A line: it begins at `start`, bends to the height of each leg up to `bend`, and runs straight to `end`. */
export interface Line {
  readonly edge: Edge
  readonly start: { readonly x: number; readonly y: number }
  readonly legs: ReadonlyArray<{ readonly bend: number; readonly end: number; readonly y: number }>
}

export interface Layout {
  readonly boxes: ReadonlyMap<string, Box>
  readonly lines: ReadonlyArray<Line>
  readonly width: number
  readonly height: number
}

/** A box, or a place at which an edge passes through a column. */
export interface Item {
  readonly column: number
  readonly height: number
  readonly name: string | undefined
}

/** Items by id, and which of them are joined, from left to right. */
export interface Grid {
  readonly columns: ReadonlyArray<Array<number>>
  readonly items: ReadonlyArray<Item>
  readonly before: ReadonlyArray<ReadonlyArray<number>>
  readonly after: ReadonlyArray<ReadonlyArray<number>>
}

/** Pixels: between lines that end in one box, around a passing line, for bends, in front of an arrow. */
const port = 20
const pass = 12
const bend = 64
const arrow = 16

/** More places to pass through than this are not worth their work: lines then go straight across. */
const passesMost = 4000

export const layoutOf = (
  definition: Parameters<typeof columnsOf>[0],
  edges: ReadonlyArray<Edge>,
  sizes: ReadonlyMap<string, Size>,
  label: (edge: Edge) => Size
): Layout => {
  const columns = columnsOf(definition)
  const known = edges.filter(({ from, to }) => columns.has(from) && columns.has(to))
  const { chains, grid, ids, rooms } = gridOf(columns, known, sizes, label)
  const centers = arrange(grid)
  const last = grid.columns.length - 1
  const widths = grid.columns.map((ids) =>
    Math.max(0, ...ids.map((id) => sizes.get(grid.items[id]!.name ?? "")?.width ?? 0))
  )
  const labels = grid.columns.map(() => 0)
  known.forEach((edge) => {
    const gap = Math.max(0, columns.get(edge.to)! - 1)
    labels[gap] = Math.max(labels[gap]!, label(edge).width)
  })
  const lefts: Array<number> = []
  let x = 0
  for (let column = 0; column <= last; column++) {
    lefts.push(x)
    x += widths[column]! + (column === last ? 0 : bend + labels[column]! + arrow)
  }
  const boxes = new Map<string, Box>()
  for (const [name, id] of ids) {
    const { column, height } = grid.items[id]!
    boxes.set(name, { x: lefts[column]!, y: centers[id]! - height / 2, width: widths[column]!, height })
  }
  const ports = portsOf(chains, centers, rooms)
  const lines = known.map((edge, index): Line => {
    const chain = chains[index]!
    const from = boxes.get(edge.from)!
    return {
      edge,
      start: { x: from.x + from.width, y: from.y + from.height / 2 },
      legs: chain.slice(1).map((id, leg) => {
        const { column, name } = grid.items[id]!
        const y = name === undefined ? centers[id]! : centers[id]! + ports.get(index)!
        const right = lefts[column]! + (name === undefined ? widths[column]! : 0)
        const previous = grid.items[chain[leg]!]!.column
        return { bend: lefts[previous]! + widths[previous]! + bend, end: right, y }
      })
    }
  })
  const bottoms = [...boxes.values()].map(({ height, y }) => y + height)
  const passes = grid.items.flatMap(({ height }, id) => [centers[id]! + height / 2])
  return { boxes, lines, width: x, height: Math.max(0, ...bottoms, ...passes) }
}

const gridOf = (
  columns: ReadonlyMap<string, number>,
  edges: ReadonlyArray<Edge>,
  sizes: ReadonlyMap<string, Size>,
  label: (edge: Edge) => Size
) => {
  const items: Array<Item> = []
  const byColumn: Array<Array<number>> = []
  const before: Array<Array<number>> = []
  const after: Array<Array<number>> = []
  const add = (item: Item): number => {
    const id = items.push(item) - 1
    while (byColumn.length <= item.column) byColumn.push([])
    byColumn[item.column]!.push(id)
    before.push([])
    after.push([])
    return id
  }
  const rooms = new Map<number, number>()
  const ids = new Map<string, number>()
  for (const [name, column] of columns) {
    const arriving = edges.filter(({ to }) => to === name).map(label)
    const room = Math.max(port, ...arriving.map(({ height }) => height))
    const id = add({ column, height: Math.max(sizes.get(name)!.height, arriving.length * room + port), name })
    ids.set(name, id)
    rooms.set(id, room)
  }
  const span = edges.reduce(
    (sum, { from, to }) => sum + Math.max(0, columns.get(to)! - columns.get(from)! - 1),
    0
  )
  const chains = edges.map(({ from, to }) => {
    const chain = [ids.get(from)!]
    for (let column = columns.get(from)! + 1; span <= passesMost && column < columns.get(to)!; column++) {
      chain.push(add({ column, height: pass, name: undefined }))
    }
    chain.push(ids.get(to)!)
    for (let at = 1; at < chain.length; at++) {
      after[chain[at - 1]!]!.push(chain[at]!)
      before[chain[at]!]!.push(chain[at - 1]!)
    }
    return chain
  })
  return { chains, ids, rooms, grid: { columns: byColumn, items, before, after } satisfies Grid }
}

/** How far from the middle of its box each edge ends: from top to bottom as they come in. */
const portsOf = (
  chains: ReadonlyArray<ReadonlyArray<number>>,
  centers: ReadonlyArray<number>,
  rooms: ReadonlyMap<number, number>
): ReadonlyMap<number, number> => {
  const arriving = new Map<number, Array<number>>()
  chains.forEach((chain, index) => {
    const to = chain.at(-1)!
    arriving.set(to, [...(arriving.get(to) ?? []), index])
  })
  const ports = new Map<number, number>()
  for (const [box, edges] of arriving) {
    edges.sort((a, b) => centers[chains[a]!.at(-2)!]! - centers[chains[b]!.at(-2)!]! || a - b)
    edges.forEach((edge, at) => void ports.set(edge, (at - (edges.length - 1) / 2) * rooms.get(box)!))
  }
  return ports
}
