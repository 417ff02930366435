/**
 * Times as ISO 8601 writes them.
 *
 * @module
 */
import { instant } from "./instant.ts"

const iso =
  /^(\d{4})-(\d\d)-(\d\d)(?:[T ](\d\d):(\d\d)(?::(\d\d)(?:[.,](\d{1,9}))?)?(Z|[+-]\d\d(?::?\d\d)?)?)?$/

/**
 * A date, alone or with a time of day and an offset: `2024-01-31`, `2024-01-31T10:00`,
 * `2024-01-31T10:00:00.123+01:00`. Without an offset it is UTC; beyond milliseconds digits are cut off.
 */
export const parseIso = (value: unknown): number | undefined => {
  const found = typeof value === "string" ? iso.exec(value) : null
  if (found === null) return undefined
  const [, year, month, day, hour = 0, minute = 0, second = 0, fraction = "", zone = "Z"] = found
  const ms = instant({
    year: Number(year),
    month: Number(month),
    day: Number(day),
    hour: Number(hour),
    minute: Number(minute),
    second: Number(second),
    ms: Number(fraction.slice(0, 3).padEnd(3, "0"))
  })
  const offset = zone === "Z" ? 0 : offsetMs(zone)
  return ms === undefined || offset === undefined ? undefined : ms - offset
}

/** How far a zone like `+01:00`, `-0530` or `+02` is ahead of UTC. */
const offsetMs = (zone: string): number | undefined => {
  const hours = Number(zone.slice(1, 3))
  const minutes = Number(zone.slice(3).replace(":", ""))
  if (hours > 23 || minutes > 59) return undefined
  return (zone.startsWith("-") ? -1 : 1) * (hours * 60 + minutes) * 60_000
}
