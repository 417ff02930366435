/**
 * Dead letters by what went wrong: the same code at the same stage, with messages that differ in their values alone.
 *
 * @module
 */
import { HashMap, Option } from "effect"
import type { DeadLetter } from "./DeadLetters.ts"

/** What letters have in common, how many there are, and one of them. */
export interface LetterCause {
  readonly code: string
  readonly stage: string
  /** The message with `…` in place of numbers, quoted values and long names made of digits. */
  readonly message: string
  readonly count: number
  /** Of these so many are just being tried again. */
  readonly redriving: number
  /** Milliseconds since 1970 at which the log was certain of the first one, and of the last one. */
  readonly firstAt: number
  readonly lastAt: number
  /** The ids of the first and the last one. */
  readonly first: string
  readonly last: string
  readonly example: DeadLetter
}

export interface LetterCauses {
  readonly byCause: HashMap.HashMap<string, LetterCause>
  /** Letters of causes that found no room. */
  readonly omitted: number
}

/** Causes that are told apart; what comes after them is counted. */
export const causesMost = 500
/** Characters of a message that are compared. */
const messageMost = 300

export const initial: LetterCauses = { byCause: HashMap.empty(), omitted: 0 }

/** `at` is when the log was certain of it (ms). */
export const added = (causes: LetterCauses, letter: DeadLetter, at: number): LetterCauses => {
  const { code } = letter.reason
  const message = masked(letter.reason.message)
  const key = JSON.stringify([code, letter.stage, message])
  const known = Option.getOrUndefined(HashMap.get(causes.byCause, key))
  if (known === undefined && HashMap.size(causes.byCause) >= causesMost) {
    return { ...causes, omitted: causes.omitted + 1 }
  }
  const redriving = letter.redriving === true ? 1 : 0
  const next: LetterCause =
    known === undefined
      ? {
          code,
          stage: letter.stage,
          message,
          count: 1,
          redriving,
          firstAt: at,
          lastAt: at,
          first: letter.id,
          last: letter.id,
          example: withShortRaw(letter)
        }
      : {
          ...known,
          count: known.count + 1,
          redriving: known.redriving + redriving,
          lastAt: at,
          last: letter.id
        }
  return { ...causes, byCause: HashMap.set(causes.byCause, key, next) }
}

/** The most frequent first. */
export const list = ({ byCause }: LetterCauses): ReadonlyArray<LetterCause> =>
  [...HashMap.values(byCause)].sort(
    (a, b) => b.count - a.count || a.firstAt - b.firstAt || (a.first < b.first ? -1 : 1)
  )

/** A message without what differs from record to record. */
export const masked = (message: string): string =>
  message
    .slice(0, messageMost)
    .replace(/"[^"]*"|`[^`]*`|(?<!\w)'[^']*'(?!\w)/g, "…")
    // Words with a digit are ids and times: what they say is of this record alone.
    .replace(/(?<![\w-])[-+]?[\w.:+-]*\d[\w.:+-]*/g, "…")
    // However many of them stand in a row: `2d 5h` and `5h` are both a span.
    .replace(/…(?: …)+/g, "…")

/** An example is to be looked at, and there may be many of them. */
const withShortRaw = (letter: DeadLetter): DeadLetter =>
  letter.raw.data.length <= exampleMost
    ? letter
    : { ...letter, raw: { ...letter.raw, data: letter.raw.data.slice(0, exampleMost) } }

/** Characters of an example's record. */
export const exampleMost = 1024
