/**
 * Which dead letters a command is about, and what is wrong with how they are named.
 *
 * @module
 */
import { Effect, Option } from "effect"
import { redrivesMost } from "../../events/Redrive.ts"
import type { LetterChoice } from "../api/redrives.ts"
import { CliFailure } from "./CliFailure.ts"
import { exitCode } from "./exitCode.ts"
import { isRefusal } from "./serviceFailure.ts"

export interface Filters {
  readonly stage: Option.Option<string>
  readonly code: Option.Option<string>
  readonly source: Option.Option<string>
  readonly run: Option.Option<string>
}

export interface Named extends Filters {
  readonly name: string
  readonly action: string
  readonly ids: ReadonlyArray<string>
  readonly all: boolean
}

/** Only what was named. */
export const filterOf = ({ code, run, source, stage }: Filters) => ({
  ...Option.match(stage, { onNone: () => ({}), onSome: (stage) => ({ stage }) }),
  ...Option.match(code, { onNone: () => ({}), onSome: (code) => ({ code }) }),
  ...Option.match(source, { onNone: () => ({}), onSome: (source) => ({ source }) }),
  ...Option.match(run, { onNone: () => ({}), onSome: (run) => ({ run }) })
})

/** Ids, `--all` or filters: exactly one of them. `edited` are the ids that only an edit names. */
export const choiceOf = (
  named: Named,
  edited: ReadonlyArray<string> = []
): Effect.Effect<LetterChoice, CliFailure> => {
  const { action, all, ids, name } = named
  const filter = filterOf(named)
  const ways = [ids.length > 0, all, Object.keys(filter).length > 0].filter(Boolean).length
  if (ways > 1) {
    return bad("usage", "ids, --all and filters exclude each other", "name the letters in one way")
  }
  if (all) return Effect.succeed("all")
  if (ways === 1 && ids.length === 0) return Effect.succeed(filter)
  const wanted = [...new Set(ids.length > 0 ? ids : edited)]
  if (wanted.length === 0) {
    return bad(
      "usage",
      `which letters? name their ids, --all, --stage, --code, --source or --run`,
      `\`millrace dead-letters ${name} list\` shows the ids`
    )
  }
  return wanted.length <= redrivesMost
    ? Effect.succeed(wanted)
    : bad(
        "too_many_letters",
        `${wanted.length} letters are named, and at most ${redrivesMost} can be`,
        `${action} them by --stage, --code, --source or --run`
      )
}

/** Refusals of the bench in the words of this command line. */
export const onBench = <A, E, R>(name: string, use: Effect.Effect<A, E, R>) =>
  Effect.mapError(use, (error) => {
    const isBench = isRefusal(error, "InvalidRedrive") || isRefusal(error, "UnknownDeadLetter")
    if (!isBench) return error
    const { details, message } = error
    const code = typeof details.reason === "string" ? details.reason : "unknown_letter"
    const advice = typeof details.suggestion === "string" ? details.suggestion : undefined
    // What the service advises whoever calls it, is another command here.
    const suggestion = advice?.startsWith("GET ")
      ? `\`millrace dead-letters ${name} list\` shows the ids`
      : advice
    return new CliFailure({
      exit: badInput.has(code) ? exitCode.badInput : exitCode.failed,
      code: code === "unknown_letter" ? "unknown_dead_letter" : code,
      message,
      ...(suggestion === undefined ? {} : { suggestion })
    })
  })

/** What was typed is wrong: the same command will not succeed. */
const badInput: ReadonlySet<string> = new Set(["unknown_letter", "edit_too_large", "stage_gone"])

export const bad = (code: string, message: string, suggestion: string): Effect.Effect<never, CliFailure> =>
  Effect.fail(new CliFailure({ exit: exitCode.badInput, code, message, suggestion }))
