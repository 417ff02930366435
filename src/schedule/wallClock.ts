/**
 * Cron on a clock on the wall: dates and times without a zone, where every day has 24 hours. A time on it
 * ("wall") is the number of milliseconds that the same date and time has in UTC.
 *
 * @module
 */
import type { Cron } from "./Cron.ts"

export const dayMs = 86_400_000

/** The calendar repeats after 400 years: what does not happen in them never does. */
const cycleDays = 146_097

/** The first wall time of the expression at `wall` or later; `undefined` when there is none for 400 years. */
export const nextWall = (cron: Cron, wall: number): number | undefined => {
  const second = Math.ceil(wall / 1000)
  const day = Math.floor(second / 86_400)
  if (isDay(cron, day)) {
    const time = timeFrom(cron, second - day * 86_400)
    if (time !== undefined) return day * dayMs + time * 1000
  }
  const end = day + cycleDays
  const next = nextDay(cron, day + 1, end)
  return next < end ? next * dayMs + timeFrom(cron, 0)! * 1000 : undefined
}

/** The last wall time of the expression before `wall`, and not before `from`. */
export const previousWall = (cron: Cron, wall: number, from: number): number | undefined => {
  const second = Math.ceil(wall / 1000) - 1
  const first = Math.floor(from / dayMs)
  let time = second - Math.floor(second / 86_400) * 86_400
  for (let day = Math.floor(second / 86_400); day >= first; day--, time = 86_399) {
    const found = isDay(cron, day) ? timeUpTo(cron, time) : undefined
    if (found !== undefined) {
      const at = day * dayMs + found * 1000
      return at >= from ? at : undefined
    }
  }
  return undefined
}

/** How many wall times of the expression there are from `from` up to and without `to`. */
export const countWalls = (cron: Cron, from: number, to: number): number => {
  if (to <= from) return 0
  const [first, last] = [Math.ceil(from / 1000), Math.ceil(to / 1000)]
  const [firstDay, lastDay] = [Math.floor(first / 86_400), Math.floor(last / 86_400)]
  const perDay = cron.hour.values.length * cron.minute.values.length * cron.second.values.length
  let count = 0
  for (let day = firstDay; day <= lastDay; day++) {
    if (!isDay(cron, day)) continue
    count += day === lastDay ? timesBefore(cron, last - day * 86_400) : perDay
    if (day === firstDay) count -= timesBefore(cron, first - day * 86_400)
  }
  return count
}

/** Is there a day that the expression means? */
export const happensOn = (cron: Cron): boolean => nextDay(cron, 0, cycleDays) < cycleDays

/** Days are counted from 1970-01-01, a Thursday. */
const isDay = (cron: Cron, day: number): boolean => {
  const date = new Date(day * dayMs)
  if (!cron.month.has[date.getUTCMonth() + 1]) return false
  const ofMonth = cron.day.has[date.getUTCDate()]!
  const ofWeek = cron.weekday.has[date.getUTCDay()]!
  return cron.day.star || cron.weekday.star ? ofMonth && ofWeek : ofMonth || ofWeek
}

/** The first day from `day` on, and before `end`, that the expression means; else `end` or later. */
const nextDay = (cron: Cron, from: number, end: number): number => {
  let day = from
  while (day < end && !isDay(cron, day)) {
    const date = new Date(day * dayMs)
    const month = cron.month.has[date.getUTCMonth() + 1]
    day = month ? day + 1 : Date.UTC(date.getUTCFullYear(), date.getUTCMonth() + 1, 1) / dayMs
  }
  return day
}

const atLeast = (values: ReadonlyArray<number>, low: number): number | undefined => {
  for (const value of values) if (value >= low) return value
  return undefined
}

const atMost = (values: ReadonlyArray<number>, high: number): number | undefined => {
  for (let index = values.length - 1; index >= 0; index--) if (values[index]! <= high) return values[index]
  return undefined
}

/** The first time of a day, in seconds, at `from` or later. */
const timeFrom = ({ hour, minute, second }: Cron, from: number): number | undefined => {
  const [h, m, s] = split(from)
  if (hour.has[h]) {
    const sameMinute = minute.has[m] ? atLeast(second.values, s) : undefined
    if (sameMinute !== undefined) return join(h, m, sameMinute)
    const laterMinute = atLeast(minute.values, m + 1)
    if (laterMinute !== undefined) return join(h, laterMinute, second.values[0]!)
  }
  const later = atLeast(hour.values, h + 1)
  return later === undefined ? undefined : join(later, minute.values[0]!, second.values[0]!)
}

/** The last time of a day, in seconds, at `to` or earlier. */
const timeUpTo = ({ hour, minute, second }: Cron, to: number): number | undefined => {
  const [h, m, s] = split(to)
  if (hour.has[h]) {
    const sameMinute = minute.has[m] ? atMost(second.values, s) : undefined
    if (sameMinute !== undefined) return join(h, m, sameMinute)
    const earlierMinute = atMost(minute.values, m - 1)
    if (earlierMinute !== undefined) return join(h, earlierMinute, second.values.at(-1)!)
  }
  const earlier = atMost(hour.values, h - 1)
  return earlier === undefined ? undefined : join(earlier, minute.values.at(-1)!, second.values.at(-1)!)
}

/** How many times of a day there are before this one. */
const timesBefore = ({ hour, minute, second }: Cron, time: number): number => {
  const [h, m, s] = split(time)
  const below = (values: ReadonlyArray<number>, bound: number): number =>
    values.reduce((count, value) => (value < bound ? count + 1 : count), 0)
  const perHour = minute.values.length * second.values.length
  let count = below(hour.values, h) * perHour
  if (!hour.has[h]) return count
  count += below(minute.values, m) * second.values.length
  return minute.has[m] ? count + below(second.values, s) : count
}

const split = (time: number): readonly [hour: number, minute: number, second: number] => {
  const hour = Math.floor(time / 3600)
  const minute = Math.floor((time - hour * 3600) / 60)
  return [hour, minute, time - hour * 3600 - minute * 60]
}

const join = (hour: number, minute: number, second: number): number => hour * 3600 + minute * 60 + second
