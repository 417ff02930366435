/**
 * Cron ticks the slow way: every minute of a span is looked at, and the rules of the clock changes are
 * applied to what was seen. It shares no code with what it checks; offsets are asked of the platform.
 */

export interface OracleCron {
  readonly text: string
  readonly minutes: ReadonlyArray<number>
  readonly hours: ReadonlyArray<number>
  /** The hours are written with a star or a step. */
  readonly recurs: boolean
}

const minuteMs = 60_000

/** The ticks of an expression that names minutes and hours of every day. */
export const slowTicks = (
  cron: OracleCron,
  timeZone: string,
  from: number,
  to: number
): ReadonlyArray<number> => {
  const format = new Intl.DateTimeFormat("sv-SE", { timeZone, dateStyle: "short", timeStyle: "medium" })
  const everyHour = cron.hours.length === 24
  const due = new Set<number>()
  const seen = new Set<number>()
  const meant = (wall: number): boolean => {
    const date = new Date(wall)
    return cron.minutes.includes(date.getUTCMinutes()) && cron.hours.includes(date.getUTCHours())
  }
  let before: number | undefined
  // A day earlier, so that what comes twice has been seen once.
  for (let at = from - 1440 * minuteMs; at <= to; at += minuteMs) {
    const wall = Date.parse(`${format.format(at).replace(" ", "T")}Z`)
    if (before !== undefined && wall > before + minuteMs && !everyHour) {
      for (let missing = before + minuteMs; missing < wall; missing += minuteMs) {
        if (meant(missing)) due.add(at)
      }
    }
    if (meant(wall) && (!seen.has(wall) || everyHour || cron.recurs)) due.add(at)
    seen.add(wall)
    before = wall
  }
  return [...due].filter((at) => at > from && at <= to).sort((left, right) => left - right)
}
