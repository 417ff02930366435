/**
 * A time zone as stretches of constant offset. Offsets come from the platform's IANA database; asking it is
 * slow, so each year is looked through once.
 *
 * @module
 */
import { dayMs } from "./wallClock.ts"

/**
 * From `start` up to and without `end` (ms since 1970) local time is UTC + `offset` (ms). Before `start` it
 * was UTC + `before`: a larger offset now means that local times were left out, a smaller one that some come
 * twice. Stretches also end with each UTC year; then nothing changes.
 */
export interface Stretch {
  readonly start: number
  readonly end: number
  readonly offset: number
  readonly before: number
}

export interface Zone {
  readonly name: string
  /** The stretch that this instant is in. */
  readonly at: (instant: number) => Stretch
}

/** More zones than there are; more years than any schedule is asked about at once. */
const zonesMost = 1000
const yearsMost = 400

/** Two changes nearer to each other than this would be missed if the second undid the first. */
const probeMs = 3 * dayMs

const zones = new Map<string, Zone>()

/** The zone of this IANA name; `undefined` when there is none. */
export const zoneNamed = (name: string): Zone | undefined => {
  const known = zones.get(name)
  if (known !== undefined) return known
  const offsetAt = offsetOf(name)
  if (offsetAt === undefined) return undefined
  const zone = makeZone(name, offsetAt)
  if (zones.size >= zonesMost) zones.clear()
  zones.set(name, zone)
  return zone
}

/** UTC, for schedules without a zone. */
export const utc: Zone = makeZone("UTC", () => 0)

function makeZone(name: string, offsetAt: (instant: number) => number): Zone {
  const years = new Map<number, ReadonlyArray<Stretch>>()
  let last: Stretch | undefined
  const at = (instant: number): Stretch => {
    if (last !== undefined && instant >= last.start && instant < last.end) return last
    const year = new Date(instant).getUTCFullYear()
    let stretches = years.get(year)
    if (stretches === undefined) {
      if (years.size >= yearsMost) years.clear()
      stretches = stretchesOf(year, offsetAt)
      years.set(year, stretches)
    }
    last = stretches.find(({ end }) => instant < end)!
    return last
  }
  return { name, at }
}

const startOf = (year: number): number => new Date(0).setUTCFullYear(year)

const stretchesOf = (year: number, offsetAt: (instant: number) => number): ReadonlyArray<Stretch> => {
  const end = startOf(year + 1)
  const stretches: Array<Stretch> = []
  let start = startOf(year)
  let before = offsetAt(start - 1000)
  let offset = offsetAt(start)
  for (let probe = start; probe < end; ) {
    const next = Math.min(probe + probeMs, end - 1000)
    if (offsetAt(next) !== offset) {
      const change = changeBetween(probe, next, offset, offsetAt)
      stretches.push({ start, end: change, offset, before })
      before = offset
      offset = offsetAt(change)
      start = change
      probe = change
    } else {
      probe = next === end - 1000 ? end : next
    }
  }
  stretches.push({ start, end, offset, before })
  return stretches
}

/** The first second that has another offset; there is one. */
const changeBetween = (
  from: number,
  to: number,
  offset: number,
  offsetAt: (instant: number) => number
): number => {
  let [same, other] = [from / 1000, to / 1000]
  while (other - same > 1) {
    const middle = Math.floor((same + other) / 2)
    if (offsetAt(middle * 1000) === offset) same = middle
    else other = middle
  }
  return other * 1000
}

/** How far local time is ahead of UTC at an instant of whole seconds. */
const offsetOf = (timeZone: string): ((instant: number) => number) | undefined => {
  // An offset such as +02:00 is a zone to the platform too, but no place's time.
  if (!/^[A-Za-z]/.test(timeZone)) return undefined
  let format: Intl.DateTimeFormat
  try {
    format = new Intl.DateTimeFormat("en-US", {
      timeZone,
      calendar: "iso8601",
      numberingSystem: "latn",
      hourCycle: "h23",
      year: "numeric",
      month: "numeric",
      day: "numeric",
      hour: "numeric",
      minute: "numeric",
      second: "numeric"
    })
  } catch {
    return undefined
  }
  return (instant) => {
    const parts: Record<string, number> = {}
    for (const { type, value } of format.formatToParts(instant)) parts[type] = Number(value)
    const { day, hour, minute, month, second, year } = parts as Record<Part, number>
    return Date.UTC(year, month - 1, day, hour, minute, second) - instant
  }
}
type Part = "year" | "month" | "day" | "hour" | "minute" | "second"
