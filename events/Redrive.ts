/**
 * What is asked for a dead letter, and the name under which its effects are remembered.
 *
 * @module
 */
import { Schema } from "effect"
import { Json } from "./Json.ts"

const Text = Schema.String
const Count = Schema.Int

/**
 * One letter that is to be tried again: `n` counts its redrives from 1, `branches` are the sinks that are owed
 * it, `sealed` is the version of the event in the log that holds its bytes.
 */
export const LetterRequest = Schema.Struct({
  letter: Text,
  n: Count,
  branches: Schema.Array(Text),
  sealed: Count
})
export type LetterRequest = typeof LetterRequest.Type

/**
 * The payload that enters in place of what was read. `changes` are its differences to the payload the letter's
 * bytes hold, by JSON pointer, as far as those could be read and are few; the bytes stay in the letter.
 */
export const LetterEdit = Schema.Struct({
  letter: Text,
  payload: Json,
  changes: Schema.Array(
    Schema.Struct({
      path: Text,
      before: Schema.optionalKey(Json),
      after: Schema.optionalKey(Json)
    })
  )
})
export type LetterEdit = typeof LetterEdit.Type

/** Letters in one request: an event stays small, whatever is asked for. */
export const requestedMost = 500
/** Redrives that are requested and not settled, of one pipeline: its state stays small. */
export const redrivesMost = 5000
/** Bytes of one edited payload as JSON text, like the cap of a letter's bytes; and of all edits of one event. */
export const editMost = 256 * 1024
export const editsMost = 1024 * 1024
/** Differences that an edit names. */
export const changesMost = 100

/**
 * The key under which a sink remembers a redrive. A letter has at most one that is open, and the next `n` is
 * taken only when the last one is settled, so no effect has two keys. C9
 */
export const redriveKey = (of: {
  readonly pipeline: string
  readonly letter: string
  readonly stage: string
  readonly n: number
}): string => `${of.pipeline}/${of.letter}/${of.stage}/${of.n}`
