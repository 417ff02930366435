/**
 * How far event time has come, over several sources: a value, never changed, plain JSON.
 *
 * A source's watermark is the latest event time it has given. The combined watermark is the least of those of
 * the active sources, and never falls. A source without a record for its idle timeout is left out, so it holds
 * nobody up; one that comes back with older records finds them late, and moves nothing back. An active source
 * that has not given anything yet holds the others where they are.
 *
 * Times are milliseconds since 1970; `nowMs` is the engine's Clock and never falls between two calls.
 *
 * @module
 */
import { endOfTime, type SealedTime } from "../../../events/BatchMemory.ts"

export { endOfTime } from "../../../events/BatchMemory.ts"

/** `idleTimeoutMs`: how long a source may give nothing before it is left out. */
export interface TrackedSource {
  readonly source: string
  readonly idleTimeoutMs: number
}

interface Mark {
  readonly idleTimeoutMs: number
  /** `null` before its first record. */
  readonly watermark: number | null
  /** When it last gave a record, or was last known to be busy. */
  readonly seenAt: number
  readonly ended: boolean
}

export interface WatermarkTracker {
  readonly marks: Readonly<Record<string, Mark>>
  /** As of the last change; `null` while some active source holds it back from the start. */
  readonly settled: number | null
  readonly changedAt: number
}

/** Nothing has been given yet; idle timeouts are counted from now. */
export const make = (sources: ReadonlyArray<TrackedSource>, nowMs: number): WatermarkTracker => ({
  marks: Object.fromEntries(
    sources.map(({ idleTimeoutMs, source }) => [
      source,
      { idleTimeoutMs, watermark: null, seenAt: nowMs, ended: false }
    ])
  ),
  settled: null,
  changedAt: nowMs
})

/** As a seal in the log has it; idle timeouts are counted from now. A source the seal does not know is new. */
export const restore = (
  sources: ReadonlyArray<TrackedSource>,
  time: SealedTime | null,
  nowMs: number
): WatermarkTracker => {
  const fresh = make(sources, nowMs)
  if (time === null) return fresh
  const marks = Object.entries(fresh.marks).map(([source, mark]): [string, Mark] => {
    const watermark = Object.hasOwn(time.watermarks, source) ? time.watermarks[source]! : null
    return [source, watermark === endOfTime ? { ...mark, ended: true } : { ...mark, watermark }]
  })
  return { marks: Object.fromEntries(marks), settled: time.combined, changedAt: nowMs }
}

/** A record of the source happened at that time. One of a source that had ended opens it again. */
export const update = (
  tracker: WatermarkTracker,
  source: string,
  timeMs: number,
  nowMs: number
): WatermarkTracker =>
  changed(settle(tracker, nowMs), source, nowMs, (mark) => ({
    ...mark,
    watermark: Math.max(mark.watermark ?? Number.NEGATIVE_INFINITY, timeMs),
    seenAt: Math.max(mark.seenAt, nowMs),
    ended: false
  }))

/** The source has come to its end: it waits for nothing any more, and neither do the others for it. */
export const ended = (tracker: WatermarkTracker, source: string, nowMs: number): WatermarkTracker =>
  changed(settle(tracker, nowMs), source, nowMs, (mark) => ({ ...mark, ended: true }))

/**
 * The source is not idle although it gives nothing: it is not being asked. Its idle timeout begins anew, also
 * where it had passed without anybody having looked.
 */
export const busy = (tracker: WatermarkTracker, source: string, nowMs: number): WatermarkTracker => {
  const mark = markOf(tracker, source)
  return mark === undefined
    ? tracker
    : { ...tracker, marks: { ...tracker.marks, [source]: { ...mark, seenAt: nowMs } } }
}

/** max(previous, min(active)); `null` while nothing can be said yet. */
export const combined = (tracker: WatermarkTracker, nowMs: number): number | null => {
  const marks = Object.values(tracker.marks)
  if (marks.length > 0 && marks.every((mark) => mark.ended)) return endOfTime
  // An ended source does not make an idle one late: only those that may still give something are asked.
  const open = marks.filter((mark) => !mark.ended)
  const active = open.filter((mark) => !isIdle(mark, nowMs))
  const least = leastOf(active.length > 0 ? active : lastActive(open, tracker.changedAt))
  if (least === null) return tracker.settled
  return tracker.settled === null ? least : Math.max(tracker.settled, least)
}

/** A record of that time would come after its time, by more than it is allowed to. */
export const isLate = (
  tracker: WatermarkTracker,
  timeMs: number,
  allowedLatenessMs: number,
  nowMs: number
): boolean => {
  const mark = combined(tracker, nowMs)
  return mark !== null && timeMs < mark - allowedLatenessMs
}

/** The sources that are left out because they have given nothing for too long. */
export const idle = (tracker: WatermarkTracker, nowMs: number): ReadonlyArray<string> =>
  Object.keys(tracker.marks).filter((source) => {
    const mark = tracker.marks[source]!
    return !mark.ended && isIdle(mark, nowMs)
  })

/** What a seal keeps of it. */
export const sealed = (tracker: WatermarkTracker, nowMs: number): SealedTime => ({
  idle: idle(tracker, nowMs),
  watermarks: Object.fromEntries(
    Object.entries(tracker.marks).flatMap(([source, mark]) => {
      const watermark = mark.ended ? endOfTime : mark.watermark
      return watermark === null ? [] : [[source, watermark]]
    })
  ),
  combined: combined(tracker, nowMs)
})

const markOf = ({ marks }: WatermarkTracker, source: string): Mark | undefined =>
  Object.hasOwn(marks, source) ? marks[source] : undefined

const isIdle = ({ idleTimeoutMs, seenAt }: Mark, nowMs: number): boolean => nowMs - seenAt >= idleTimeoutMs

/** Nobody is active any more: event time stays where those who were so longest since then had brought it. */
const lastActive = (marks: ReadonlyArray<Mark>, since: number): ReadonlyArray<Mark> => {
  const until = ({ idleTimeoutMs, seenAt }: Mark) => seenAt + idleTimeoutMs
  const last = Math.max(...marks.map(until))
  return last <= since ? [] : marks.filter((mark) => until(mark) === last)
}

/** `null` when there is none, or one of them has nothing to say yet. */
const leastOf = (marks: ReadonlyArray<Mark>): number | null => {
  let least: number | null = null
  for (const { watermark } of marks) {
    if (watermark === null) return null
    if (least === null || watermark < least) least = watermark
  }
  return least
}

/** What was true until now stays true when an idle source comes back. */
const settle = (tracker: WatermarkTracker, nowMs: number): WatermarkTracker => {
  return { ...tracker, settled: combined(tracker, nowMs), changedAt: nowMs }
}

/** A source that is not tracked has no event time, and changes nothing. */
const changed = (
  tracker: WatermarkTracker,
  source: string,
  nowMs: number,
  change: (mark: Mark) => Mark
): WatermarkTracker => {
  const mark = markOf(tracker, source)
  return mark === undefined
    ? tracker
    : settle({ ...tracker, marks: { ...tracker.marks, [source]: change(mark) } }, nowMs)
}
