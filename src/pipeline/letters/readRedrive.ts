/**
 * How far redrives are that somebody has asked for, told from the log by where they were asked for.
 *
 * @module
 */
import { Effect, Result } from "effect"
import { pipelineStream } from "../../../events/PipelineEvent.ts"
import { decodePipelineEvent, type UndecodableEvent } from "../../../events/upcast.ts"
import type { EventLog, LogError } from "../../log/EventLog.ts"
import { foldRows } from "../history/foldStream.ts"
import { readOutcomes } from "./awaitRedrive.ts"
import type { LetterOutcome } from "./LetterRequest.ts"

/** What was asked for after version `after` of the log, up to and with version `until`. */
export interface RedriveName {
  readonly after: number
  readonly until: number
}

export interface RedriveSoFar {
  readonly letters: ReadonlyArray<{ readonly letter: string; readonly n: number }>
  readonly outcomes: ReadonlyArray<LetterOutcome>
  /** The version of the last event that says why it does not go on; 0 when there is none. */
  readonly stalledAt: number
}

/** The last redrive of each letter that was asked for there, in the order of asking. */
export const readRedrive = Effect.fnUntraced(function* (
  log: EventLog["Service"],
  id: string,
  name: RedriveName
): Effect.fn.Return<RedriveSoFar, LogError | UndecodableEvent> {
  const { letters, stalledAt } = yield* readRequests(log, id, name)
  const outcomes = yield* readOutcomes(log, id, { letters, seen: name.after })
  return { letters, outcomes, stalledAt }
})

/** The letters that were asked for there. */
export const readRequests = Effect.fnUntraced(function* (
  log: EventLog["Service"],
  id: string,
  { after, until }: RedriveName
) {
  const byLetter = new Map<string, number>()
  let stalledAt = 0
  yield* foldRows(log, { stream: pipelineStream(id) }, { state: byLetter, version: after }, (state, row) => {
    if (row.type === "RedrivesStalled") stalledAt = row.version
    if (row.type !== "RedriveRequested" || row.version > until) return Result.succeed(state)
    return Result.map(decodePipelineEvent(row), (event) => {
      if (event._tag !== "RedriveRequested") return state
      for (const { letter, n } of event.letters) state.set(letter, n)
      return state
    })
  })
  return { letters: [...byLetter].map(([letter, n]) => ({ letter, n })), stalledAt }
})
