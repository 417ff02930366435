/**
 * Letters that nobody is owed any more, and redrives that are not to be.
 *
 * @module
 */
import { Effect } from "effect"
import { requestedMost } from "../../../events/Redrive.ts"
import type { EventLog } from "../../log/EventLog.ts"
import type { Asker } from "../Asker.ts"
import { Rejection } from "../Command.ts"
import type { HostedPipeline } from "../Pipelines.ts"
import type { LetterChoice } from "./LetterRequest.ts"
import { chosen, lookedAt, readStanding } from "./readStanding.ts"
import { type BenchError, leaveLostRun } from "./requestRedrive.ts"

export interface DiscardRequest {
  readonly letters: LetterChoice
  /** Goes into the log. */
  readonly reason: string
  /** Also letters that are just being tried again. */
  readonly force?: boolean | undefined
  readonly by: Asker
}

/** Answers with the ids of the letters that are discarded. */
export const discardLetters = Effect.fnUntraced(function* (
  pipeline: HostedPipeline,
  log: EventLog["Service"],
  { by, force = false, letters, reason }: DiscardRequest
): Effect.fn.Return<ReadonlyArray<string>, BenchError> {
  yield* leaveLostRun(pipeline, by)
  const standing = yield* readStanding(log, pipeline.actor.id)
  const all = yield* chosen(standing, letters)
  if (all.length === 0) {
    return yield* new Rejection({ code: "unknown_letter", message: "no dead letter is what was asked for" })
  }
  const { at, revision } = lookedAt(standing)
  for (let from = 0; from < all.length; from += requestedMost) {
    const part = all.slice(from, from + requestedMost)
    const named = part.map(({ branches, id }) => ({ letter: id, branches }))
    yield* pipeline.actor.send(
      {
        _tag: "DiscardLetters",
        letters: named,
        reason,
        force,
        revision: revision + from / requestedMost,
        at
      },
      by
    )
  }
  return all.map(({ id }) => id)
})

/** Takes back what was requested and has not begun; answers with the letters it was for. */
export const withdrawRedrive = Effect.fnUntraced(function* (
  { actor }: HostedPipeline,
  letters: "all" | ReadonlyArray<string>,
  reason: string,
  by: Asker
): Effect.fn.Return<ReadonlyArray<string>, BenchError> {
  const before = (yield* actor.state).bench?.open ?? []
  const wanted = letters === "all" ? null : letters
  const after = yield* actor.send({ _tag: "WithdrawRedrives", letters: wanted, reason }, by)
  const open = new Set(after.bench?.open.map(({ letter }) => letter))
  return letters === "all"
    ? before.map(({ letter }) => letter).filter((letter) => !open.has(letter))
    : letters
})
