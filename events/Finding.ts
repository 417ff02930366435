/**
 * What is wrong with something a person wrote, where, and what to do about it.
 *
 * @module
 */
import { Schema } from "effect"

/**
 * One finding. `code` is stable and meant for programs; `pointer` is an RFC 6901 JSON pointer into the
 * document (`""` is the whole of it); `line` and `column` count from 1 and are absent where there is no text.
 */
export const Finding = Schema.Struct({
  severity: Schema.Literals(["error", "warning"]),
  code: Schema.String,
  pointer: Schema.String,
  line: Schema.optionalKey(Schema.Int),
  column: Schema.optionalKey(Schema.Int),
  message: Schema.String,
  suggestion: Schema.optionalKey(Schema.String)
})
export type Finding = typeof Finding.Type

/** An error finding; `at` is a path of keys and indices. */
export const finding = (
  code: string,
  at: ReadonlyArray<PropertyKey>,
  message: string,
  suggestion?: string
): Finding => ({
  severity: "error",
  code,
  pointer: pointer(at),
  message,
  ...(suggestion === undefined ? {} : { suggestion })
})

/** RFC 6901: `~` and `/` inside a key are escaped. */
export const pointer = (at: ReadonlyArray<PropertyKey>): string =>
  at.map((key) => `/${String(key).replaceAll("~", "~0").replaceAll("/", "~1")}`).join("")

export const isError = (finding: Finding): boolean => finding.severity === "error"
