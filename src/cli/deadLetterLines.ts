/**
 * Dead letters for a person: page by page, and by what went wrong. Records are escaped and cut.
 *
 * @module
 */
import type { DeadLetterCause, DeadLetterJson } from "../api/DeadLetterJson.ts"
import { cut, grouped, plural, type Style, shown, table } from "./terminal.ts"

/** Characters of a record and of a message in a list. */
const recordCharacters = 100
const messageCharacters = 160

interface Listed {
  readonly letters: ReadonlyArray<DeadLetterJson>
  readonly total: number
  readonly next: string | null
  readonly name: string
}

/** In the order their records were read. */
export const listLines = ({ letters, name, next, total }: Listed, style: Style): ReadonlyArray<string> => {
  if (letters.length === 0) return ["No dead letters."]
  const verb = `millrace dead-letters ${shown(name)}`
  return [
    letters.length === total
      ? plural(total, "dead letter")
      : `${grouped(letters.length)} of ${plural(total, "dead letter")}`,
    "",
    ...letters.flatMap((letter) => listed(letter, style)),
    "",
    ...(next === null ? [] : [`${style.dim("→")} \`${verb} list --after ${next}\` goes on`]),
    ...(total > 1 ? [`${style.dim("→")} \`${verb} group\` tells them by cause`] : []),
    `${style.dim("→")} \`${verb} show ${letters[0]!.id}\` tells the story of one`
  ]
}

interface Grouped {
  readonly causes: ReadonlyArray<DeadLetterCause>
  readonly total: number
  readonly omitted: number
  readonly name: string
}

/** The most frequent first, each with one of them. */
export const causeLines = (
  { causes, name, omitted, total }: Grouped,
  style: Style
): ReadonlyArray<string> => {
  if (total === 0) return ["No dead letters."]
  const verb = `millrace dead-letters ${shown(name)}`
  return [
    `${plural(total, "dead letter")}, ${plural(causes.length, "cause")}`,
    ...causes.flatMap((cause) => ["", ...causeOf(cause, style)]),
    ...(omitted === 0 ? [] : ["", `… and ${plural(omitted, "letter")} of other causes`]),
    "",
    `${style.dim("→")} \`${verb} redrive --code <code> --dry-run\` tells what would become of them now`
  ]
}

const causeOf = (
  { code, count, example, first, last, message, redriving, stage }: DeadLetterCause,
  style: Style
): ReadonlyArray<string> => [
  `${style.red(`${grouped(count)} × ${shown(code)} at ${shown(stage)}`)}${
    redriving === 0 ? "" : style.yellow(`  ${plural(redriving, "open redrive")}`)
  }`,
  `  ${cut(shown(message), messageCharacters)}`,
  ...table([["  first", first.id, first.at], ...(count === 1 ? [] : [["  last", last.id, last.at]])]).map(
    (line) => style.dim(line)
  ),
  `  ${style.dim(recordLine(example, recordCharacters))}`
]

const listed = (letter: DeadLetterJson, style: Style): ReadonlyArray<string> => [
  `  ${style.bold(letter.id)}  ${originText(letter, " ")}, owed to ${letter.branches
    .map(shown)
    .join(", ")}${stateOf(letter, style)}`,
  `    ${style.red(`✗ ${shown(letter.reason.code)} at ${shown(letter.stage)}`)}  ${cut(
    shown(letter.reason.message),
    messageCharacters
  )}`,
  `    ${style.dim(recordLine(letter, recordCharacters))}`
]

const stateOf = ({ attempts, redrives, redriving }: DeadLetterJson, style: Style): string =>
  [
    ...(attempts > 1 ? [`, ${grouped(attempts)} attempts`] : []),
    ...(redrives > 0 ? [`, ${plural(redrives, "redrive")}`] : []),
    ...(redriving ? [style.yellow(", a redrive is open")] : [])
  ].join("")

/** How many there are, and how to look at them. */
export const lettersText = (count: number, name: string, style: Style): string =>
  count === 0 ? "0" : style.red(`${grouped(count)}  see \`millrace dead-letters ${shown(name)} list\``)

/** Its own source, also where that is read as one with others. */
export const originText = (
  letter: Pick<DeadLetterJson, "origin" | "offset" | "source">,
  between: string
): string => {
  const { offset, source } = letter.origin ?? letter
  return `${shown(source)}${between}record ${grouped(offset)}`
}

/** What was read, on one line. */
export const recordLine = ({ raw }: Pick<DeadLetterJson, "raw">, length: number): string => {
  switch (raw.encoding) {
    case "utf8":
      return cut(shown(raw.data.slice(0, length + 1)), length)
    case "base64":
      return cut(`base64 ${raw.data.slice(0, length)}`, length)
    case "omitted":
      return `${plural(raw.size, "byte")}, too many to keep here; SHA-256 ${raw.digest ?? "unknown"}`
  }
}
