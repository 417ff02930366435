/**
 * One row of a CSV text (RFC 4180), quotes and all.
 *
 * A quote inside a field that does not begin with one is an ordinary character, which is how other
 * readers see it too; text behind a closing quote is an error.
 *
 * @module
 */

export type Row =
  /** `end` is where the row's text ends, `next` where the next row begins. */
  | { readonly _tag: "Row"; readonly fields: Array<string>; readonly end: number; readonly next: number }
  | { readonly _tag: "Malformed"; readonly message: string; readonly end: number; readonly next: number }
  /** A quote is still open at the end of the text. */
  | { readonly _tag: "Open" }

/** The row that begins at `at`. When the text is the file's `last`, an open quote is an error. */
export const readRow = (text: string, at: number, delimiter: string, last: boolean): Row => {
  const fields: Array<string> = []
  for (let from = at; ; ) {
    if (text.charCodeAt(from) === quote) {
      const close = closingQuote(text, from + 1)
      if (close < 0) return last ? unterminated(text, at) : { _tag: "Open" }
      fields.push(text.slice(from + 1, close).replaceAll('""', '"'))
      from = close + 1
      const end = lineEnd(text, from)
      if (end !== undefined) return { _tag: "Row", fields, ...end }
      if (text[from] !== delimiter) return behindQuote(text, from)
      from++
      continue
    }
    const comma = text.indexOf(delimiter, from)
    const newline = newlineFrom(text, from)
    if (comma >= 0 && comma < newline) {
      fields.push(text.slice(from, comma))
      from = comma + 1
      continue
    }
    const end = newline > from && text.charCodeAt(newline - 1) === carriageReturn ? newline - 1 : newline
    fields.push(text.slice(from, end))
    return { _tag: "Row", fields, end, next: Math.min(newline + 1, text.length) }
  }
}

const quote = 34
const lineFeed = 10
const carriageReturn = 13

const closingQuote = (text: string, from: number): number => {
  for (let at = from; ; at += 2) {
    at = text.indexOf('"', at)
    if (at < 0 || text.charCodeAt(at + 1) !== quote) return at
  }
}

const newlineFrom = (text: string, from: number): number => {
  const newline = text.indexOf("\n", from)
  return newline < 0 ? text.length : newline
}

/** Where the line ends when it ends here. */
const lineEnd = (text: string, at: number): { end: number; next: number } | undefined => {
  const code = text.charCodeAt(at)
  if (at >= text.length) return { end: text.length, next: text.length }
  if (code === lineFeed) return { end: at, next: at + 1 }
  if (code !== carriageReturn) return undefined
  if (at + 1 >= text.length) return { end: at, next: text.length }
  return text.charCodeAt(at + 1) === lineFeed ? { end: at, next: at + 2 } : undefined
}

/** It costs the line it stands on: the rows behind it are not its text, whatever the quote says. */
const unterminated = (text: string, at: number): Row => {
  const newline = newlineFrom(text, at)
  return {
    _tag: "Malformed",
    message: "a quote is opened and never closed",
    end: newline,
    next: Math.min(newline + 1, text.length)
  }
}

const behindQuote = (text: string, at: number): Row => {
  const newline = newlineFrom(text, at)
  return {
    _tag: "Malformed",
    message: "a closing quote is followed by neither a delimiter nor a line break",
    end: newline,
    next: Math.min(newline + 1, text.length)
  }
}
