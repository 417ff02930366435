/**
 * What is known of an endpoint: whether it gets calls, and when it is tried again. A value; times are in
 * milliseconds since 1970.
 *
 * @module
 */

export interface Health {
  /** Failed calls since the last good one. */
  readonly failures: number
  /** How often in a row it was put out. */
  readonly ejections: number
  /** Put out until then; 0 when it is in. */
  readonly outUntil: number
  /** It asked to be left alone until then. */
  readonly quietUntil: number
  /** Its one trial call is on its way. */
  readonly isTried: boolean
}

export const healthy: Health = { failures: 0, ejections: 0, outUntil: 0, quietUntil: 0, isTried: false }

/** So many failures in a row put an endpoint out … */
export const failuresMost = 3
/** … for this long, twice as long each time it fails its trial, and never longer than a minute. */
const firstEjectionMs = 1000
const longestEjectionMs = 60_000
/** Whatever an endpoint asks for, it is asked again after this. */
const longestQuietMs = 300_000

/** `in` takes calls, `trial` takes one, `out` takes none. */
export const standing = (health: Health, now: number): "in" | "trial" | "out" => {
  if (now < health.quietUntil || now < health.outUntil) return "out"
  if (health.outUntil === 0) return "in"
  return health.isTried ? "out" : "trial"
}

/** From when on it may be asked. */
export const freeFrom = ({ outUntil, quietUntil }: Health): number => Math.max(outUntil, quietUntil)

/** A call goes out to it. */
export const asked = (health: Health, now: number): Health =>
  standing(health, now) === "trial" ? { ...health, isTried: true } : health

/** A call was answered. */
export const succeeded = (): Health => healthy

/** A call was given up before it came to anything. */
export const released = (health: Health): Health => ({ ...health, isTried: false })

/** A call failed. One that went out before the endpoint was put out says nothing new. */
export const failed = (health: Health, now: number): Health => {
  if (now < health.outUntil && !health.isTried) return health
  const failures = health.failures + 1
  return health.outUntil > 0 || failures >= failuresMost
    ? ejected({ ...health, failures }, now)
    : { ...health, failures }
}

const ejected = (health: Health, now: number): Health => ({
  ...health,
  ejections: health.ejections + 1,
  outUntil: now + Math.min(longestEjectionMs, firstEjectionMs * 2 ** Math.min(health.ejections, 10)),
  isTried: false
})

/** Its health check failed: out until the one after the next at least, whatever calls came to. */
export const unwell = (health: Health, until: number): Health => ({
  ...health,
  outUntil: Math.max(health.outUntil, until),
  isTried: false
})

/** Its health check succeeded: one that was out has its trial now. */
export const recovered = (health: Health, now: number): Health =>
  now < health.outUntil ? { ...health, outUntil: now, isTried: false } : health

/** It answered, and asked for fewer calls. */
export const quieted = (health: Health, now: number, ms: number): Health => ({
  ...health,
  quietUntil: Math.max(health.quietUntil, now + Math.min(longestQuietMs, ms)),
  isTried: false
})
