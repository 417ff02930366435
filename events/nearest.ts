/**
 * The known name that a misspelt one most likely meant.
 *
 * @module
 */

/** The nearest of `known` by edit distance, if it is near enough to be worth suggesting. */
export const nearest = (name: string, known: Iterable<string>): string | undefined => {
  // Suggestions are for slips of the hand; a longer text was not a slip, and comparing costs its square.
  if (name.length > 100) return undefined
  const wanted = name.toLowerCase()
  let best: string | undefined
  let bestDistance = Math.floor((name.length + 1) / 3) + 1
  for (const candidate of known) {
    if (candidate.length > 100) continue
    const distance = editDistance(wanted, candidate.toLowerCase(), bestDistance)
    if (distance < bestDistance) {
      best = candidate
      bestDistance = distance
    }
  }
  return best
}

/** Insertions, deletions, replacements and swaps of neighbours; `limit` when there are at least that many. */
const editDistance = (left: string, right: string, limit: number): number => {
  if (Math.abs(left.length - right.length) >= limit) return limit
  let before: Array<number> = []
  let above = Array.from({ length: right.length + 1 }, (_, index) => index)
  for (let row = 1; row <= left.length; row++) {
    const current = [row]
    for (let column = 1; column <= right.length; column++) {
      const same = left[row - 1] === right[column - 1]
      let cost = Math.min(above[column]! + 1, current[column - 1]! + 1, above[column - 1]! + (same ? 0 : 1))
      if (
        row > 1 &&
        column > 1 &&
        left[row - 1] === right[column - 2] &&
        left[row - 2] === right[column - 1]
      ) {
        cost = Math.min(cost, before[column - 2]! + 1)
      }
      current.push(cost)
    }
    before = above
    above = current
  }
  return above[right.length]!
}
