/**
 * How what came differs from what was expected, record by record.
 *
 * Records that are equal are matched in order; between two matches, what is missing and what came instead
 * are paired as one record that differs. The work is bounded: of lists that are longer than that can be
 * compared, records are paired by their place.
 *
 * @module
 */
import { pointer } from "../../../events/Finding.ts"
import { isSame } from "./includes.ts"

/** A field that differs; a side without the field lacks the member. */
export interface FieldDifference {
  /** JSON pointer into the record; `""` where the record is no object, or something else altogether. */
  readonly pointer: string
  readonly expected?: unknown
  readonly got?: unknown
}

/** Places count from 0: `at` is that of the expected record, `index` that of the one that came. */
export type Difference =
  | { readonly kind: "missing"; readonly at: number; readonly expected: unknown }
  | { readonly kind: "unexpected"; readonly index: number; readonly got: unknown }
  | {
      readonly kind: "differs"
      readonly at: number
      readonly index: number
      readonly expected: unknown
      readonly got: unknown
      readonly fields: ReadonlyArray<FieldDifference>
    }

/** Comparisons of whole records that one pair of lists may cost, 2 MB of memory. */
const comparisonsMost = 1_000_000

/** Fields told of one record. */
const fieldsMost = 20

/** What makes a record the expected one, and what it is told by where it is not. */
export interface Comparison {
  readonly fits: (got: unknown, expected: unknown) => boolean
  readonly fields: (got: unknown, expected: unknown) => ReadonlyArray<FieldDifference>
}

/** The same JSON. */
export const exactly: Comparison = {
  fits: isSame,
  fields: (got, expected) => fieldDifferences(got, expected)
}

/** Nothing when the lists agree. */
export const differences = (
  expected: ReadonlyArray<unknown>,
  got: ReadonlyArray<unknown>,
  { fields, fits }: Comparison = exactly
): ReadonlyArray<Difference> => {
  const found: Array<Difference> = []
  let at = 0
  let index = 0
  const upTo = (endAt: number, endIndex: number): void => {
    while (at < endAt && index < endIndex) {
      found.push({
        kind: "differs",
        at,
        index,
        expected: expected[at],
        got: got[index],
        fields: fields(got[index], expected[at])
      })
      at++
      index++
    }
    for (; at < endAt; at++) found.push({ kind: "missing", at, expected: expected[at] })
    for (; index < endIndex; index++) found.push({ kind: "unexpected", index, got: got[index] })
  }
  for (const match of matches(expected, got, fits)) {
    upTo(match.at, match.index)
    at++
    index++
  }
  upTo(expected.length, got.length)
  return found
}

interface Match {
  readonly at: number
  readonly index: number
}

/** The longest common subsequence; what agrees at both ends is taken off first. */
const matches = (
  expected: ReadonlyArray<unknown>,
  got: ReadonlyArray<unknown>,
  fits: (got: unknown, expected: unknown) => boolean
): ReadonlyArray<Match> => {
  const shortest = Math.min(expected.length, got.length)
  let head = 0
  while (head < shortest && fits(got[head], expected[head])) head++
  let tail = 0
  const fromEnd = () => fits(got[got.length - 1 - tail], expected[expected.length - 1 - tail])
  while (tail < shortest - head && fromEnd()) tail++
  const rows = expected.length - head - tail
  const columns = got.length - head - tail
  const same = (row: number, column: number) => fits(got[head + column], expected[head + row])
  const middle =
    rows * columns > comparisonsMost ? samePlaces(rows, columns, same) : longest(rows, columns, same)
  return [
    ...Array.from({ length: head }, (_, place) => ({ at: place, index: place })),
    ...middle.map(({ at, index }) => ({ at: head + at, index: head + index })),
    ...Array.from({ length: tail }, (_, place) => ({
      at: expected.length - tail + place,
      index: got.length - tail + place
    }))
  ]
}

type Same = (row: number, column: number) => boolean

const samePlaces = (rows: number, columns: number, same: Same): ReadonlyArray<Match> =>
  Array.from({ length: Math.min(rows, columns) }, (_, place) => place)
    .filter((place) => same(place, place))
    .map((place) => ({ at: place, index: place }))

const longest = (rows: number, columns: number, same: Same): ReadonlyArray<Match> => {
  const width = columns + 1
  // How many records agree from here on, at most; one row and column more than there are records.
  const lengths = new Uint16Array((rows + 1) * width)
  const agrees = new Uint8Array(rows * columns)
  for (let row = rows - 1; row >= 0; row--) {
    for (let column = columns - 1; column >= 0; column--) {
      const agree = same(row, column)
      agrees[row * columns + column] = agree ? 1 : 0
      lengths[row * width + column] = agree
        ? lengths[(row + 1) * width + column + 1]! + 1
        : Math.max(lengths[(row + 1) * width + column]!, lengths[row * width + column + 1]!)
    }
  }
  const found: Array<Match> = []
  for (let row = 0, column = 0; row < rows && column < columns; ) {
    if (agrees[row * columns + column] === 1) found.push({ at: row++, index: column++ })
    else if (lengths[(row + 1) * width + column]! >= lengths[row * width + column + 1]!) row++
    else column++
  }
  return found
}

/** The innermost fields that are not as expected; lists are told as a whole. */
const fieldDifferences = (got: unknown, expected: unknown): ReadonlyArray<FieldDifference> => {
  const found: Array<FieldDifference> = []
  const visit = (left: unknown, right: unknown, at: ReadonlyArray<string>): void => {
    if (!isObject(left) || !isObject(right)) {
      if (!isSame(left, right)) found.push({ pointer: pointer(at), expected: left, got: right })
      return
    }
    for (const key of Object.keys(left)) {
      if (Object.hasOwn(right, key)) visit(left[key], right[key], [...at, key])
      else found.push({ pointer: pointer([...at, key]), expected: left[key] })
    }
    for (const key of Object.keys(right)) {
      if (!Object.hasOwn(left, key)) found.push({ pointer: pointer([...at, key]), got: right[key] })
    }
  }
  visit(expected, got, [])
  return found.slice(0, fieldsMost)
}

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null && !Array.isArray(value)
