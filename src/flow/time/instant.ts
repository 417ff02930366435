/**
 * A date and a time of day, UTC, as an instant.
 *
 * @module
 */

/** As people count: months and days from 1. */
export interface Parts {
  year: number
  month: number
  day: number
  hour: number
  minute: number
  second: number
  ms: number
}

const monthDays = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]
/** The calendar repeats after 400 years of this many milliseconds. */
const cycleMs = 146_097 * 86_400_000

/** Milliseconds since 1970; `undefined` where the calendar or the clock has no such time, leap seconds included. */
export const instant = ({ day, hour, minute, month, ms, second, year }: Parts): number | undefined => {
  if (month < 1 || month > 12 || day < 1 || hour > 23 || minute > 59 || second > 59) return undefined
  const leap = month === 2 && year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0)
  if (day > monthDays[month - 1]! + (leap ? 1 : 0)) return undefined
  // A cycle later, because Date.UTC takes a year below 100 for one of the twentieth century.
  return Date.UTC(year + 400, month - 1, day, hour, minute, second, ms) - cycleMs
}
