/**
 * The same `Idempotency-Key` gives the first answer.
 *
 * What makes it durable is the log: the events of a command carry an id that is made of its key
 * (`projections/RememberedCommands.ts`), so a key whose answer was lost with a process is found again there.
 * Before anything is done the log is asked; between the question and the append no other request with the
 * same key is let in. What a command was refused with is not remembered: nothing has happened, and the next
 * attempt is judged anew. A command that caused no event (a start of what is running) is remembered by this
 * process only.
 *
 * @module
 */
import { createHash } from "node:crypto"
import { Deferred, Effect } from "effect"
import { commandId, commandsMost, type RememberedCommand } from "../../projections/RememberedCommands.ts"
import { type Failure, failed } from "../api/failures.ts"

export interface KeyedRequest {
  /** The stream whose log knows the answer: a pipeline's, or the catalog's for a pipeline that is not there yet. */
  readonly stream: string
  /** The header; without it the request is done as often as it is sent. */
  readonly key: string | undefined
  /** Who asks: two senders may have the same key in mind. */
  readonly by: string
  /** The name of the operation in the contract. */
  readonly operation: string
  /** Everything that was asked for, as JSON: path, query, body. */
  readonly request: unknown
}

export interface Idempotency {
  /**
   * Does what was asked for, or answers what came of it the first time. `act` gets the id that all its events
   * must carry as `correlationId` (`undefined` without a key: then the sender of the command makes one).
   * `again` rebuilds the answer from the log, where this process does not remember it.
   */
  readonly once: <A, E, R, E2, R2>(
    request: KeyedRequest,
    act: (correlationId: string | undefined) => Effect.Effect<A, E, R>,
    again: (found: RememberedCommand) => Effect.Effect<A, E2, R2>
  ) => Effect.Effect<A, E | E2 | LookupError | Failure<"IdempotencyKeyReused">, R | R2>
}

/** What asking the log may fail with, as the handlers see it. */
export type LookupError = Failure<"LogUnavailable">

/** Asks the log of a stream what came of a key (`RememberedCommands.find` over its fold). */
export type FindCommand = (
  stream: string,
  key: string
) => Effect.Effect<RememberedCommand | undefined, LookupError>

/** Answers this process remembers, of all pipelines, and the largest of them, as characters of JSON. */
const answersMost = 4 * commandsMost
const answerMost = 16 * 1024

interface Remembered {
  readonly request: string
  readonly answer: unknown
}

export const make = (find: FindCommand): Idempotency => {
  const answers = new Map<string, Remembered>()
  const underWay = new Map<string, Deferred.Deferred<void>>()

  /** Those with the same key wait for each other, whatever becomes of the one before. */
  const alone = <A, E, R>(place: string, use: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
    Effect.suspend(() => {
      const before = underWay.get(place)
      if (before !== undefined) return Effect.andThen(Deferred.await(before), alone(place, use))
      const done = Deferred.makeUnsafe<void>()
      underWay.set(place, done)
      return Effect.onExit(use, () =>
        Effect.suspend(() => {
          underWay.delete(place)
          return Deferred.succeed(done, undefined)
        })
      )
    })

  const remember = (place: string, request: string, answer: unknown): void => {
    // `undefined`, an empty answer, has no text.
    if ((JSON.stringify(answer)?.length ?? 0) > answerMost) return
    answers.set(place, { request, answer })
    if (answers.size > answersMost) answers.delete(answers.keys().next().value!)
  }

  return {
    once: <A, E, R, E2, R2>(
      asked: KeyedRequest,
      act: (correlationId: string | undefined) => Effect.Effect<A, E, R>,
      again: (found: RememberedCommand) => Effect.Effect<A, E2, R2>
    ) => {
      if (asked.key === undefined) return act(undefined)
      const key = digest(`${asked.by}\n${asked.key}`).slice(0, 32)
      const request = digest(JSON.stringify([asked.operation, asked.request])).slice(0, 16)
      const place = `${asked.stream}\n${key}`
      const first = Effect.suspend(() => act(commandId(key, request)))
      return alone(
        place,
        Effect.gen(function* () {
          const known = answers.get(place)
          if (known !== undefined) return known.request === request ? (known.answer as A) : yield* reused
          const found = yield* find(asked.stream, key)
          if (found !== undefined && found.request !== request) return yield* reused
          const answer = yield* found === undefined ? first : again(found)
          remember(place, request, answer)
          return answer
        })
      )
    }
  }
}

const digest = (text: string): string => createHash("sha256").update(text).digest("hex")

const reused = Effect.fail(
  failed("IdempotencyKeyReused", "This Idempotency-Key came with another request before", {
    suggestion: "take a new key for every new request"
  })
)
