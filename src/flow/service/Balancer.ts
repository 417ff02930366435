/**
 * Whose turn it is: ways of sharing calls among endpoints, as values.
 *
 * A balancer sees only the candidates, the endpoints that may take a call just now; which those are
 * changes from call to call, and whoever was left out for a while takes up where it was.
 *
 * @module
 */

/** An endpoint by its number, with its share and the calls it has not answered yet. */
export interface Candidate {
  readonly endpoint: number
  readonly weight: number
  readonly calls: number
}

export interface Balancer {
  /** One of the candidates, of which there is at least one, and the balancer as it is after that. */
  readonly next: (candidates: ReadonlyArray<Candidate>) => readonly [endpoint: number, after: Balancer]
}

/** One after the other, by number; weights do not count. */
export const roundRobin = (last = -1): Balancer => ({
  next: (candidates) => {
    const chosen = after(candidates, last)
    return [chosen.endpoint, roundRobin(chosen.endpoint)]
  }
})

/** The one with the fewest open calls for its weight; among equals one after the other. */
export const leastConnections = (last = -1): Balancer => ({
  next: (candidates) => {
    const load = ({ calls, weight }: Candidate) => calls / weight
    const least = Math.min(...candidates.map(load))
    const chosen = after(
      candidates.filter((each) => load(each) === least),
      last
    )
    return [chosen.endpoint, leastConnections(chosen.endpoint)]
  }
})

/**
 * Smooth weighted round robin: everyone earns its weight with every call, the richest takes it and pays what
 * all have earned. Over a round each has its share, and a heavy one does not take all of its calls in a row.
 */
export const weighted = (earned: ReadonlyMap<number, number> = new Map()): Balancer => ({
  next: (candidates) => {
    const now = new Map(earned)
    let richest = candidates[0]!.endpoint
    let total = 0
    for (const { endpoint, weight } of candidates) {
      total += weight
      now.set(endpoint, (now.get(endpoint) ?? 0) + weight)
      if (now.get(endpoint)! > now.get(richest)!) richest = endpoint
    }
    now.set(richest, now.get(richest)! - total)
    return [richest, weighted(now)]
  }
})

/** The next behind `last`, and from the beginning again. Candidates come by number. */
const after = (candidates: ReadonlyArray<Candidate>, last: number): Candidate =>
  candidates.find(({ endpoint }) => endpoint > last) ?? candidates[0]!
