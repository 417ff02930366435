/**
 * What a schedule will do next, as a person sees it: local times, and where a change of the clocks makes
 * them odd.
 *
 * @module
 */
import type { ScheduleDefinition } from "../../events/Definition.ts"
import { cronTicks, leftOut } from "./CronTicks.ts"
import { compile, type Tick, ticksBetween } from "./Ticks.ts"
import { utc, type Zone } from "./Zone.ts"

/** One fire to come. */
export interface Fire extends Tick {
  /** Date and time on the wall, to the second: `2026-03-29T03:00:00`; that of UTC for an interval. */
  readonly local: string
  /** How far that is ahead of UTC: `+02:00`. */
  readonly offset: string
  readonly timeZone: string
  /** What a change of the clocks does to it. */
  readonly note?: string
}

/** More are nothing to look at. */
export const previewMost = 1000

export interface PreviewInput {
  readonly schedule: ScheduleDefinition
  /** Fires are those after this instant, ms since 1970. */
  readonly from: number
  /** How many; at most `previewMost`. */
  readonly n: number
  /** When the schedule took effect; `from` for one that is not in force yet. Intervals count from it. */
  readonly anchor?: number
}

/** The next fires; none for `manual`, `continuous` and a schedule with findings. */
export const preview = ({ anchor, from, n, schedule }: PreviewInput): ReadonlyArray<Fire> => {
  const ticks = ticksBetween(
    schedule,
    anchor ?? from,
    from,
    Number.POSITIVE_INFINITY,
    Math.min(n, previewMost)
  )
  const cron = typeof schedule !== "string" && "cron" in schedule ? schedule : undefined
  const compiled = cron && compile(cron.cron, cron.time_zone)
  return ticks.map((tick) => {
    const fire = shown(tick, compiled?.zone ?? utc)
    const note = compiled === undefined ? undefined : noteOf(tick.dueAt, compiled)
    return note === undefined ? fire : { ...fire, note }
  })
}

const shown = (tick: Tick, zone: Zone): Fire => {
  const { offset } = zone.at(tick.dueAt)
  return { ...tick, local: wallText(tick.dueAt + offset), offset: offsetText(offset), timeZone: zone.name }
}

type Compiled = NonNullable<ReturnType<typeof compile>>

const noteOf = (dueAt: number, { cron, zone }: Compiled): string | undefined => {
  const stretch = zone.at(dueAt)
  const wall = dueAt + stretch.offset
  const missing = dueAt === stretch.start ? leftOut(cron, stretch) : undefined
  if (missing !== undefined && cron.hour.values.length < 24) {
    const sameDay = dateText(missing) === dateText(wall)
    return sameDay
      ? `${clockText(missing)} does not exist on this day: runs at ${clockText(wall)}`
      : `${dateText(missing)} ${clockText(missing)} does not exist: runs at ${dateText(wall)} ${clockText(wall)}`
  }
  if (wall < stretch.start + stretch.before) return `the second ${clockText(wall)} of this day`
  const following = zone.at(stretch.end)
  if (wall < stretch.end + following.offset) return undefined
  const second = wall - following.offset
  const repeats = cronTicks(cron, zone).next(second - 1) === second
  return `${clockText(wall)} comes twice on this day: runs ${repeats ? "both times" : "the first time"}`
}

const wallText = (wall: number): string => new Date(wall).toISOString().slice(0, -".000Z".length)

const dateText = (wall: number): string => wallText(wall).slice(0, "2026-03-29".length)

/** Hours and minutes, and seconds if there are any. */
const clockText = (wall: number): string => wallText(wall).slice("2026-03-29T".length).replace(/:00$/, "")

const offsetText = (offset: number): string => {
  const minutes = Math.round(Math.abs(offset) / 60_000)
  const two = (value: number): string => String(value).padStart(2, "0")
  return `${offset < 0 ? "-" : "+"}${two(Math.floor(minutes / 60))}:${two(minutes % 60)}`
}
