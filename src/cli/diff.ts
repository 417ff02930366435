/**
 * `millrace diff`: what changed in a pipeline's state between two versions or times.
 *
 * @module
 */
import { Effect } from "effect"
import { Argument, Command } from "effect/cli"
import { EventLog } from "../log/EventLog.ts"
import * as History from "../pipeline/History.ts"
import { placeJson } from "../server/historyJson.ts"
import { momentOf, past, placeLine } from "./moment.ts"
import { findPipeline, onLog } from "./openLog.ts"
import { answer } from "./report.ts"
import { cut, plural, type Style, shown, styleOf } from "./terminal.ts"

/** Characters of a value that a person is shown; `--json` has all of it. */
const shownCharacters = 200

const moment = (name: string, which: string) =>
  Argument.String(name).pipe(Argument.withDescription(`${which}: a version of its log, or an ISO 8601 time`))

export const diff = Command.make(
  "diff",
  {
    name: Argument.String("name").pipe(Argument.withDescription("Name of the pipeline")),
    from: moment("v1", "Seen from here"),
    to: moment("v2", "What is different here")
  },
  ({ from, name, to }) => onLog(showDiff(name, from, to))
).pipe(
  Command.withDescription("Show what changed in a pipeline's state between two versions or times"),
  Command.withExamples([
    { command: "millrace diff delayed-flights 11 12", description: "What its twelfth event changed" },
    {
      command: "millrace diff delayed-flights 2026-03-29T00:00:00Z 2026-03-30T00:00:00Z",
      description: "What a day changed"
    }
  ])
)

const showDiff = Effect.fnUntraced(function* (name: string, from: string, to: string) {
  const [left, right] = [yield* momentOf(from), yield* momentOf(to)]
  const { stream } = yield* findPipeline(name)
  const found = yield* past(name, History.diffBetween(yield* EventLog, stream, left, right))
  const result = { from: placeJson(found.from), to: placeJson(found.to), differences: found.differences }
  yield* answer("diff", result, () => diffLines(found, styleOf(process.stdout)))
})

const diffLines = ({ differences, from, to }: History.StateDiff, style: Style): ReadonlyArray<string> => [
  `from ${placeLine(from)}`,
  `to   ${placeLine(to)}`,
  "",
  ...(differences.length === 0
    ? ["Nothing is different."]
    : differences.flatMap((difference) => differenceLines(difference, style))),
  ...(differences.length === 0 ? [] : ["", plural(differences.length, "difference")])
]

const differenceLines = (difference: History.Difference, style: Style): ReadonlyArray<string> => [
  style.bold(shown(difference.path)),
  ...("before" in difference ? [style.red(`  - ${valueText(difference.before)}`)] : []),
  ...("after" in difference ? [style.green(`  + ${valueText(difference.after)}`)] : [])
]

const valueText = (value: unknown): string => cut(shown(JSON.stringify(value)), shownCharacters)
