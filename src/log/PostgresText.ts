/**
 * Texts that Postgres, or its client, would not give back as they were: it stores no U+0000, and a
 * U+FEFF at the start may be taken for a byte order mark. They are escaped, with U+0001, in every column.
 *
 * @module
 */

/** What each digit after the escape stands for. */
const escaped = ["\u0000", "\u0001", "\ufeff"]

export const toText = (text: string): string => {
  const isPlain = !text.includes("\u0000") && !text.includes("\u0001") && !text.startsWith("\ufeff")
  if (isPlain) return text
  const rest = text.replaceAll("\u0001", "\u00011").replaceAll("\u0000", "\u00010")
  return rest.startsWith("\ufeff") ? `\u00012${rest.slice(1)}` : rest
}

export const fromText = (text: string): string =>
  text.includes("\u0001")
    ? text
        .split("\u0001")
        .map((part, i) => (i === 0 ? part : `${escaped[Number(part[0])]}${part.slice(1)}`))
        .join("")
    : text

export const toTextOrNull = (text: string | null): string | null => (text === null ? null : toText(text))

export const fromTextOrNull = (text: string | null): string | null => (text === null ? null : fromText(text))
