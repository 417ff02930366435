/**
 * In which order and at which height the items of a grid stand in their columns.
 *
 * @module
 */
import type { Grid } from "./graphLayout.ts"

/** Pixels between two boxes, and beside a line that passes. */
const gap = 26
const gapOfLine = 8
const sweeps = 8

/** The height of the middle of each item, by id; the highest item touches 0. Changes the order in the columns. */
export const arrange = (grid: Grid): ReadonlyArray<number> => {
  order(grid)
  const centers = grid.items.map(() => 0)
  for (const column of grid.columns) place(column, grid, centers, () => undefined)
  for (let round = 0; round < sweeps; round++) {
    const forward = round % 2 === 0
    const columns = forward ? grid.columns : [...grid.columns].reverse()
    const neighbours = forward ? grid.before : grid.after
    for (const column of columns) place(column, grid, centers, (id) => mean(neighbours[id]!, centers))
  }
  for (const column of grid.columns) {
    place(column, grid, centers, (id) => mean([...grid.before[id]!, ...grid.after[id]!], centers))
  }
  const top = Math.min(0, ...grid.items.map(({ height }, id) => centers[id]! - height / 2))
  const first = grid.items.reduce(
    (least, { height }, id) => Math.min(least, centers[id]! - height / 2),
    Number.POSITIVE_INFINITY
  )
  const shift = Number.isFinite(first) ? first : top
  return centers.map((center) => Math.round(center - shift))
}

/** Items beside what they are joined to: columns are sorted by the mean place of their neighbours, to and fro. */
const order = (grid: Grid): void => {
  const places = grid.items.map(() => 0)
  const note = (column: ReadonlyArray<number>) =>
    column.forEach((id, at) => {
      places[id] = (at + 0.5) / column.length
    })
  for (const column of grid.columns) note(column)
  for (let round = 0; round < sweeps; round++) {
    const forward = round % 2 === 0
    const neighbours = forward ? grid.before : grid.after
    for (const column of forward ? grid.columns : [...grid.columns].reverse()) {
      const wanted = new Map(column.map((id) => [id, mean(neighbours[id]!, places) ?? places[id]!]))
      column.sort((a, b) => wanted.get(a)! - wanted.get(b)! || places[a]! - places[b]!)
      note(column)
    }
  }
}

const mean = (ids: ReadonlyArray<number>, values: ReadonlyArray<number>): number | undefined =>
  ids.length === 0 ? undefined : ids.reduce((sum, id) => sum + values[id]!, 0) / ids.length

/**
 * As near as possible to where each item wants to be, in the order of the column and with room between them:
 * a regression by pools of neighbours that would otherwise stand on each other.
 */
const place = (
  column: ReadonlyArray<number>,
  { items }: Grid,
  centers: Array<number>,
  wantedOf: (id: number) => number | undefined
): void => {
  const offsets: Array<number> = []
  let offset = 0
  column.forEach((id, at) => {
    if (at > 0) {
      const above = items[column[at - 1]!]!
      const here = items[id]!
      const room = above.name === undefined || here.name === undefined ? gapOfLine : gap
      offset += above.height / 2 + room + here.height / 2
    }
    offsets.push(offset)
  })
  const pools: Array<{ sum: number; count: number }> = []
  column.forEach((id, at) => {
    pools.push({ sum: (wantedOf(id) ?? centers[id]!) - offsets[at]!, count: 1 })
    for (
      let last = pools.at(-1)!, above = pools.at(-2);
      above !== undefined;
      last = pools.at(-1)!, above = pools.at(-2)
    ) {
      if (above.sum / above.count <= last.sum / last.count) break
      pools.splice(-2, 2, { sum: above.sum + last.sum, count: above.count + last.count })
    }
  })
  let at = 0
  for (const { count, sum } of pools) {
    for (let each = 0; each < count; each++, at++) centers[column[at]!] = sum / count + offsets[at]!
  }
}
