/**
 * Which of the letters that stand a request means; what it names wrongly is refused with its place.
 *
 * @module
 */
import { Effect } from "effect"
import { nearest } from "../../events/nearest.ts"
import type { DeadLetter } from "../../projections/DeadLetters.ts"
import * as LetterPage from "../../projections/LetterPage.ts"
import { type Failure, failed } from "../api/failures.ts"
import type { LetterChoice } from "../api/redrives.ts"
import { chosen, isIds, type Standing } from "../pipeline/letters/readStanding.ts"

export interface Choice {
  readonly letters: LetterChoice
  /** Only letters behind this one. */
  readonly after?: string | undefined
}

type Refused = Failure<"InvalidRedrive"> | Failure<"BadRequest">

/** In the order they are named, or were read. Nothing is refused where `all` or a filter fit none. */
export const chooseLetters = Effect.fnUntraced(function* (
  standing: Standing,
  { after, letters: choice }: Choice
): Effect.fn.Return<ReadonlyArray<DeadLetter>, Refused> {
  const place = after === undefined ? undefined : yield* placeOf(after, "body")
  if (isIds(choice)) yield* refuseUnknown(standing, choice)
  const letters = yield* Effect.orDie(chosen(standing, choice))
  return place === undefined ? letters : letters.filter((letter) => LetterPage.compare(letter, place) > 0)
})

/** An edit that would go nowhere is a slip of the hand. */
export const refuseStray = (
  edits: Readonly<Record<string, unknown>>,
  letters: ReadonlyArray<DeadLetter>
): Effect.Effect<void, Refused> => {
  const known = new Set(letters.map(({ id }) => id))
  const stray = Object.keys(edits).find((id) => !known.has(id))
  return stray === undefined
    ? Effect.void
    : Effect.fail(
        failed("InvalidRedrive", `There is an edit for ${JSON.stringify(stray)}, which is not chosen`, {
          reason: "unknown_letter",
          path: `/edits/${stray.replaceAll("~", "~0").replaceAll("/", "~1")}`,
          suggestion: meantOf(stray, letters)
        })
      )
}

/** The place that the id of a letter speaks of. */
export const placeOf = (id: string, where: "body" | "query") => {
  const place = LetterPage.placeOf(id)
  return place === undefined
    ? Effect.fail(
        failed("BadRequest", `${JSON.stringify(id)} is not the id of a dead letter`, {
          where,
          path: "/after",
          suggestion: "send the `next` of the page before"
        })
      )
    : Effect.succeed(place)
}

/** The id that was most likely meant, of those there are. */
export const meantOf = (id: string, letters: ReadonlyArray<{ readonly id: string }>): string => {
  const meant = nearest(
    id,
    letters.slice(0, comparedMost).map((letter) => letter.id)
  )
  return meant === undefined ? "GET …/dead_letters lists those that stand" : `did you mean ${meant}?`
}

/** Ids that one that is not there is compared with. */
const comparedMost = 10_000

const refuseUnknown = ({ letters }: Standing, ids: ReadonlyArray<string>): Effect.Effect<void, Refused> => {
  const known = new Set(letters.map(({ id }) => id))
  const at = ids.findIndex((id) => !known.has(id))
  if (at !== -1) {
    const id = ids[at]!
    return Effect.fail(
      failed(
        "InvalidRedrive",
        `No dead letter ${JSON.stringify(id)} is owed to anybody: it has left, or never was`,
        {
          reason: "unknown_letter",
          path: `/letters/${at}`,
          suggestion: meantOf(id, letters)
        }
      )
    )
  }
  if (new Set(ids).size === ids.length) return Effect.void
  const twice = ids.findIndex((id, index) => ids.indexOf(id) < index)
  return Effect.fail(
    failed("InvalidRedrive", `${JSON.stringify(ids[twice])} is named twice`, {
      reason: "redrive_open",
      path: `/letters/${twice}`,
      suggestion: "name every letter once"
    })
  )
}
