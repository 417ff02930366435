/**
 * Small numbers in a row as a short text: `0x3 1 (0 1)x400` is three times 0, once 1, then 0 and 1 in turn,
 * 400 times.
 *
 * @module
 */

/** `cycle` is the most runs that are looked at for what is done in turns. */
export const packed = (numbers: ReadonlyArray<number>, cycle: number): string => {
  const runs = runsOf(numbers)
  const texts: Array<string> = []
  let at = 0
  while (at < runs.length) {
    const { length, times } = bestCycle(runs, at, cycle)
    const some = runs.slice(at, at + length).join(" ")
    texts.push(times === 1 ? some : `(${some})x${times}`)
    at += length * times
  }
  return texts.join(" ")
}

export const unpacked = (text: string): ReadonlyArray<number> => {
  const numbers: Array<number> = []
  for (const [, group, times = "1", run] of text.matchAll(/\(([^)]*)\)x(\d+)|(\d+(?:x\d+)?)/g)) {
    const once = (group ?? run!).split(" ").flatMap((each) => {
      const [number, count = "1"] = each.split("x")
      return Array.from({ length: Number(count) }, () => Number(number))
    })
    for (let time = 0; time < Number(times); time++) numbers.push(...once)
  }
  return numbers
}

const runsOf = (numbers: ReadonlyArray<number>): ReadonlyArray<string> => {
  const runs: Array<string> = []
  for (let at = 0; at < numbers.length; ) {
    let end = at + 1
    while (end < numbers.length && numbers[end] === numbers[at]) end++
    runs.push(end - at === 1 ? `${numbers[at]}` : `${numbers[at]}x${end - at}`)
    at = end
  }
  return runs
}

/** The turns from a place on that save the most runs; one run alone where nothing comes back. */
const bestCycle = (runs: ReadonlyArray<string>, at: number, cycle: number) => {
  let best = { length: 1, times: 1 }
  for (let length = 2; length <= cycle; length++) {
    let times = 1
    while (isSame(runs, at, at + length * times, length)) times++
    if (times > 2 && (times - 1) * length > (best.times - 1) * best.length) best = { length, times }
  }
  return best
}

const isSame = (runs: ReadonlyArray<string>, at: number, again: number, length: number): boolean => {
  for (let index = 0; index < length; index++) {
    if (runs[again + index] === undefined || runs[at + index] !== runs[again + index]) return false
  }
  return true
}
