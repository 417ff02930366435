/**
 * Finds in the log what a redrive needs: its letter with its bytes, and the payload that takes their place.
 *
 * @module
 */
import { Effect, Stream } from "effect"
import { type EventOf, pipelineStream } from "../../../events/PipelineEvent.ts"
import { decodePipelineEvent, type UndecodableEvent } from "../../../events/upcast.ts"
import type { OpenRedrive } from "../../../projections/OpenRedrive.ts"
import type { FetchLetter, KeptLetter } from "../../flow/redrive/KeptLetter.ts"
import { JournalError } from "../../flow/run/Journal.ts"
import type { EventLog, LogError } from "../../log/EventLog.ts"
import { eachEvent } from "../replay/readTimeline.ts"

type Log = EventLog["Service"]

export const fetchLetter =
  (log: Log, pipeline: string): FetchLetter =>
  (redrive) =>
    Effect.mapError(
      readLetter(log, pipelineStream(pipeline), redrive),
      (error) => new JournalError({ code: "log_unavailable", message: error.message })
    )

/** Reads one event, and for an edit a few behind the request. */
export const readLetter = Effect.fnUntraced(function* (
  log: Log,
  stream: string,
  of: Pick<OpenRedrive, "letter" | "n" | "sealed" | "seen" | "edited">
): Effect.fn.Return<KeptLetter, LogError | UndecodableEvent> {
  let found: KeptLetter | undefined
  yield* Stream.runForEach(log.read(stream, { after: of.sealed - 1, limit: 1 }), (row) =>
    Effect.map(Effect.fromResult(decodePipelineEvent(row)), (event) => {
      const letter =
        event._tag === "BatchSealed" ? event.letters.find(({ id }) => id === of.letter) : undefined
      if (letter !== undefined) found = { letter, batch: event as EventOf<"BatchSealed">, edited: undefined }
    })
  )
  // The request was decided on a letter that stands there.
  if (found === undefined) return yield* Effect.die(new Error(`${of.letter} is not in event ${of.sealed}`))
  return of.edited ? { ...found, edited: yield* editOf(log, stream, of) } : found
})

/** Letters with their bytes, in the order of their events: each event is read once. */
export const readLetters = <E, R>(
  log: Log,
  stream: string,
  { sealedAt }: { readonly sealedAt: ReadonlyMap<string, number> },
  letters: ReadonlyArray<{ readonly id: string }>,
  take: (kept: KeptLetter) => Effect.Effect<void, E, R>
): Effect.Effect<void, E | LogError | UndecodableEvent, R> => {
  const wanted = new Set(letters.map(({ id }) => id))
  const versions = new Set(letters.map(({ id }) => sealedAt.get(id)!).toSorted((a, b) => a - b))
  return Effect.forEach(
    versions,
    (version) =>
      Stream.runForEach(log.read(stream, { after: version - 1, limit: 1 }), (row) =>
        Effect.gen(function* () {
          const event = yield* Effect.fromResult(decodePipelineEvent(row))
          if (event._tag !== "BatchSealed") return
          for (const letter of event.letters) {
            if (!wanted.has(letter.id) || sealedAt.get(letter.id) !== version) continue
            yield* take({ letter, batch: event, edited: undefined })
          }
        })
      ),
    { discard: true }
  )
}

const editOf = Effect.fnUntraced(function* (
  log: Log,
  stream: string,
  { letter, n, seen }: Pick<OpenRedrive, "letter" | "n" | "seen">
): Effect.fn.Return<{ readonly payload: unknown }, LogError | UndecodableEvent> {
  let found: { readonly payload: unknown } | undefined
  yield* eachEvent(log, stream, seen, (event) => {
    if (event._tag !== "RedriveRequested") return true
    if (!event.letters.some((each) => each.letter === letter && each.n === n)) return true
    found = event.edits.find((edit) => edit.letter === letter)
    return false
  })
  return found ?? (yield* Effect.die(new Error(`the edit of ${letter} is not in the log`)))
})
