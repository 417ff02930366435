/**
 * `millrace dead-letters`: the records that could not be handled, and why.
 *
 * @module
 */
import { Effect, Option } from "effect"
import { Argument, Command, Flag } from "effect/cli"
import { nearest } from "../../events/nearest.ts"
import * as DeadLetters from "../../projections/DeadLetters.ts"
import { CliFailure } from "./CliFailure.ts"
import { causeLines, letterLines } from "./deadLetterLines.ts"
import { exitCode } from "./exitCode.ts"
import { findPipeline, onLog } from "./openLog.ts"
import { foldPipeline } from "./readPipeline.ts"
import { answer } from "./report.ts"
import { styleOf } from "./terminal.ts"

const flags = {
  name: Argument.String("name").pipe(Argument.withDescription("Name of the pipeline")),
  action: Argument.Literals("action", ["list", "show"]).pipe(
    Argument.withDescription("list: by cause; show: one letter with its record")
  ),
  id: Argument.String("id").pipe(Argument.withDescription("Id of the letter to show"), Argument.optional),
  limit: Flag.Int("limit").pipe(
    Flag.withDescription("At most this many letters; 100 on a terminal, all with --json"),
    Flag.withMetavar("<count>"),
    Flag.filter(
      (limit) => limit > 0,
      () => "Expected a number greater than 0"
    ),
    Flag.optional
  )
}

/** Letters a person is shown when no number was asked for. */
const lettersShown = 100

export const deadLetters = Command.make("dead-letters", flags, ({ action, id, limit, name }) =>
  onLog(action === "list" ? listLetters(name, limit) : showLetter(name, id))
).pipe(
  Command.withDescription("List the dead letters of a pipeline by cause, or show one"),
  Command.withExamples([
    { command: "millrace dead-letters delayed-flights list", description: "All of them, by cause" },
    { command: "millrace dead-letters delayed-flights show 0.3.3017", description: "One, with its record" }
  ])
)

const readLetters = Effect.fnUntraced(function* (name: string) {
  const { stream } = yield* findPipeline(name)
  return DeadLetters.list(yield* foldPipeline(stream, DeadLetters.initial, DeadLetters.evolve))
})

const listLetters = Effect.fnUntraced(function* (name: string, limit: Option.Option<number>) {
  const letters = yield* readLetters(name)
  const most = Option.getOrElse(limit, () => letters.length)
  const result = { dead_letters: letters.slice(0, most).map(letterJson), total: letters.length }
  yield* answer("dead-letters", result, () =>
    causeLines(
      letters,
      Option.getOrElse(limit, () => lettersShown),
      name,
      styleOf(process.stdout)
    )
  )
})

const showLetter = Effect.fnUntraced(function* (name: string, id: Option.Option<string>) {
  if (Option.isNone(id)) {
    return yield* bad(
      "usage",
      "which letter? its id is missing",
      `\`millrace dead-letters ${name} list\` shows the ids`
    )
  }
  const letters = yield* readLetters(name)
  const letter = letters.find((one) => one.id === id.value)
  if (letter === undefined) {
    const meant = nearest(
      id.value,
      letters.slice(0, 1000).map((one) => one.id)
    )
    return yield* bad(
      "unknown_dead_letter",
      `${name} has no dead letter ${JSON.stringify(id.value)}`,
      meant === undefined ? `\`millrace dead-letters ${name} list\` shows the ids` : `did you mean ${meant}?`
    )
  }
  yield* answer("dead-letters", { dead_letter: letterJson(letter) }, () =>
    letterLines(letter, styleOf(process.stdout))
  )
})

const letterJson = (letter: DeadLetters.DeadLetter) => ({
  id: letter.id,
  run: letter.run,
  stage: letter.stage,
  source: letter.source,
  offset: letter.offset,
  reason: letter.reason,
  attempts: letter.attempts,
  branches: letter.branches,
  batch: letter.batch,
  raw: letter.raw
})

const bad = (code: string, message: string, suggestion: string): CliFailure =>
  new CliFailure({ exit: exitCode.badInput, code, message, suggestion })
