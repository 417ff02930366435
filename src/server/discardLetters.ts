/**
 * The operations `discardDeadLetters` and `withdrawRedrives`: letters that are owed to nobody any more, and redrives
 * that are not to be.
 *
 * @module
 */
import { Effect, Result } from "effect"
import { pipelineStream } from "../../events/PipelineEvent.ts"
import { decodePipelineEvent } from "../../events/upcast.ts"
import { commandId, type RememberedCommand } from "../../projections/RememberedCommands.ts"
import type { LetterChoice } from "../api/redrives.ts"
import { pageMost } from "../api/values.ts"
import { EventLog } from "../log/EventLog.ts"
import type { Asker } from "../pipeline/Asker.ts"
import { foldRows } from "../pipeline/history/foldStream.ts"
import * as Letters from "../pipeline/letters/discardLetters.ts"
import { readStanding } from "../pipeline/letters/readStanding.ts"
import { Pipelines } from "../pipeline/Pipelines.ts"
import { chooseLetters } from "./chooseLetters.ts"
import { refusing } from "./refusalOf.ts"
import { refusingRedrive } from "./refusingRedrive.ts"

interface DiscardPayload {
  readonly letters: LetterChoice
  readonly reason: string
  readonly force?: boolean
}

export const discardLetters = Effect.fnUntraced(
  function* (id: string, { force, letters, reason }: DiscardPayload, by: Asker) {
    const pipelines = yield* Pipelines
    const log = yield* EventLog
    const hosted = yield* pipelines.get(id)
    const chosen = yield* chooseLetters(yield* readStanding(log, id), { letters })
    if (chosen.length === 0) return discarded([])
    const ids = chosen.map((letter) => letter.id)
    return discarded(yield* Letters.discardLetters(hosted, log, { letters: ids, reason, force, by }))
  },
  Effect.scoped,
  refusingRedrive,
  refusing
)

interface WithdrawPayload {
  readonly letters: "all" | ReadonlyArray<string>
  readonly reason?: string | null
}

export const withdrawRedrives = Effect.fnUntraced(
  function* (id: string, { letters, reason }: WithdrawPayload, by: Asker) {
    const hosted = yield* (yield* Pipelines).get(id)
    const gone = yield* Letters.withdrawRedrive(hosted, letters, reason ?? "", by).pipe(
      Effect.catchIf(
        // Nothing that waits is what was wanted.
        (error) => error._tag === "Rejection" && error.code === "nothing_to_withdraw" && letters === "all",
        () => Effect.succeed<ReadonlyArray<string>>([])
      )
    )
    return withdrawn(gone)
  },
  Effect.scoped,
  refusingRedrive,
  refusing
)

/** The answers to a key whose answer is not remembered: the log knows which letters it was for. */
export const discardAgain = (id: string, found: RememberedCommand) =>
  Effect.map(lettersOf(id, found), discarded)

export const withdrawAgain = (id: string, found: RememberedCommand) =>
  Effect.map(lettersOf(id, found), withdrawn)

const discarded = (letters: ReadonlyArray<string>) => ({
  discarded: letters.length,
  letters: letters.slice(0, pageMost)
})

const withdrawn = (letters: ReadonlyArray<string>) => ({ withdrawn: letters.length, letters })

const lettersOf = Effect.fnUntraced(function* (id: string, { first, key, last, request }: RememberedCommand) {
  const command = commandId(key, request)
  const part = { stream: pipelineStream(id), until: last }
  const from = { state: [] as ReadonlyArray<string>, version: first - 1 }
  const { state } = yield* foldRows(yield* EventLog, part, from, (letters, row) =>
    row.correlationId !== command
      ? Result.succeed(letters)
      : Result.map(decodePipelineEvent(row), (event) => {
          if (event._tag === "RedrivesWithdrawn") return [...letters, ...event.letters]
          if (event._tag !== "DeadLettersDiscarded") return letters
          return [...letters, ...event.letters.map(({ letter }) => letter)]
        })
  )
  return state
}, refusing)
