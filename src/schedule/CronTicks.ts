/**
 * When a cron expression is due in a time zone, through every change of its clocks.
 *
 * Local time is a row of stretches of constant offset. Inside of one, an expression is due where the wall
 * clock shows its time. Where a stretch begins, two rules say what a person means:
 *
 * - Times that were left out are made up for at the first instant after them, all of them by one tick,
 *   unless the expression names every hour: then the next one is never more than an hour away.
 * - Times that come twice are due the first time only, unless the hours have a star or a step (or name
 *   every hour): such an expression counts time, and the repeated hour is time as well.
 *
 * @module
 */
import type { Cron } from "./Cron.ts"
import type { Ticks } from "./Ticks.ts"
import { countWalls, dayMs, nextWall, previousWall } from "./wallClock.ts"
import type { Stretch, Zone } from "./Zone.ts"

export const cronTicks = (cron: Cron, zone: Zone): Ticks => {
  const hourly = cron.hour.values.length === 24
  const rules: Rules = { cron, madeUpFor: !hourly, again: hourly || cron.hour.recurs }
  return {
    next: (after) => next(rules, zone, after),
    last: (after, upTo) => last(rules, zone, after, upTo),
    count: (after, upTo) => count(rules, zone, after, upTo)
  }
}

/** The first wall time that the expression names and this stretch left out, if there is one. */
export const leftOut = (cron: Cron, { before, offset, start }: Stretch): number | undefined => {
  if (offset <= before) return undefined
  const wall = nextWall(cron, start + before)
  return wall !== undefined && wall < start + offset ? wall : undefined
}

interface Rules {
  readonly cron: Cron
  readonly madeUpFor: boolean
  readonly again: boolean
}

/** The first wall time of a stretch that counts. */
const lowest = ({ again }: Rules, { before, offset, start }: Stretch): number =>
  again ? start + offset : start + Math.max(before, offset)

/** Is there a tick at the beginning of a stretch that no wall time of its own would give? */
const isMadeUpFor = (rules: Rules, stretch: Stretch): boolean =>
  rules.madeUpFor && leftOut(rules.cron, stretch) !== undefined

const next = (rules: Rules, zone: Zone, after: number): number | undefined => {
  let from = after + 1
  for (;;) {
    const stretch = zone.at(from)
    const { end, offset, start } = stretch
    if (from === start && isMadeUpFor(rules, stretch)) return start
    const wall = nextWall(rules.cron, Math.max(from + offset, lowest(rules, stretch)))
    if (wall === undefined) return undefined
    if (wall < end + offset) return wall - offset
    // What comes twice may be due although its first time has passed. Otherwise nothing is due until two days
    // before the wall time, which is more than the clocks of a zone were ever changed by.
    from = zone.at(end).offset < offset ? end : Math.max(end, wall - offset - 2 * dayMs)
  }
}

const last = (rules: Rules, zone: Zone, after: number, upTo: number): number | undefined => {
  let to = upTo
  while (to > after) {
    const stretch = zone.at(to)
    const { offset, start } = stretch
    const wall = previousWall(
      rules.cron,
      to + 1 + offset,
      Math.max(after + 1 + offset, lowest(rules, stretch))
    )
    if (wall !== undefined) return wall - offset
    if (start > after && isMadeUpFor(rules, stretch)) return start
    to = start - 1
  }
  return undefined
}

const count = (rules: Rules, zone: Zone, after: number, upTo: number): number => {
  let total = 0
  for (let from = after + 1; from <= upTo; ) {
    const stretch = zone.at(from)
    const { end, offset, start } = stretch
    const to = Math.min(end, upTo + 1)
    total += countWalls(rules.cron, Math.max(from + offset, lowest(rules, stretch)), to + offset)
    // Unless the first local time after the change is due by itself.
    if (
      from === start &&
      isMadeUpFor(rules, stretch) &&
      nextWall(rules.cron, start + offset) !== start + offset
    )
      total++
    from = end
  }
  return total
}
