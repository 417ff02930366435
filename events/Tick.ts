/**
 * The name of a tick: the instant it is due, in ISO 8601 (UTC). A schedule that is computed again, by
 * whoever owns the pipeline then, gives the same names, so no tick is run or skipped twice.
 *
 * @module
 */

/** The tick that is due at this instant (milliseconds since 1970). */
export const tickAt = (dueAt: number): string => new Date(dueAt).toISOString()

/** When the tick is due, in milliseconds since 1970; `undefined` for a name that a program made up. */
export const dueAtOf = (tick: string): number | undefined => {
  const dueAt = Date.parse(tick)
  return Number.isNaN(dueAt) || tickAt(dueAt) !== tick ? undefined : dueAt
}
