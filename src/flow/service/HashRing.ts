/**
 * Consistent hashing: every key belongs to one endpoint, and an endpoint that goes takes only its own keys along.
 *
 * Each endpoint has many points on a ring; a key belongs to the first point behind its own place. The points
 * of an endpoint are made of its name alone, so they are where they are whoever else is on the ring.
 *
 * @module
 */
import { hash } from "node:crypto"

export interface HashRing {
  /** In ascending order, with the endpoint each belongs to. */
  readonly points: Float64Array
  readonly owners: Uint32Array
}

/** Points for each unit of weight: enough for shares that differ by about a tenth. */
const pointsOfOne = 100
/** One digest is cut into so many places of 48 bits, which a number holds exactly. */
const placesOfDigest = 5
const placeBytes = 6

/** Weights are shares: an endpoint of weight 3 has three times the points. */
export const makeRing = (
  endpoints: ReadonlyArray<{ readonly url: string; readonly weight: number }>
): HashRing => {
  const all = endpoints.flatMap(({ url, weight }, owner) =>
    pointsOf(url, weight * pointsOfOne).map((place) => ({ place, owner }))
  )
  // Two points on one place: the name decides, so that the order in which endpoints are written does not.
  all.sort((a, b) => a.place - b.place || (endpoints[a.owner]!.url < endpoints[b.owner]!.url ? -1 : 1))
  return {
    points: Float64Array.from(all, ({ place }) => place),
    owners: Uint32Array.from(all, ({ owner }) => owner)
  }
}

const pointsOf = (url: string, count: number): ReadonlyArray<number> =>
  Array.from({ length: Math.ceil(count / placesOfDigest) }, (_, n) => placesOf(`${url} ${n}`))
    .flat()
    .slice(0, count)

const placesOf = (text: string): ReadonlyArray<number> => {
  const digest = hash("sha256", text, "buffer")
  return Array.from({ length: placesOfDigest }, (_, n) => digest.readUIntBE(n * placeBytes, placeBytes))
}

/** The endpoint of a key among those that may take it; the next on the ring stands in for one that may not. */
export const ownerOf = (
  { owners, points }: HashRing,
  key: string,
  may: (endpoint: number) => boolean
): number | undefined => {
  const start = firstBehind(points, placesOf(key)[0]!)
  for (let step = 0; step < owners.length; step++) {
    const owner = owners[(start + step) % owners.length]!
    if (may(owner)) return owner
  }
  return undefined
}

const firstBehind = (points: Float64Array, place: number): number => {
  let from = 0
  let to = points.length
  while (from < to) {
    const middle = (from + to) >>> 1
    if (points[middle]! < place) from = middle + 1
    else to = middle
  }
  return from
}
