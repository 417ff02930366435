/**
 * What would become of dead letters, and what has, for a person.
 *
 * @module
 */
import * as LetterCauses from "../../projections/LetterCauses.ts"
import type { LetterOutcome, RedriveDryRun, RequestedRedrive } from "../api/redrives.ts"
import { pageMost } from "../api/values.ts"
import type { Waited } from "./awaitRedrive.ts"
import { differenceLines } from "./letterStoryLines.ts"
import { cut, grouped, plural, type Style, shown, table } from "./terminal.ts"

/** Characters of a record that would be written. */
const recordCharacters = 160

/** What came of everything that was asked for. */
export interface Came {
  readonly redrives: ReadonlyArray<string>
  readonly requested: number
  readonly applied: number
  readonly filtered: number
  readonly nacked: number
  readonly open: number
  readonly withdrawn: number
  readonly discarded: number
  /** The first of those that are still owed, with the reason. */
  readonly outcomes: ReadonlyArray<LetterOutcome>
}

export const none: Came = {
  redrives: [],
  requested: 0,
  applied: 0,
  filtered: 0,
  nacked: 0,
  open: 0,
  withdrawn: 0,
  discarded: 0,
  outcomes: []
}

export const plus = (came: Came, waited: Waited, redrive: string): Came => ({
  redrives: [...came.redrives, redrive],
  requested: came.requested + waited.requested,
  applied: came.applied + waited.applied,
  filtered: came.filtered + waited.filtered,
  nacked: came.nacked + waited.nacked,
  open: came.open + waited.open,
  withdrawn: came.withdrawn + waited.withdrawn,
  discarded: came.discarded + waited.discarded,
  outcomes: [...came.outcomes, ...waited.left].slice(0, pageMost)
})

export const redriveLines = (came: Came, name: string, style: Style): ReadonlyArray<string> => {
  if (came.redrives.length === 0) return ["No dead letters to redrive."]
  const { applied, discarded, filtered, nacked, open, requested, withdrawn } = came
  return [
    `${plural(requested, "dead letter")} of ${shown(name)} tried again`,
    ...table(
      [
        ["  applied", grouped(applied)],
        ...(filtered === 0 ? [] : [["  filtered", grouped(filtered)]]),
        ...(nacked === 0 ? [] : [["  not handled", grouped(nacked)]]),
        ...(open === 0 ? [] : [["  open", grouped(open)]]),
        ...(withdrawn === 0 ? [] : [["  withdrawn", grouped(withdrawn)]]),
        ...(discarded === 0 ? [] : [["  discarded", grouped(discarded)]])
      ],
      [1]
    ),
    ...nackLines(came.outcomes, style)
  ]
}

/** Why those were not handled that were not, each reason once. */
const nackLines = (outcomes: ReadonlyArray<LetterOutcome>, style: Style): ReadonlyArray<string> => {
  const reasons = new Map<string, { readonly first: LetterOutcome; count: number }>()
  for (const outcome of outcomes) {
    if (outcome.reason === null || outcome.outcome === "open") continue
    const { code, message } = outcome.reason
    const key = `${code} ${LetterCauses.masked(message)}`
    const known = reasons.get(key)
    if (known === undefined) reasons.set(key, { first: outcome, count: 1 })
    else known.count++
  }
  return [...reasons.values()]
    .sort((a, b) => b.count - a.count)
    .slice(0, 20)
    .flatMap(({ count, first }) => [
      style.red(`✗ ${grouped(count)} × ${shown(first.reason!.code)}`),
      `  ${shown(first.letter)}: ${cut(shown(first.reason!.message), 300)}`
    ])
}

export const requestedLines = (
  { letters, next, redrive }: RequestedRedrive,
  name: string,
  isServed: boolean
): ReadonlyArray<string> => {
  if (redrive === null) return ["No dead letters to redrive."]
  const verb = `millrace dead-letters ${shown(name)}`
  return [
    letters.length === 0
      ? "Nothing new to ask for: what is open goes on."
      : `${plural(letters.length, "dead letter")} of ${shown(name)} asked for (redrive ${redrive})`,
    ...(next === null
      ? []
      : [`→ there was no room for all: \`${verb} redrive … --after ${next}\` asks for the rest`]),
    isServed
      ? `→ \`${verb} list\` shows what is left`
      : `→ nobody is at work here: \`${verb} redrive\` without --no-wait, \`millrace run\` or \`millrace serve\` goes on with it`
  ]
}

type Tried = RedriveDryRun["dead_letters"][number]

export const dryRunLines = (
  { dead_letters, total, tried }: RedriveDryRun,
  name: string,
  style: Style
): ReadonlyArray<string> => {
  if (total === 0) return ["No dead letters to redrive."]
  const counts = new Map<string, number>()
  for (const { outcome } of dead_letters) counts.set(outcome, (counts.get(outcome) ?? 0) + 1)
  return [
    ...dead_letters.flatMap((letter) => triedLines(letter, style)),
    "",
    `${tried === total ? plural(total, "dead letter") : `${grouped(tried)} of ${plural(total, "dead letter")}`} of ${shown(name)} tried, nothing was written`,
    ...table(
      [...counts].map(([outcome, count]) => [`  ${said[outcome as Tried["outcome"]]}`, grouped(count)]),
      [1]
    ),
    ...(tried === total ? [] : [`${style.dim("→")} --limit tries more of them`])
  ]
}

const said: Readonly<Record<Tried["outcome"], string>> = {
  delivered: "would be delivered",
  filtered: "would be filtered",
  unrouted: "would go nowhere",
  lettered: "would not be handled",
  partly: "would be handled in part"
}

const triedLines = ({ branches, changes, letter, outcome, reason, stage }: Tried, style: Style) => {
  const isBad = outcome === "lettered" || outcome === "partly"
  const verdict = said[outcome]
  return [
    `${style.bold(shown(letter))}  ${isBad ? style.red(`✗ ${verdict}`) : style.green(verdict)}`,
    ...differenceLines(changes, style),
    ...Object.entries(branches).flatMap(([sink, of]) =>
      of.outcome === "applied"
        ? [
            `  → ${shown(sink)}: ${plural(of.count, "record")}`,
            ...of.records.map((record) => `    ${cut(recordText(record), recordCharacters)}`),
            ...(of.records.length < of.count ? ["    …"] : [])
          ]
        : [`  → ${shown(sink)}: ${of.outcome === "lettered" ? style.red("not handled") : of.outcome}`]
    ),
    ...(reason === null
      ? []
      : [
          `  ${style.red(`${shown(reason.code)}${stage === null ? "" : ` at ${shown(stage)}`}`)}  ${cut(shown(reason.message), 300)}`
        ])
  ]
}

/** A sink that takes text is given it with its line break. */
const recordText = (record: unknown): string =>
  shown(typeof record === "string" ? record.trimEnd() : JSON.stringify(record))
