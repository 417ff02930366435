/**
 * JSON integers that a JavaScript number cannot hold. `JSON.parse` rounds them without a word; invariant
 * 8 says no silent coercion, so they are found and refused.
 *
 * @module
 */

/** The digits below which every integer is exact: 2^53 − 1 has sixteen. */
const digits = 16

const isDigit = (byte: number | undefined): boolean => byte !== undefined && byte >= 48 && byte <= 57

/**
 * Whether the bytes hold a run of so many digits. Such a run covers two neighbouring multiples of eight,
 * so only every eighth byte is looked at.
 */
export const mayHoldLargeIntegers = (bytes: Uint8Array): boolean => {
  const step = digits / 2
  for (let at = 0; at + step <= bytes.length; at += step) {
    if (isDigit(bytes[at]) && isDigit(bytes[at + step]) && runAround(bytes, at) >= digits) return true
  }
  return false
}

const runAround = (bytes: Uint8Array, at: number): number => {
  let from = at
  let to = at
  while (isDigit(bytes[from - 1])) from--
  while (isDigit(bytes[to])) to++
  return to - from
}

/** An integer in the text has no exact value. */
export class UnsafeInteger extends Error {}

/** Parses a JSON text, refusing integers that would be rounded. Slower than `JSON.parse`. */
export const parseExactly = (text: string): unknown =>
  JSON.parse(text, (_, value: unknown, context?: { readonly source?: string }) => {
    if (typeof value !== "number" || Number.isSafeInteger(value)) return value
    const source = context?.source
    if (source === undefined || !/^-?[0-9]+$/.test(source)) return value
    // Written out again it is the same text: nothing was lost.
    if (String(value) === source) return value
    throw new UnsafeInteger(
      `${source} is an integer beyond 2^53, which JSON numbers here cannot hold exactly`
    )
  })
