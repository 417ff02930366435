/**
 * JSON values compared: equal, or with at least what is asked for.
 *
 * @module
 */

/** The same JSON value; the order of the fields of an object does not count. */
export const isSame = (left: unknown, right: unknown): boolean => compare(left, right, true)

/** Whether a value has everything that `part` names: of an object the named fields, of anything else all of it. */
export const includes = (value: unknown, part: unknown): boolean => compare(value, part, false)

const compare = (value: unknown, wanted: unknown, isWhole: boolean): boolean => {
  if (typeof wanted !== "object" || wanted === null) return value === wanted
  if (typeof value !== "object" || value === null || Array.isArray(value) !== Array.isArray(wanted))
    return false
  if (Array.isArray(wanted) && Array.isArray(value)) {
    return value.length === wanted.length && wanted.every((each, at) => compare(value[at], each, isWhole))
  }
  const of = value as Readonly<Record<string, unknown>>
  const keys = Object.keys(wanted)
  if (isWhole && Object.keys(of).length !== keys.length) return false
  return keys.every((key) => Object.hasOwn(of, key) && compare(of[key], (wanted as typeof of)[key], isWhole))
}
