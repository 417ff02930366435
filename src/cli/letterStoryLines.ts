/**
 * The story of one dead letter for a person: what was read, why it was not handled, who did what about it.
 *
 * @module
 */
import type { DeadLetterStory } from "../api/DeadLetterJson.ts"
import { originText, recordLine } from "./deadLetterLines.ts"
import { cut, grouped, plural, type Style, shown, table } from "./terminal.ts"

/** Characters and lines of a record that are shown; `--json` has all of it. */
const shownCharacters = 16_384
const shownLines = 200
/** Characters of a value in a difference. */
const valueCharacters = 200

export const storyLines = (story: DeadLetterStory, name: string, style: Style): ReadonlyArray<string> => [
  `${style.bold(`dead letter ${shown(story.id)}`)}  ${statusOf(story, style)}`,
  ...table([
    ["  source", originText(story, ", ")],
    ["  failed", shown(story.reasons[0]?.at ?? "unknown")],
    ["  run", `${shown(story.run)}, batch ${story.batch}`],
    ["  attempts", grouped(story.attempts)],
    ...(story.branches.length === 0 ? [] : [["  owed to", story.branches.map(shown).join(", ")]])
  ]),
  "",
  `${style.bold("As it was read")}  ${plural(story.raw.size, "byte")}`,
  ...recordLines(story),
  "",
  style.bold("What became of it"),
  ...happenings(story)
    .toSorted((a, b) => a.version - b.version)
    .flatMap(({ lines }) => lines(style)),
  ...adviceOf(story, name, style)
]

const statusOf = ({ status }: DeadLetterStory, style: Style): string => {
  switch (status) {
    case "standing":
      return style.red("stands")
    case "redriving":
      return style.yellow("stands, a redrive is open")
    case "redriven":
      return style.green("has left: redriven")
    case "discarded":
      return style.dim("has left: discarded")
    case "void":
      return style.dim("does not count: its record was decided anew")
  }
}

/** JSON is laid out; everything else is one line. */
const recordLines = (story: DeadLetterStory): ReadonlyArray<string> => {
  const { raw } = story
  const laidOut =
    raw.encoding === "utf8" && raw.data.length <= shownCharacters ? prettyOf(raw.data) : undefined
  if (laidOut === undefined) return [`  ${recordLine(story, shownCharacters)}`]
  const lines = laidOut.split("\n").map((line) => `  ${shown(line)}`)
  return lines.length <= shownLines
    ? lines
    : [...lines.slice(0, shownLines), `  … ${plural(lines.length - shownLines, "more line")} (--json)`]
}

const prettyOf = (text: string): string | undefined => {
  try {
    const value = JSON.parse(text)
    return typeof value === "object" && value !== null ? JSON.stringify(value, null, 2) : undefined
  } catch {
    return undefined
  }
}

interface Happening {
  readonly version: number
  readonly lines: (style: Style) => ReadonlyArray<string>
}

const happenings = (story: DeadLetterStory): ReadonlyArray<Happening> => [
  ...story.reasons.map(
    ({ at, branches, reason, redrive, stage, version }): Happening => ({
      version,
      lines: (style) => [
        `  ${shown(at)}  ${style.red(`✗ ${shown(reason.code)} at ${shown(stage)}`)}${
          redrive === 0 ? "" : `, redrive ${redrive}`
        }, for ${branches.map(shown).join(", ")}`,
        ...shown(cut(reason.message, 2000))
          .split("\n")
          .map((line) => `    ${line}`),
        ...(reason.suggestion === undefined ? [] : [`    ${style.dim("→")} ${shown(reason.suggestion)}`])
      ]
    })
  ),
  ...story.history.map(
    (redrive): Happening => ({
      version: redrive.version,
      lines: (style) => [
        `  ${shown(redrive.requested_at)}  redrive ${redrive.redrive} asked for by ${shown(redrive.by)}${because(redrive.reason)}`,
        ...(redrive.edit === null ? [] : editLines(redrive.edit, style))
      ]
    })
  ),
  ...story.history.flatMap((redrive) => settledOf(redrive)),
  ...(story.discarded === null
    ? []
    : [
        {
          version: Number.MAX_SAFE_INTEGER,
          lines: () => [
            `  ${shown(story.discarded!.at)}  discarded by ${shown(story.discarded!.by)}${because(story.discarded!.reason)}`
          ]
        }
      ])
]

/** What a redrive came to. One that was not handled has its own line with the reason, in its place. */
const settledOf = ({
  branches,
  outcome,
  redrive,
  settled_at,
  version
}: DeadLetterStory["history"][number]): ReadonlyArray<Happening> => {
  const fates = Object.entries(branches).filter(([, fate]) => fate !== "lettered" && fate !== "open")
  const told =
    outcome === "withdrawn"
      ? "withdrawn"
      : fates
          .map(([stage, fate]) => `${fate} ${fate === "applied" ? "to" : "for"} ${shown(stage)}`)
          .join(", ")
  if (settled_at === null || told === "") return []
  return [
    {
      // Behind the request it belongs to, and before whatever was asked for next.
      version: version + 0.5,
      lines: (style) => [`  ${shown(settled_at)}  ${style.green(`redrive ${redrive}: ${told}`)}`]
    }
  ]
}

type Edit = NonNullable<DeadLetterStory["history"][number]["edit"]>

const editLines = ({ changes, payload }: Edit, style: Style): ReadonlyArray<string> =>
  changes.length === 0 ? [`    ${style.green(`+ ${valueText(payload)}`)}`] : differenceLines(changes, style)

/** Where, what it was, and what it is. */
export const differenceLines = (changes: Edit["changes"], style: Style): ReadonlyArray<string> =>
  changes.flatMap(({ path, ...values }) => [
    `    ${style.bold(shown(path === "" ? "the whole record" : path))}`,
    ...("before" in values ? [`      ${style.red(`- ${valueText(values.before)}`)}`] : []),
    ...("after" in values ? [`      ${style.green(`+ ${valueText(values.after)}`)}`] : [])
  ])

const valueText = (value: unknown): string => cut(shown(JSON.stringify(value)), valueCharacters)

const because = (reason: string): string => (reason === "" ? "" : `: ${shown(reason)}`)

const adviceOf = ({ id, status }: DeadLetterStory, name: string, style: Style): ReadonlyArray<string> =>
  status === "standing"
    ? [
        "",
        `${style.dim("→")} \`millrace dead-letters ${shown(name)} redrive ${shown(id)} --dry-run\` tells what would become of it now`
      ]
    : []
