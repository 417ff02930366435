/**
 * When a run that lost a driver or its process tries again. Pure.
 *
 * @module
 */
import type { Recovery } from "../../events/Definition.ts"

/** What is remembered between attempts: how many failed in a row, and since when (ms) the last one worked. */
export interface Attempts {
  readonly failed: number
  readonly since: number | null
}

export const noAttempts: Attempts = { failed: 0, since: null }

/** It works again, from now on. */
export const recovered = ({ failed }: Attempts, now: number): Attempts => ({ failed, since: now })

/** It failed now: once more in a row, or for the first time after it had been healthy for long enough. */
export const failedAgain = (
  { failed, since }: Attempts,
  now: number,
  { healthyAfter }: Recovery
): Attempts => ({
  failed: since !== null && now - since >= healthyAfter ? 1 : failed + 1,
  since: null
})

/** Milliseconds until the next attempt; `undefined` when there is to be none. */
export const delayBefore = (
  { failed }: Attempts,
  { factor, maxBackoff, maxRetries, minBackoff }: Recovery
): number | undefined => {
  if (failed === 0) return 0
  if (maxRetries !== "unlimited" && failed > maxRetries) return undefined
  return Math.min(maxBackoff, minBackoff * factor ** Math.min(failed - 1, 60))
}
