/**
 * The known name closest to a mistyped one, within a third of its length in edits.
 *
 * @module
 */
export const nearest = (name: string, known: ReadonlyArray<string>): string | undefined => {
  let best: string | undefined
  let least = Math.max(1, Math.floor(name.length / 3)) + 1
  for (const candidate of known.slice(0, maxCandidates)) {
    if (Math.abs(candidate.length - name.length) >= least) continue
    const edits = distance(name.toLowerCase(), candidate.toLowerCase())
    if (edits < least) {
      best = candidate
      least = edits
    }
  }
  return best
}

/** A folder with a million files must not make a missing one slow to report. */
const maxCandidates = 1000

/** Edits from one to the other, row by row; two neighbours swapped are one edit. */
const distance = (a: string, b: string): number => {
  let before: Array<number> = []
  let previous = Array.from({ length: b.length + 1 }, (_, index) => index)
  for (let i = 1; i <= a.length; i++) {
    const current = [i]
    for (let j = 1; j <= b.length; j++) {
      const same = a[i - 1] === b[j - 1] ? 0 : 1
      const edits = Math.min(previous[j]! + 1, current[j - 1]! + 1, previous[j - 1]! + same)
      const swapped = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]
      current.push(swapped ? Math.min(edits, before[j - 2]! + 1) : edits)
    }
    before = previous
    previous = current
  }
  return previous[b.length]!
}
