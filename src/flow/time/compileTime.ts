/**
 * How a written time is read: a format compiled into a plain function. Nothing is guessed and nothing is
 * carried over: the 30th of February is no time, not the 1st of March.
 *
 * @module
 */
import { Result } from "effect"
import { instant, type Parts } from "./instant.ts"
import { parseIso } from "./parseIso.ts"

/** Milliseconds since 1970, or `undefined` where the value is no time of the format. */
export type Time = (value: unknown) => number | undefined

/**
 * `iso`, `unix_s`, `unix_ms`, or a pattern of `yyyy MM dd HH mm ss SSS` with other characters between them
 * (UTC; each part once, none without the coarser ones). The failure says what is wrong with the format.
 */
export const compileTime = (format: string): Result.Result<Time, string> => {
  if (format === "iso") return Result.succeed(parseIso)
  if (format === "unix_s") return Result.succeed((value) => scaled(value, 1000))
  if (format === "unix_ms") return Result.succeed((value) => scaled(value, 1))
  return compilePattern(format)
}

/** The outermost instants a date can name, in milliseconds from 1970. */
const outermost = 8.64e15
const decimal = /^-?\d{1,17}(?:\.\d{1,9})?$/

/** Files of text write numbers as text, so a decimal number may be either; nothing else is one. */
const scaled = (value: unknown, factor: number): number | undefined => {
  const number = typeof value === "string" && decimal.test(value) ? Number(value) : value
  if (typeof number !== "number") return undefined
  const ms = Math.round(number * factor)
  return Math.abs(ms) <= outermost ? ms : undefined
}

const parts = {
  yyyy: "year",
  MM: "month",
  dd: "day",
  HH: "hour",
  mm: "minute",
  ss: "second",
  SSS: "ms"
} as const
const tokens = Object.keys(parts) as ReadonlyArray<keyof typeof parts>

type Piece = { readonly part: keyof Parts; readonly width: number } | { readonly literal: string }

const compilePattern = (format: string): Result.Result<Time, string> => {
  const pieces = piecesOf(format)
  if (typeof pieces === "string") return Result.fail(pieces)
  const named = pieces.flatMap((piece) => ("part" in piece ? [piece.part] : []))
  const twice = named.find((part, index) => named.indexOf(part) < index)
  if (twice !== undefined) return Result.fail(`the ${twice} stands in ${format} twice`)
  const missing = tokens.slice(0, named.length).find((token) => !named.includes(parts[token]))
  if (missing !== undefined) return Result.fail(`${format} has no ${missing}`)
  return Result.succeed((value) => (typeof value === "string" ? read(pieces, value) : undefined))
}

/** The pieces of a pattern in their order, or what is wrong with it. */
const piecesOf = (format: string): ReadonlyArray<Piece> | string => {
  const pieces: Array<Piece> = []
  let at = 0
  while (at < format.length) {
    const token = tokens.find((each) => format.startsWith(each, at))
    const literal = format[at]!
    if (token === undefined && /[a-zA-Z']/.test(literal) && literal !== "T" && literal !== "Z") {
      return `${literal} means nothing in ${format}: a pattern is made of ${tokens.join(" ")} and what stands between them`
    }
    pieces.push(token === undefined ? { literal } : { part: parts[token], width: token.length })
    at += token?.length ?? 1
  }
  return pieces.some((piece) => "part" in piece) ? pieces : `${format} names no part of a time`
}

const read = (pieces: ReadonlyArray<Piece>, text: string): number | undefined => {
  const found = { year: 1970, month: 1, day: 1, hour: 0, minute: 0, second: 0, ms: 0 }
  let at = 0
  for (const piece of pieces) {
    if ("literal" in piece) {
      if (text[at] !== piece.literal) return undefined
      at++
    } else {
      const number = digits(text, at, piece.width)
      if (number === undefined) return undefined
      found[piece.part] = number
      at += piece.width
    }
  }
  return at === text.length ? instant(found) : undefined
}

const digits = (text: string, at: number, width: number): number | undefined => {
  let number = 0
  for (let index = at; index < at + width; index++) {
    const digit = text.charCodeAt(index) - 48
    // Behind the end of the text the code is NaN, which is no digit either.
    if (!(digit >= 0 && digit <= 9)) return undefined
    number = number * 10 + digit
  }
  return number
}
