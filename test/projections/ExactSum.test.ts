/**
 * Sums that neither order nor grouping shows in.
 *
 * @module
 */
import fc from "fast-check"
import { expect, it } from "vitest"
import { addSums, type ExactSum, largestSummed, nearestTo, sumOf } from "../../projections/ExactSum.ts"
import { exactly } from "./exact.ts"

/** Numbers of like and of very different sizes, and pairs that cancel. */
const anyNumber = fc.oneof(
  fc.integer({ min: -20, max: 20 }).map((whole) => whole / 10),
  fc.double({ min: -largestSummed, max: largestSummed, noNaN: true }),
  fc.tuple(fc.integer({ min: -60, max: 60 }), fc.constantFrom(1, -1)).map(([e, sign]) => sign * 2 ** e),
  fc.constantFrom(0, -0, 5e-324, -5e-324, 2 ** 53, 2 ** 53 + 2, -largestSummed, largestSummed)
)
const numbers = fc.array(anyNumber, { maxLength: 40 })

const sumUp = (all: ReadonlyArray<number>): ExactSum =>
  all.map(sumOf).reduce((sum, each) => addSums(sum, each), sumOf(0))

it("is the number nearest to the exact sum", () => {
  fc.assert(
    fc.property(numbers, (all) => {
      expect(nearestTo(sumUp(all))).toBe(exactly(all))
    }),
    { numRuns: 2000 }
  )
})

it("is the same list whatever the order, and wherever the numbers are parted", () => {
  fc.assert(
    fc.property(numbers, fc.nat(40), fc.integer(), (all, at, seed) => {
      const shuffled = all.toSorted((one, other) => Math.sin(seed + one * 7) - Math.sin(seed + other * 7))
      const whole = sumUp(all)
      expect(sumUp(shuffled)).toStrictEqual(whole)
      expect(addSums(sumUp(all.slice(0, at)), sumUp(all.slice(at)))).toStrictEqual(whole)
      expect(JSON.parse(JSON.stringify(whole))).toStrictEqual(whole)
    }),
    { numRuns: 2000 }
  )
})

it("takes what was added away again without a trace", () => {
  const sum = sumUp([0.1, 0.2, 1e290, 0.3])
  expect(addSums(sum, sumUp([-1e290, -0.1, -0.2, -0.3]))).toStrictEqual([])
  expect(nearestTo(sumUp(Array.from({ length: 10 }, () => 0.1)))).toBe(1)
})

it("stays in the range of numbers with the largest ones", () => {
  expect(nearestTo(sumUp(Array.from({ length: 1000 }, () => largestSummed)))).toBe(1000 * largestSummed)
})
