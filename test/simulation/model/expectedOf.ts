/**
 * What must have become of the records that a log says were read, in the order it says.
 *
 * @module
 */
import type { readLog } from "../oracles.ts"
import type { Case } from "./Case.ts"
import { type Fates, type Made, tell } from "./model.ts"
import { groupsOf } from "./ways.ts"

type Log = ReturnType<typeof readLog>

/** A source record that was read, and what must become of it. */
export interface Expected {
  readonly source: string
  readonly at: number
  readonly id: string
  readonly fates: Fates
}

/** The records of each group of sources that are read as one, in the order the log says; and what aggregates make. */
export const expectedOf = (
  of: Case,
  log: Log
): {
  readonly expected: ReadonlyMap<string, ReadonlyArray<Expected>>
  readonly made: ReadonlyArray<Made>
} => {
  const met = metIn(log)
  const { fates, made } = tell(of, met)
  const expected = new Map([...groupsOf(of).keys()].map((group): [string, Array<Expected>] => [group, []]))
  for (const { at, group, source } of met) {
    const id = `${source}:${at}`
    // A group that nobody has thought of is found out by its batches.
    expected.get(group)?.push({ source, at, id, fates: fates.get(source)![at]! })
  }
  return { expected, made }
}

/** The source records in the order of the batches they were first sealed in: stages remember in that order. */
const metIn = (
  log: Log
): ReadonlyArray<{ readonly group: string; readonly source: string; readonly at: number }> => {
  const read = new Map<string, number>()
  return [...log.batches.values()].flatMap(({ count, source: group, to }) => {
    const members = group.split("+")
    const order =
      members.length === 1 || count === 0 ? Array.from({ length: count }, () => 0) : takenIn(to.order)
    return order.map((index) => {
      const source = members[index]!
      const at = read.get(source) ?? 0
      read.set(source, at + 1)
      return { group, source, at }
    })
  })
}

/** Whose record came next, as a position writes it: `0x3 1 (0 1)x2` is 0 0 0 1 0 1 0 1. */
const takenIn = (text: string): ReadonlyArray<number> =>
  [...text.matchAll(/\(([^)]*)\)x(\d+)|[^ ]+/g)].flatMap(([each, group, times]): ReadonlyArray<number> => {
    if (group !== undefined) return Array.from({ length: Number(times) }, () => takenIn(group)).flat()
    const [index, count = "1"] = each.split("x")
    return Array.from({ length: Number(count) }, () => Number(index))
  })
