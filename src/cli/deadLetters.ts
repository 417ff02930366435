/**
 * `millrace dead-letters`: the records that could not be handled, and why.
 *
 * @module
 */
import { Effect, Option } from "effect"
import { Argument, Command, Flag } from "effect/cli"
import { nearest } from "../../events/nearest.ts"
import * as DeadLetters from "../../projections/DeadLetters.ts"
import { pageMost } from "../api/values.ts"
import { CliFailure } from "./CliFailure.ts"
import { causeLines, letterLines } from "./deadLetterLines.ts"
import { exitCode } from "./exitCode.ts"
import { findPipeline, onLog } from "./openLog.ts"
import { foldPipeline } from "./readPipeline.ts"
import { answer } from "./report.ts"
import { onGivenService, Service } from "./Service.ts"
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
  Effect.gen(function* () {
    const act = <E, R>(read: ReadLetters<E, R>) =>
      action === "list" ? listLetters(name, limit, read) : showLetter(name, id, read)
    if (Option.isNone(yield* onGivenService(act(lettersOfService)))) yield* onLog(act(readLetters))
  })
).pipe(
  Command.withDescription("List the dead letters of a pipeline by cause, or show one"),
  Command.withExamples([
    { command: "millrace dead-letters delayed-flights list", description: "All of them, by cause" },
    { command: "millrace dead-letters delayed-flights show 0.3.3017", description: "One, with its record" }
  ])
)

/** All letters of a pipeline, in the order their records were read. */
type ReadLetters<E, R> = (name: string) => Effect.Effect<ReadonlyArray<DeadLetters.DeadLetter>, E, R>

const readLetters = Effect.fnUntraced(function* (name: string) {
  const { stream } = yield* findPipeline(name)
  return DeadLetters.list(yield* foldPipeline(stream, DeadLetters.initial, DeadLetters.evolve))
})

/** Page after page; the service bounds how much one holds. */
const lettersOfService = Effect.fnUntraced(function* (name: string) {
  const { client } = yield* Service
  const letters: Array<DeadLetters.DeadLetter> = []
  let after: string | null = null
  do {
    const query: { readonly limit: number; readonly after?: string } =
      after === null ? { limit: pageMost } : { limit: pageMost, after }
    const page = yield* client.deadLetters.listDeadLetters({ params: { name }, query })
    letters.push(...page.dead_letters)
    after = page.next
  } while (after !== null)
  return letters
})

const listLetters = Effect.fnUntraced(function* <E, R>(
  name: string,
  limit: Option.Option<number>,
  read: ReadLetters<E, R>
) {
  const letters = yield* read(name)
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

const showLetter = Effect.fnUntraced(function* <E, R>(
  name: string,
  id: Option.Option<string>,
  read: ReadLetters<E, R>
) {
  if (Option.isNone(id)) {
    return yield* bad(
      "usage",
      "which letter? its id is missing",
      `\`millrace dead-letters ${name} list\` shows the ids`
    )
  }
  const letters = yield* read(name)
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
  raw: letter.raw,
  ...(letter.origin === undefined ? {} : { origin: letter.origin })
})

const bad = (code: string, message: string, suggestion: string): CliFailure =>
  new CliFailure({ exit: exitCode.badInput, code, message, suggestion })
