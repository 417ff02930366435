/**
 * Sums of numbers by whole arithmetic: what the exact ones of the project are compared with.
 *
 * @module
 */

/** Every finite number is a whole multiple of this one. */
const smallest = 1074n

/** A number as a whole multiple of the smallest one. */
const whole = (number: number): bigint => {
  const view = new DataView(new ArrayBuffer(8))
  view.setFloat64(0, number)
  const bits = view.getBigUint64(0)
  const exponent = (bits >> 52n) & 0x7ffn
  const fraction = bits & 0xfffffffffffffn
  const size = exponent === 0n ? fraction : (fraction | (1n << 52n)) << (exponent - 1n)
  return bits >> 63n === 1n ? -size : size
}

/** The number nearest to the sum, half-way cases to even. */
export const exactly = (numbers: ReadonlyArray<number>): number => {
  const sum = numbers.reduce((all, number) => all + whole(number), 0n)
  const size = sum < 0n ? -sum : sum
  const excess = BigInt(Math.max(0, size.toString(2).length - 64))
  // What is cut off leaves one bit behind, so that a half-way case is not taken for one it is not.
  const kept = (size >> excess) | ((size & ((1n << excess) - 1n)) === 0n ? 0n : 1n)
  const [high, low] = [(excess - smallest) / 2n, excess - smallest - (excess - smallest) / 2n]
  const number = Number(kept) * 2 ** Number(high) * 2 ** Number(low)
  return sum < 0n ? -number : number + 0
}
