/**
 * Patterns of users, run by RE2: matching takes time linear in the text, whatever the pattern.
 *
 * @module
 */
import { RE2JS } from "re2js"

/** Does the pattern occur in the text? Throws with a readable message when it is not an RE2 pattern. */
export const matches = (text: string, source: string): boolean => pattern(source).matcher(text).find()

const patterns = new Map<string, RE2JS>()
const patternLimit = 256

/** A compiled pattern; the last 256 are kept. Throws like `matches`. */
export const pattern = (source: string): RE2JS => {
  const known = patterns.get(source)
  if (known !== undefined) return known
  if (source.length > 1000) throw new Error("a pattern of more than 1000 characters")
  const compiled = RE2JS.compile(source)
  if (patterns.size >= patternLimit) patterns.delete(patterns.keys().next().value!)
  patterns.set(source, compiled)
  return compiled
}
