/**
 * The ticks of a schedule: pure functions of the definition and the instant it took effect. All instants
 * are milliseconds since 1970; a tick after `after` and up to `upTo` is due later than the first and not
 * later than the second, so that adjoining spans have every tick exactly once.
 *
 * @module
 */
import { Result } from "effect"
import type { ScheduleDefinition } from "../../events/Definition.ts"
import { tickAt } from "../../events/Tick.ts"
import { type Cron, parseCron } from "./Cron.ts"
import { cronTicks } from "./CronTicks.ts"
import { type Zone, zoneNamed } from "./Zone.ts"

/** One tick: its name, which is stable, and when it is due. */
export interface Tick {
  readonly tick: string
  readonly dueAt: number
}

/** The instants at which a schedule is due. */
export interface Ticks {
  /** The first after this instant; `undefined` when there is none any more. */
  readonly next: (after: number) => number | undefined
  /** The last after `after` and up to `upTo`. */
  readonly last: (after: number, upTo: number) => number | undefined
  /** How many there are after `after` and up to `upTo`, without visiting each. */
  readonly count: (after: number, upTo: number) => number
}

/** A schedule that is due by itself. */
export type TimedSchedule = Exclude<ScheduleDefinition, string>

export const isTimed = (schedule: ScheduleDefinition): schedule is TimedSchedule =>
  typeof schedule !== "string"

/**
 * The ticks of a schedule. An interval is due at `anchor + n × interval`, first after one interval: a
 * restart does not shift it. `manual`, `continuous` and a schedule with findings have none.
 */
export const ticksOf = (schedule: ScheduleDefinition, anchor: number): Ticks => {
  if (!isTimed(schedule)) return none
  if ("interval" in schedule) return schedule.interval > 0 ? intervalTicks(schedule.interval, anchor) : none
  const compiled = compile(schedule.cron, schedule.time_zone)
  return compiled === undefined ? none : since(cronTicks(compiled.cron, compiled.zone), anchor)
}

/** The first tick after an instant. */
export const nextTick = (schedule: ScheduleDefinition, anchor: number, after: number): Tick | undefined => {
  const dueAt = ticksOf(schedule, anchor).next(after)
  return dueAt === undefined ? undefined : { tick: tickAt(dueAt), dueAt }
}

/** The ticks after `after` and up to `upTo`, the first `limit` of them. */
export const ticksBetween = (
  schedule: ScheduleDefinition,
  anchor: number,
  after: number,
  upTo: number,
  limit: number
): ReadonlyArray<Tick> => {
  const ticks = ticksOf(schedule, anchor)
  const found: Array<Tick> = []
  for (let due = ticks.next(after); due !== undefined && due <= upTo && found.length < limit; ) {
    found.push({ tick: tickAt(due), dueAt: due })
    due = ticks.next(due)
  }
  return found
}

const none: Ticks = { next: () => undefined, last: () => undefined, count: () => 0 }

/** Reading an expression costs as much as some ticks of it: the last few read are kept. */
const compiled = new Map<string, { readonly cron: Cron; readonly zone: Zone }>()
const compiledMost = 1000

/** An expression and its zone, read; `undefined` when one of them has findings. */
export const compile = (
  text: string,
  zoneName: string
): { readonly cron: Cron; readonly zone: Zone } | undefined => {
  const key = `${zoneName} ${text}`
  const known = compiled.get(key)
  if (known !== undefined) return known
  const cron = Result.getOrUndefined(parseCron(text))
  const zone = zoneNamed(zoneName)
  if (cron === undefined || zone === undefined) return undefined
  if (compiled.size >= compiledMost) compiled.clear()
  compiled.set(key, { cron, zone })
  return { cron, zone }
}

const intervalTicks = (interval: number, anchor: number): Ticks => {
  /** How many ticks are due up to an instant. */
  const upTo = (instant: number): number => Math.max(0, Math.floor((instant - anchor) / interval))
  return {
    next: (after) => anchor + (upTo(after) + 1) * interval,
    last: (after, to) => (upTo(to) > upTo(after) ? anchor + upTo(to) * interval : undefined),
    count: (after, to) => Math.max(0, upTo(to) - upTo(after))
  }
}

/** Nothing is due before the schedule took effect. */
const since = (ticks: Ticks, anchor: number): Ticks => ({
  next: (after) => ticks.next(Math.max(after, anchor)),
  last: (after, upTo) => ticks.last(Math.max(after, anchor), upTo),
  count: (after, upTo) => ticks.count(Math.max(after, anchor), upTo)
})
