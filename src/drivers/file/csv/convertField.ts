/**
 * Field texts as values of a type. Nothing is rounded, guessed or cut (invariant 8).
 *
 * @module
 */

import type { FieldType } from "../FileSourceConfig.ts"
import type { Convert } from "./CsvFormat.ts"

/** `undefined` for strings, which stay as they are. An empty text is null, spaces around a value are not its own. */
export const convertOf = (type: FieldType | undefined): Convert | undefined => {
  switch (type) {
    case undefined:
    case "string":
      return undefined
    case "number":
      return (text) => (text === "" ? null : toNumber(text.trim()))
    case "integer":
      return (text) => (text === "" ? null : toInteger(text.trim()))
    case "boolean":
      return (text) => (text === "" ? null : toBoolean(text.trim()))
  }
}

const decimal = /^[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?$/

const toNumber = (text: string): number => {
  const value = decimal.test(text) ? Number(text) : Number.NaN
  if (Number.isFinite(value)) return value
  throw misfit(text, "a number")
}

const toInteger = (text: string): number => {
  const value = /^[+-]?[0-9]+$/.test(text) ? Number(text) : Number.NaN
  if (Number.isSafeInteger(value)) return value
  throw misfit(text, "an integer that can be held exactly")
}

const toBoolean = (text: string): boolean => {
  const lower = text.toLowerCase()
  if (lower === "true" || lower === "false") return lower === "true"
  throw misfit(text, "true or false")
}

const misfit = (text: string, wanted: string): Error =>
  new Error(`is ${JSON.stringify(text.length > 40 ? `${text.slice(0, 40)}…` : text)}, not ${wanted}`)
