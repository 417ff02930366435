/**
 * Is the kept roster what the events fold to? It stands at a position of the whole log.
 *
 * @module
 */
import { isDeepStrictEqual } from "node:util"
import { Effect, Option } from "effect"
import type { StoredEvent } from "../../events/StoredEvent.ts"
import { allStreams, EventLog } from "../log/EventLog.ts"
import type { BadRow } from "../log/verify.ts"
import { rosterModel } from "../pipeline/LiveRoster.ts"

/** Takes the rows of all streams in global order; at the end it says what was wrong, if anything was. */
export const verifyRoster = Effect.gen(function* () {
  const log = yield* EventLog
  const { decode, encode, evolve, foldVersion, initial, name } = rosterModel
  const saved = Option.getOrUndefined(yield* log.loadSnapshot(allStreams, name, foldVersion))
  let state = initial
  let last = 0
  let bad: BadRow | null = null
  const step = (row: StoredEvent): void => {
    if (saved === undefined || row.position > saved.version) return
    state = evolve(state, row)
    last = row.position
    if (last === saved.version && !isSame(encode(state), saved.state)) {
      bad = {
        stream: row.stream,
        version: row.version,
        reason: "the saved roster differs from what the events fold to"
      }
    }
  }
  const end = (): BadRow | null => {
    if (saved === undefined || last === saved.version) return bad
    const reason = `the saved roster stands at position ${saved.version}, where the log has no event`
    return { stream: allStreams, version: saved.version, reason }
  }
  /** As the model reads it: what it would not take for a snapshot is none. */
  const isSame = (folded: string | null, kept: string): boolean => {
    try {
      return (
        folded !== null && isDeepStrictEqual(JSON.parse(folded), JSON.parse(encode(decode(kept)) ?? "null"))
      )
    } catch {
      return true
    }
  }
  return { step, end }
})
