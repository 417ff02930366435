/**
 * Measures several sides in turn, so that what disturbs the machine disturbs all of them.
 *
 * @module
 */

/**
 * Runs every side once a round, each round in another order, after `warmUp` rounds that do not count.
 * Sample `i` of every side is of round `i`, so samples of one round can be compared with each other.
 */
export const alternate = async <Name extends string, Sample>(
  sides: Readonly<Record<Name, () => Promise<Sample>>>,
  { rounds, warmUp = 1 }: { readonly rounds: number; readonly warmUp?: number }
): Promise<Readonly<Record<Name, ReadonlyArray<Sample>>>> => {
  const names = Object.keys(sides) as Array<Name>
  const samples = Object.fromEntries(names.map((name) => [name, []])) as unknown as Record<
    Name,
    Array<Sample>
  >
  for (let round = -warmUp; round < rounds; round++) {
    for (const name of orderOf(names, round + warmUp)) {
      const sample = await sides[name]()
      if (round >= 0) samples[name].push(sample)
    }
  }
  return samples
}

/** Each order runs forwards, then backwards, and the next one begins with another side. */
const orderOf = <Name>(names: ReadonlyArray<Name>, round: number): ReadonlyArray<Name> => {
  const first = Math.floor(round / 2) % names.length
  const turned = [...names.slice(first), ...names.slice(0, first)]
  return round % 2 === 0 ? turned : turned.reverse()
}
