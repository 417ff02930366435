/**
 * A value as JSON text, or an error that says what in it JSON has no word for.
 *
 * @module
 */

/**
 * `JSON.stringify` without its silences: NaN and infinities are not written as null, undefined and
 * functions are not left out (invariant 8: no silent coercion). Throws an Error that names the field.
 */
export const encodeJson = (value: unknown): string => {
  check(value, "")
  return JSON.stringify(value)
}

const check = (value: unknown, at: string): void => {
  switch (typeof value) {
    case "string":
    case "boolean":
      return
    case "number":
      if (Number.isFinite(value)) return
      throw new Error(`${place(at)} is ${value}, which JSON cannot hold`)
    case "object":
      checkObject(value, at)
      return
    default:
      throw new Error(`${place(at)} is ${article(typeof value)}, which JSON cannot hold`)
  }
}

const checkObject = (value: object | null, at: string): void => {
  if (value === null || typeof (value as { toJSON?: unknown }).toJSON === "function") return
  if (Array.isArray(value)) {
    for (let index = 0; index < value.length; index++)
      check(value[index], at === "" ? `${index}` : `${at}.${index}`)
    return
  }
  for (const key in value) {
    const field = (value as Record<string, unknown>)[key]
    // Most fields are strings or plain numbers; only the others need their place spelled out.
    if (typeof field === "string" || (typeof field === "number" && field - field === 0)) continue
    check(field, at === "" ? key : `${at}.${key}`)
  }
}

const place = (at: string): string => (at === "" ? "the record" : `field ${at}`)
const article = (type: string): string => (type === "undefined" ? type : `a ${type}`)
