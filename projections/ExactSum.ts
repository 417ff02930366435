/**
 * Sums of numbers without any rounding, so that neither order nor grouping shows in them.
 *
 * A sum is a list of numbers that together are the exact sum: the first is the sum rounded to the nearest
 * number, the second what is then missing, rounded likewise, and so on. Equal sums are equal lists, and a
 * sum that a number can hold is that one number. (Grown as in J. R. Shewchuk, "Adaptive Precision
 * Floating-Point Arithmetic", 1997; rounded as Python's `math.fsum` does.)
 *
 * @module
 */

export type ExactSum = ReadonlyArray<number>

/**
 * Beyond this magnitude a number cannot be summed: below it, not even as many of them as there are safe
 * integers leave the range of numbers.
 */
export const largestSummed = 2 ** 970

/** Zero is the empty list. */
export const sumOf = (number: number): ExactSum => (number === 0 ? [] : [number])

export const addSums = (left: ExactSum, right: ExactSum): ExactSum => {
  if (left.length === 0) return right
  if (right.length === 0) return left
  if (left.length === 1 && right.length === 1) return addTwo(left[0]!, right[0]!)
  // Grown from the smallest part up: the parts stay in the order of their size, and do not overlap.
  let parts: ReadonlyArray<number> = [...left].reverse()
  for (let index = right.length - 1; index >= 0; index--) parts = grow(parts, right[index]!)
  return canonical(parts)
}

/** The sum as the one number that is nearest. */
export const nearestTo = (sum: ExactSum): number => sum[0] ?? 0

const addTwo = (left: number, right: number): ExactSum => {
  const high = left + right
  const low = lost(left, right, high)
  return low === 0 ? sumOf(high) : [high, low]
}

/** What `high`, the rounded sum of the two, has lost. Exact for any two numbers whose sum is in range. */
const lost = (left: number, right: number, high: number): number => {
  const rightPart = high - left
  const leftPart = high - rightPart
  return left - leftPart + (right - rightPart)
}

/** Parts from small to large, and one more number in them. Parts that are zero are left out. */
const grow = (parts: ReadonlyArray<number>, number: number): ReadonlyArray<number> => {
  const grown: Array<number> = []
  let carried = number
  for (const part of parts) {
    const high = carried + part
    const low = lost(carried, part, high)
    if (low !== 0) grown.push(low)
    carried = high
  }
  if (carried !== 0) grown.push(carried)
  return grown
}

/** An exact sum has no more parts than that: so many times the digits of a number cover all there are. */
const partsMost = 40

const canonical = (parts: ReadonlyArray<number>): ExactSum => {
  const sum: Array<number> = []
  let rest = parts
  while (rest.length > 0 && sum.length < partsMost) {
    const nearest = rounded(rest)
    sum.push(nearest)
    rest = grow(rest, -nearest)
  }
  return sum
}

/** The number nearest to the sum of parts that run from small to large and do not overlap. */
const rounded = (parts: ReadonlyArray<number>): number => {
  let index = parts.length - 1
  let high = parts[index]!
  let low = 0
  while (index > 0 && low === 0) {
    const before = high
    const part = parts[--index]!
    high = before + part
    low = part - (high - before)
  }
  // Half-way cases were rounded to even without a look at the parts below; these say which way is nearer.
  const below = index > 0 ? parts[index - 1]! : 0
  if ((low < 0 && below < 0) || (low > 0 && below > 0)) {
    const twice = low * 2
    const other = high + twice
    if (twice === other - high) return other
  }
  return high
}
