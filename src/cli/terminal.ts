/**
 * How text reaches a terminal: colours only where they are wanted, and never a control character that
 * came out of somebody's data.
 *
 * @module
 */
import type { WriteStream } from "node:tty"

type Paint = (text: string) => string

export interface Style {
  readonly red: Paint
  readonly yellow: Paint
  readonly green: Paint
  readonly bold: Paint
  readonly dim: Paint
}

type Output = Pick<WriteStream, "isTTY">

/** A terminal that moves its cursor when told to. */
export const isTerminal = (output: Output): boolean => output.isTTY === true && process.env.TERM !== "dumb"

/** Is NO_COLOR unset (https://no-color.org), and is this a terminal? */
export const hasColour = (output: Output): boolean =>
  isTerminal(output) && (process.env.NO_COLOR ?? "") === ""

/** Colours for a terminal, plain text for everything else. */
export const styleOf = (output: Output): Style => {
  const wanted = hasColour(output)
  const paint =
    (code: number): Paint =>
    (text) =>
      wanted && text !== "" ? `\u001b[${code}m${text}\u001b[0m` : text
  return { red: paint(31), yellow: paint(33), green: paint(32), bold: paint(1), dim: paint(2) }
}

/** C0 and C1 controls, line separators and the marks that turn the direction of text: shown, not obeyed. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
const controls = /[\u0000-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/g

/** Data on its way to a terminal: control characters as the escapes JSON has for them. */
export const shown = (text: string): string =>
  text.replace(controls, (character) => {
    const known = JSON.stringify(character).slice(1, -1)
    return known.startsWith("\\") ? known : `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`
  })

/** The beginning of a text, marked when there is more. */
export const cut = (text: string, length: number): string =>
  text.length <= length ? text : `${text.slice(0, Math.max(0, length - 1))}…`

/** 1234567 as 1,234,567. */
export const grouped = (value: number): string => value.toLocaleString("en-US")

/** `1 record`, `2 records`. */
export const plural = (count: number, one: string, many = `${one}s`): string =>
  `${grouped(count)} ${count === 1 ? one : many}`

/** 850 ms, 3.2 s, 4 min 10 s, 2 h 5 min. */
export const duration = (ms: number): string => {
  if (ms < 1000) return `${Math.round(ms)} ms`
  const seconds = ms / 1000
  if (seconds < 60) return `${seconds.toFixed(1)} s`
  const minutes = Math.floor(seconds / 60)
  return minutes < 60
    ? `${minutes} min ${Math.floor(seconds % 60)} s`
    : `${Math.floor(minutes / 60)} h ${minutes % 60} min`
}

/** Rows of columns, each as wide as its widest cell; `right` are the columns of numbers. */
export const table = (
  rows: ReadonlyArray<ReadonlyArray<string>>,
  right: ReadonlyArray<number> = []
): ReadonlyArray<string> => {
  const widths: Array<number> = []
  for (const row of rows) {
    row.forEach((cell, column) => {
      widths[column] = Math.max(widths[column] ?? 0, cell.length)
    })
  }
  return rows.map((row) =>
    row
      .map((cell, column) =>
        right.includes(column) ? cell.padStart(widths[column]!) : cell.padEnd(widths[column]!)
      )
      .join("  ")
      .trimEnd()
  )
}
