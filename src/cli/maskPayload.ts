/**
 * Takes the users' data out of an event that is shown to somebody else: the bytes of dead letters, what they
 * were edited to, the messages that may quote them, the places in sources, which may be values of a column, and digests,
 * which would let a short value be guessed. Counts, codes, names and times stay.
 *
 * @module
 */
import { createHmac } from "node:crypto"

/** The same text gives the same mask under one key, and no mask tells its text without it. */
export type Mask = (text: string) => string

export const maskOf =
  (key: Uint8Array): Mask =>
  (text) =>
    `masked:${createHmac("sha256", key).update(text).digest("hex").slice(0, 16)}`

/** The payload with its values masked; one that cannot be read is masked whole. */
export const maskPayload = (payload: string, mask: Mask): string => {
  try {
    return JSON.stringify(masked(JSON.parse(payload), mask))
  } catch {
    return JSON.stringify(mask(payload))
  }
}

/** Members whose texts are the user's, however deep they lie below. */
const values = new Set(["raw", "position", "range", "digest", "base", "receipt", "output"])

const masked = (value: unknown, mask: Mask): unknown => {
  if (typeof value !== "object" || value === null) return value
  if (Array.isArray(value)) return value.map((each) => masked(each, mask))
  return Object.fromEntries(
    Object.entries(value).map(([key, member]) => {
      if (key === "letters" && Array.isArray(member))
        return [key, member.map((letter) => maskedLetter(letter, mask))]
      if (key === "edits" && Array.isArray(member)) return [key, member.map((edit) => maskedEdit(edit, mask))]
      if (key === "failure") return [key, maskedLetter(member, mask)]
      // The folder a definition came from is not its users' data; the base of a branch is a receipt.
      if (key === "base" && typeof member === "string") return [key, member]
      return [key, values.has(key) ? maskedTexts(member, mask) : masked(member, mask)]
    })
  )
}

/** What was edited stays known, and how is not. */
const maskedEdit = (edit: unknown, mask: Mask): unknown => {
  const { changes, payload, ...rest } = edit as { changes?: ReadonlyArray<object>; payload?: unknown }
  const whole = (value: unknown): string => mask(JSON.stringify(value) ?? "")
  return {
    ...rest,
    payload: whole(payload),
    changes: (changes ?? []).map((change) =>
      Object.fromEntries(
        Object.entries(change).map(([key, value]) => [key, key === "path" ? value : whole(value)])
      )
    )
  }
}

const maskedLetter = (letter: unknown, mask: Mask): unknown => {
  const rest = masked(letter, mask) as { reason?: { code: unknown; message: unknown } } | null
  return rest === null || typeof rest !== "object" || rest.reason === undefined
    ? rest
    : { ...rest, reason: { ...rest.reason, message: mask(String(rest.reason.message)) } }
}

/** Every text below; `encoding` is a word of ours. */
const maskedTexts = (value: unknown, mask: Mask): unknown => {
  if (typeof value === "string") return value === "" ? value : mask(value)
  if (typeof value !== "object" || value === null) return value
  if (Array.isArray(value)) return value.map((each) => maskedTexts(each, mask))
  return Object.fromEntries(
    Object.entries(value).map(([key, member]) => [
      key,
      key === "encoding" ? member : maskedTexts(member, mask)
    ])
  )
}
