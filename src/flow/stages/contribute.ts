/**
 * The records of one batch, sorted into the windows they belong to.
 *
 * @module
 */
import type { Measured, WindowsDelta } from "../../../events/WindowsDelta.ts"
import { addAllMeasured } from "../../../projections/addMeasured.ts"
import { addSession, addSpans, type Span } from "../../../projections/Span.ts"
import { ofGroup, openCount, type Windows } from "../../../projections/Windows.ts"
import type { Scope } from "../expression/Expression.ts"
import { RecordFailure } from "../route/Route.ts"
import type { Extent } from "./windowsOf.ts"

/** What the records of one batch add. */
export interface Contribution {
  /**
   * Takes a record in, and answers how to take it back: the latest first, should another piece of the same
   * source record fail. Throws a `RecordFailure` and takes nothing in: `no_event_time`, `bad_event_time`,
   * `expression_failed`, `bad_measure`, `too_many_windows`. A record between windows adds nothing.
   */
  readonly add: (payload: unknown, scope: Scope) => () => void
  /** What has been added so far. It is to be applied to the windows the contribution began with. */
  readonly delta: () => WindowsDelta
}

/** What a record says: when it happened (ms), the key of its group, and its share in every measure. */
export interface TakenIn {
  readonly at: number
  readonly key: string
  readonly made: ReadonlyArray<Measured>
}

export interface ContributionSettings {
  readonly sessions: boolean
  /** So many windows may be open. */
  readonly limit: number
  readonly windowsOf: (at: number) => ReadonlyArray<Extent>
}

/** What this batch has added to a window; null for a window that was open before and is not touched. */
type Share = ReadonlyArray<Measured> | null

/** `takeIn` reads the `arrival`-th record of the batch, or throws a `RecordFailure`. */
export const contribute = (
  open: Windows,
  { limit, sessions, windowsOf }: ContributionSettings,
  takeIn: (payload: unknown, scope: Scope, arrival: number) => TakenIn
): Contribution => {
  /** The windows of the groups that were touched, those that were open before among them. */
  const groups = new Map<string, ReadonlyArray<Span<Share>>>()
  let records = 0
  let openNow = openCount(open)
  const put = (windows: ReadonlyArray<Span<Share>>, extents: ReadonlyArray<Extent>, made: Share) => {
    const added = extents.map((extent) => ({ ...extent, made }))
    return sessions ? addSession(windows, added[0]!, together) : addSpans(windows, added, together)
  }
  return {
    add: (payload, scope) => {
      const { at, key, made } = takeIn(payload, scope, records)
      const extents = windowsOf(at)
      for (const { end, start } of extents) {
        if (start < -latest || end > latest) throw outOfRange(at)
      }
      const before = groups.get(key) ?? ofGroup(open, key).map(untouched)
      const after = put(before, extents, made)
      const more = after.length - before.length
      if (more > 0 && openNow + more > limit) throw tooMany(limit)
      groups.set(key, after)
      openNow += more
      records++
      return () => {
        groups.set(key, before)
        openNow -= more
        records--
      }
    },
    delta: () => deltaOf(groups, records, sessions)
  }
}

/** The last instant that a date can name, in ms; the first is as far away on the other side. */
const latest = 8.64e15

const together = (earlier: Share, later: Share): Share =>
  earlier === null ? later : later === null ? earlier : addAllMeasured(earlier, later)

const untouched = ({ end, start }: Extent): Span<Share> => ({ start, end, made: null })

const outOfRange = (at: number): RecordFailure =>
  new RecordFailure("bad_event_time", `a window around ${at} ms is beyond what a date can say`)

const tooMany = (limit: number): RecordFailure =>
  new RecordFailure("too_many_windows", `${limit} windows are open already, and this record needs another`)

const deltaOf = (
  groups: ReadonlyMap<string, ReadonlyArray<Span<Share>>>,
  records: number,
  sessions: boolean
): WindowsDelta => ({
  records,
  sessions,
  windows: [...groups].flatMap(([key, windows]) =>
    windows.flatMap(({ end, made, start }) =>
      made === null ? [] : [{ key, start, end, made: made.map(asStored) }]
    )
  )
})

/**
 * The same share as the log will have it. What this process goes on with must not differ from what another
 * one reads, and a payload may hold a negative zero.
 */
const asStored = (share: Measured): Measured =>
  "first" in share || "last" in share || "collect" in share
    ? (JSON.parse(JSON.stringify(share)) as Measured)
    : share
