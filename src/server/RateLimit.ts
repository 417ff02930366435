/**
 * A token bucket for everyone who asks: so many requests at once, so many a second in the long run.
 *
 * @module
 */
import { Clock, Effect } from "effect"

export interface RateLimit {
  /** Takes one from the bucket of `key`; answers how many milliseconds to wait when there is none, else 0. */
  readonly take: (key: string) => Effect.Effect<number>
}

/** Buckets that are remembered; the one that was asked for longest ago is forgotten first. */
const bucketsMost = 10_000

interface Bucket {
  left: number
  at: number
}

/** `perSecond` flow in, at most `burst` stay. */
export const make = (perSecond: number, burst: number): RateLimit => {
  const buckets = new Map<string, Bucket>()
  return {
    take: (key) =>
      Effect.map(Clock.currentTimeMillis, (now) => {
        const bucket = buckets.get(key) ?? { left: burst, at: now }
        buckets.delete(key)
        buckets.set(key, bucket)
        if (buckets.size > bucketsMost) buckets.delete(buckets.keys().next().value!)
        // A clock that was set back takes nothing away.
        bucket.left = Math.min(burst, bucket.left + (Math.max(0, now - bucket.at) * perSecond) / 1000)
        bucket.at = now
        if (bucket.left < 1) return Math.max(1, Math.ceil(((1 - bucket.left) * 1000) / perSecond))
        bucket.left -= 1
        return 0
      })
  }
}
