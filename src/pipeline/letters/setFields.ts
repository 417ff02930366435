/**
 * The payloads of letters with some of their fields given another value, as edits of a redrive.
 *
 * @module
 */
import { Effect, type Scope } from "effect"
import { pipelineStream } from "../../../events/PipelineEvent.ts"
import type { UndecodableEvent } from "../../../events/upcast.ts"
import type { DeadLetter } from "../../../projections/DeadLetters.ts"
import { own } from "../../../projections/own.ts"
import type { Drivers } from "../../drivers/Drivers.ts"
import type { Functions } from "../../flow/Functions.ts"
import type { PlanError } from "../../flow/PlanError.ts"
import { recordBehind, recordOf } from "../../flow/redrive/recordOf.ts"
import { atStage, type StageError } from "../../flow/StageError.ts"
import type { EventLog, LogError } from "../../log/EventLog.ts"
import { Rejection } from "../Command.ts"
import { planFor } from "./dryRun.ts"
import { readLetters } from "./fetchLetter.ts"
import type { Edits } from "./LetterRequest.ts"
import { lastEdits } from "./lastEdits.ts"
import type { Standing } from "./readStanding.ts"

export interface Fields {
  /** By the name of a field, or a JSON pointer (RFC 6901) that begins with `/`. */
  readonly set: Readonly<Record<string, unknown>>
  readonly letters: ReadonlyArray<DeadLetter>
  /** Payloads that are given whole: the fields are set in these. */
  readonly edits: Edits
}

/** Bytes of all payloads, as JSON text, that are made for one request. */
export const setMost = 16 * 1024 * 1024

/**
 * By letter id. What was read is parsed as its source does; a letter that is no object, or could not be read, is
 * refused, and nothing is asked for.
 */
export const setFields = Effect.fnUntraced(function* (
  log: EventLog["Service"],
  id: string,
  functions: Functions,
  standing: Standing,
  { edits: given, letters, set }: Fields
): Effect.fn.Return<
  Edits,
  Rejection | PlanError | StageError | LogError | UndecodableEvent,
  Drivers | Scope.Scope
> {
  const edits = { ...(yield* lastEdits(log, id, standing, letters)), ...given }
  const plan = yield* planFor(standing.state, id, functions, letters)
  const made: Record<string, unknown> = {}
  let bytes = 0
  const keep = (letter: string, payload: unknown): Effect.Effect<void, Rejection> => {
    const next = withFields(payload, set)
    if (typeof next === "string") return Effect.fail(notSettable(letter, next))
    bytes += Buffer.byteLength(JSON.stringify(next))
    made[letter] = next
    return bytes <= setMost ? Effect.void : Effect.fail(tooMuch)
  }
  const read = letters.filter((letter) => !Object.hasOwn(edits, letter.id))
  for (const letter of letters) {
    if (Object.hasOwn(edits, letter.id)) yield* keep(letter.id, edits[letter.id])
  }
  yield* readLetters(log, pipelineStream(id), standing, read, (kept) =>
    Effect.gen(function* () {
      const source = plan.sources.find(({ stage }) => stage === kept.letter.source)
      const record =
        source === undefined
          ? recordBehind(kept)
          : yield* Effect.scoped(recordOf(source.source, kept)).pipe(atStage(source.stage))
      if (record.failure !== undefined) {
        return yield* Effect.fail(notSettable(kept.letter.id, record.failure.message))
      }
      yield* keep(kept.letter.id, record.payload)
    })
  )
  return made
}, Effect.scoped)

const notSettable = (letter: string, why: string): Rejection =>
  new Rejection({
    code: "unknown_letter",
    message: `${letter} has no fields to set: ${why}`,
    suggestion: "give it a whole payload with an edit, or leave it out"
  })

const tooMuch = new Rejection({
  code: "edit_too_large",
  message: `the payloads of these letters have more than ${setMost} bytes`,
  suggestion: "choose fewer at a time"
})

/** The payload with the fields; a text says why it cannot be. What was given is not changed. */
const withFields = (payload: unknown, set: Fields["set"]): object | string => {
  let next: unknown = payload
  for (const [field, value] of Object.entries(set)) {
    const path = field.startsWith("/") ? field.slice(1).split("/").map(unescaped) : [field]
    next = withValue(next, path, value)
    if (next === undefined) return `${JSON.stringify(field)} does not lead to a field of an object`
  }
  return typeof next === "object" && next !== null ? next : "its payload is no object"
}

const withValue = (payload: unknown, [name, ...rest]: ReadonlyArray<string>, value: unknown): unknown => {
  if (name === undefined) return value
  if (typeof payload !== "object" || payload === null) return undefined
  if (reserved.has(name)) return undefined
  if (Array.isArray(payload)) {
    const at = /^\d{1,9}$/.test(name) ? Number(name) : -1
    if (at < 0 || at >= payload.length) return undefined
    const inner = withValue(payload[at], rest, value)
    return inner === undefined ? undefined : payload.with(at, inner)
  }
  const fields = payload as Readonly<Record<string, unknown>>
  const inner = withValue(rest.length === 0 ? null : own(fields, name), rest, value)
  return inner === undefined ? undefined : { ...fields, [name]: inner }
}

const reserved: ReadonlySet<string> = new Set(["__proto__", "constructor", "prototype"])

const unescaped = (part: string): string => part.replaceAll("~1", "/").replaceAll("~0", "~")
