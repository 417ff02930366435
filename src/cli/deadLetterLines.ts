/**
 * Dead letters for a person: grouped by what went wrong, records escaped and cut.
 *
 * @module
 */
import type { DeadLetter } from "../../projections/DeadLetters.ts"
import { cut, grouped, plural, type Style, shown, table } from "./terminal.ts"

/** Characters of a record in a list, and of one that is shown by itself. */
const listedCharacters = 100
const shownCharacters = 16_384

/** Groups by stage and code, the largest first. */
export const causeLines = (
  letters: ReadonlyArray<DeadLetter>,
  limit: number,
  name: string,
  style: Style
): ReadonlyArray<string> => {
  if (letters.length === 0) return ["No dead letters."]
  const causes = new Map<string, Array<DeadLetter>>()
  for (const letter of letters) {
    const cause = `${letter.reason.code} at ${letter.stage}`
    const of = causes.get(cause)
    if (of === undefined) causes.set(cause, [letter])
    else of.push(letter)
  }
  let left = limit
  const lines: Array<string> = [plural(letters.length, "dead letter")]
  for (const [cause, of] of [...causes].sort((a, b) => b[1].length - a[1].length)) {
    lines.push("", style.red(`${grouped(of.length)} × ${shown(cause)}`))
    const some = of.slice(0, left)
    left -= some.length
    lines.push(...some.flatMap((letter) => listed(letter, style)))
    if (some.length < of.length) lines.push(`  … and ${grouped(of.length - some.length)} more (--limit)`)
  }
  return [
    ...lines,
    "",
    `${style.dim("→")} \`millrace dead-letters ${shown(name)} show <id>\` shows one with its record`
  ]
}

/** One letter: where it came from, where it failed, why, and the record. */
export const letterLines = (letter: DeadLetter, style: Style): ReadonlyArray<string> => [
  style.bold(`dead letter ${letter.id}`),
  ...table([
    ["  source", placeOf(letter, ", ")],
    ["  failed at", shown(letter.stage)],
    ["  owed to", letter.branches.map(shown).join(", ")],
    ["  run", letter.run],
    [
      "  batch",
      `${letter.batch}, sealed with it ${letter.attempts === 1 ? "once" : `${letter.attempts} times`}`
    ]
  ]),
  "",
  style.red(`✗ ${shown(letter.reason.code)}`),
  `  ${shown(letter.reason.message)}`,
  "",
  ...record(letter, shownCharacters)
    .split("\n")
    .map((line) => `  ${line}`)
]

const listed = (letter: DeadLetter, style: Style): ReadonlyArray<string> => [
  `  ${letter.id}  ${placeOf(letter, " ")}: ${shown(letter.reason.message)}`,
  `    ${style.dim(record(letter, listedCharacters))}`
]

/** Its own source, also where that is read as one with others. */
const placeOf = (letter: DeadLetter, between: string): string => {
  const { offset, source } = letter.origin ?? letter
  return `${shown(source)}${between}record ${grouped(offset)}`
}

const record = ({ raw }: DeadLetter, length: number): string => {
  switch (raw.encoding) {
    case "utf8":
      return cut(shown(raw.data.slice(0, length + 1)), length)
    case "base64":
      return cut(`base64 ${raw.data}`, length)
    case "omitted":
      return `${plural(raw.size, "byte")}, too many to keep here; SHA-256 ${raw.digest ?? "unknown"}`
  }
}
