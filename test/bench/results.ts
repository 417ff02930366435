/**
 * The sections as a page a person reads.
 *
 * @module
 */
import type { Section, Table } from "./Part.ts"

export interface Told {
  readonly title: string
  /** What was found, or why the part could not run. */
  readonly section: Section | { readonly failed: string }
}

export const pageOf = (machine: ReadonlyArray<string>, parts: ReadonlyArray<Told>): string => {
  const paragraphs = [
    "# What Millrace costs",
    reading,
    machine.map((line) => `- ${line}`).join("\n"),
    ...parts.map(sectionText)
  ]
  return `${paragraphs.join("\n\n")}\n`
}

const reading =
  "Written by `npm run bench`. Both sides of a line were run alternately in one session, each round in another order. A cell is the **median** of its rounds with their least and greatest value; a ratio is ours divided by theirs, taken round by round. *A/A* is one side divided by itself, measured in the same rounds: a ratio that differs from 1 by no more than A/A does says nothing."

export const sectionText = ({ section, title }: Told): string =>
  "failed" in section
    ? `## ${title}\n\nNot measured: ${section.failed}`
    : [`## ${title}`, section.text, ...section.tables.map(tableText), notesText(section.notes)]
        .filter((text) => text !== "")
        .join("\n\n")

const tableText = ({ caption, rows }: Table): string =>
  [
    `${caption}:`,
    "",
    "| | ours | theirs | ours / theirs | A/A | asked |",
    "|---|---|---|---|---|---|",
    ...rows.map(
      ({ asked, control, ours, ratio, theirs, what }) =>
        `| ${what} | ${ours} | ${theirs} | ${ratio} | ${control} | ${asked} |`
    )
  ].join("\n")

const notesText = (notes: ReadonlyArray<string>): string => notes.map((note) => `- ${note}`).join("\n")
