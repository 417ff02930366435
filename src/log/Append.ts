/**
 * One append: the request as a store sees it, the decision whether it may be written, and the rows it
 * becomes. Pure, and shared by every store, so that all of them refuse and hash alike.
 *
 * @module
 */
import { hash } from "node:crypto"
import { toUSVString } from "node:util"
import { type Exit, Result } from "effect"
import { hashInput, type StoredEvent } from "../../events/StoredEvent.ts"
import { Fenced, type Head, LogError, type NewEvent, VersionConflict } from "./EventLog.ts"

/** What `EventLog.append` was asked for. Make it with `makeAppend`. */
export interface Append {
  readonly stream: string
  readonly expectedVersion: number
  readonly epoch: number
  readonly events: ReadonlyArray<NewEvent>
}

export type AppendError = VersionConflict | Fenced | LogError

/** How one append of a group ended: where its stream stands now, or why nothing of it was written. */
export type Appended = Exit.Exit<Head, AppendError>

/** A row before the store has given it its place in the global order. */
export type Row = Omit<StoredEvent, "position">

/**
 * An append whose texts every store can keep exactly. UTF-8 has no lone surrogates, so they cannot be
 * stored: in the payload they become their JSON escapes, which mean the same; elsewhere U+FFFD.
 */
export const makeAppend = (
  stream: string,
  at: { readonly expectedVersion: number; readonly epoch: number },
  events: ReadonlyArray<NewEvent>
): Append => ({ ...at, stream: storable(stream), events: events.map(wellFormed) })

/**
 * Invariant 5, as a decision. The epoch is looked at first: a fenced owner must stop whatever its
 * version is. An append at an older version is either the repetition of one that is stored (the same
 * ids at the same versions; the answer is the head as that append left it) or a conflict.
 *
 * `stored` reads the events of the stream after a version.
 */
export const admit = (
  append: Append,
  head: Head,
  stored: (after: number, limit: number) => ReadonlyArray<Pick<StoredEvent, "eventId" | "hash">>
): Result.Result<"write" | Head, VersionConflict | Fenced> => {
  const { epoch, events, expectedVersion, stream } = append
  if (epoch !== head.epoch) return Result.fail(new Fenced({ stream, epoch, actual: head.epoch }))
  if (expectedVersion === head.version) return Result.succeed("write")
  if (events.length > 0 && expectedVersion < head.version) {
    const rows = stored(expectedVersion, events.length)
    const last = rows.at(-1)
    if (last && rows.length === events.length && rows.every((row, i) => row.eventId === events[i]!.eventId)) {
      return Result.succeed({ ...head, version: expectedVersion + rows.length, hash: last.hash })
    }
  }
  return Result.fail(new VersionConflict({ stream, expected: expectedVersion, actual: head.version }))
}

/** The rows of an admitted append, chained to the head they follow. */
export const link = (head: Head, events: ReadonlyArray<NewEvent>): ReadonlyArray<Row> => {
  let previous = head.hash
  return events.map((event, index) => {
    const row = { ...event, stream: head.stream, version: head.version + index + 1, epoch: head.epoch }
    previous = hashOf(previous, row)
    return { ...row, hash: previous }
  })
}

/** The hash of a row that follows a row with the hash `previous`; SHA-256 as 64 hexadecimal digits. */
export const hashOf = (previous: string, row: Omit<Row, "hash">): string =>
  hash("sha256", hashInput(previous, row))

/** An id that is stored already, elsewhere: the caller gave two events one id. */
export const duplicateId = (append: Append): LogError =>
  new LogError({
    operation: "append",
    reason: {
      _tag: "Unusable",
      message: `An event for ${append.stream} has an id that another stored event has. Nothing was written; every event needs an id of its own.`
    }
  })

/** A text without lone surrogates; the same one in nearly every case. */
export const storable = toUSVString

const wellFormed = (event: NewEvent): NewEvent => ({
  ...event,
  payload: isStorable(event.payload) ? event.payload : event.payload.replace(/\p{Surrogate}/gu, jsonEscape),
  by: storable(event.by),
  type: storable(event.type),
  eventId: storable(event.eventId),
  causationId: event.causationId && storable(event.causationId),
  correlationId: event.correlationId && storable(event.correlationId)
})

const isStorable = (text: string): boolean => storable(text) === text

const jsonEscape = (lone: string): string => `\\u${lone.charCodeAt(0).toString(16)}`
