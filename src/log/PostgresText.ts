/**
 * Texts that Postgres, or its client, would not give back as they were: it stores no U+0000, and a
 * U+FEFF at the start may be taken for a byte order mark. They are escaped with U+0001, in every column.
 *
 * @module
 */

export const toText = (text: string): string =>
  text.includes("\u0000") || text.includes("\u0001") || text.charCodeAt(0) === 0xfeff
    ? text.replace(/\u0000|\u0001|^\ufeff/g, (found) => `\u0001${found.charCodeAt(0).toString(36)};`)
    : text

export const fromText = (text: string): string =>
  text.includes("\u0001")
    ? text.replace(/\u0001(\w+);/g, (_, code: string) => String.fromCharCode(Number.parseInt(code, 36)))
    : text

export const toTextOrNull = (text: string | null): string | null => (text === null ? null : toText(text))

export const fromTextOrNull = (text: string | null): string | null => (text === null ? null : fromText(text))
