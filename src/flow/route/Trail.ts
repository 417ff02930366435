/**
 * The order of the pieces of one record when they do not come one after the other.
 *
 * @module
 */

/**
 * Where a payload was parted from others of its record: which piece of how many, which edge of several. By it
 * pieces are put into the order in which they would have come if each had gone all its way before the next.
 */
export type Trail = ReadonlyArray<number>

/** That of a record as it was read. */
export const root: Trail = []

export const byTrail = (left: Trail, right: Trail): number => {
  for (let at = 0; at < left.length && at < right.length; at++) {
    if (left[at] !== right[at]) return left[at]! - right[at]!
  }
  return left.length - right.length
}
