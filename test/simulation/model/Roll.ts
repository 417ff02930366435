/**
 * Dice that fall the same way for the same seed.
 *
 * @module
 */

export interface Roll {
  /** A whole number from 0 to below `sides`. */
  readonly below: (sides: number) => number
  readonly oneIn: (sides: number) => boolean
  readonly of: <const A>(all: ReadonlyArray<A>) => A
}

/** The generator is mulberry32. */
export const rollFrom = (seed: number): Roll => {
  let state = Math.imul(seed + 1, 0x9e3779b9)
  const below = (sides: number): number => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32) * sides)
  }
  return { below, oneIn: (sides) => below(sides) === 0, of: (all) => all[below(all.length)]! }
}
