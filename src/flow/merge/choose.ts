/**
 * Which of several sources gives the next record.
 *
 * @module
 */
import type { SourceRecord } from "../../drivers/Record.ts"

/** What a source has to give next. While it `isAwaited` it has nothing yet, and the others are not to go on without it. */
export interface Head {
  readonly head: SourceRecord | undefined
  readonly isAwaited: boolean
}

/** The index of a source that has a record, or -1: there is none, or one is awaited first. `last` gave the record before. */
export type Choose = (sides: ReadonlyArray<Head>, last: number) => number

/**
 * The record that happened first, of equal ones that of the source that comes first in the file. A source's own
 * order is never changed: what stands behind a later record waits for it. A record without a time goes at once.
 */
export const firstByTime: Choose = (sides) => {
  let first = -1
  let least = Number.POSITIVE_INFINITY
  for (let index = 0; index < sides.length; index++) {
    const { head, isAwaited } = sides[index]!
    if (head === undefined) {
      if (isAwaited) return -1
      continue
    }
    const time = (head.failure === undefined ? head.eventTime : undefined) ?? Number.NEGATIVE_INFINITY
    if (first === -1 || time < least) {
      first = index
      least = time
    }
  }
  return first
}

/** One record of each source in turn, in the order of the file; a source that has none is passed over. */
export const inTurns: Choose = (sides, last) => {
  for (let step = 1; step <= sides.length; step++) {
    const index = (last + step) % sides.length
    const { head, isAwaited } = sides[index]!
    if (head !== undefined) return index
    if (isAwaited) return -1
  }
  return -1
}
