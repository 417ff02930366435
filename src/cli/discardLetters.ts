/**
 * The work behind `millrace dead-letters … discard` and `withdraw`.
 *
 * @module
 */
import { Effect, Option } from "effect"
import type { LetterChoice } from "../api/redrives.ts"
import { bad, choiceOf, filterOf, type Named, onBench } from "./letterChoice.ts"
import { answer } from "./report.ts"
import { onService, Service } from "./Service.ts"
import { grouped, plural, shown } from "./terminal.ts"

interface Options extends Named {
  readonly reason: Option.Option<string>
  readonly force: boolean
}

export const discardLetters = Effect.fnUntraced(function* (options: Options) {
  const { force, name } = options
  const letters = yield* choiceOf(options)
  const reason = Option.getOrElse(options.reason, () => "").trim()
  if (reason === "") {
    return yield* bad(
      "usage",
      "why? a discard must have its --reason",
      "it goes into the log, for whoever asks later"
    )
  }
  const act = Effect.gen(function* () {
    const { client } = yield* Service
    const payload = { letters, reason, ...(force ? { force } : {}) }
    const done = yield* client.deadLetters.discardDeadLetters({ params: { name }, headers: {}, payload })
    yield* answer("dead-letters", done, () => [
      done.discarded === 0
        ? "No dead letters to discard."
        : `${plural(done.discarded, "dead letter")} of ${shown(name)} discarded: ${shown(reason)}`
    ])
  })
  return yield* onService(onBench(name, act))
})

export const withdrawRedrives = Effect.fnUntraced(function* (options: Options) {
  const { name } = options
  // Without a name every redrive that waits is meant.
  const letters = yield* choiceOf({ ...options, all: options.all || isUnnamed(options) })
  if (!isAllOrIds(letters)) {
    return yield* bad("usage", "a withdrawal takes ids or --all, no filters", "name the letters by their ids")
  }
  const act = Effect.gen(function* () {
    const { client } = yield* Service
    const payload = {
      letters,
      ...Option.match(options.reason, { onNone: () => ({}), onSome: (reason) => ({ reason }) })
    }
    const done = yield* client.deadLetters.withdrawRedrives({ params: { name }, headers: {}, payload })
    yield* answer("dead-letters", done, () => [
      done.withdrawn === 0
        ? "No redrive waits to begin."
        : `${grouped(done.withdrawn)} of ${shown(name)} withdrawn: their letters stand as before`
    ])
  })
  return yield* onService(onBench(name, act))
})

const isUnnamed = (options: Options): boolean =>
  options.ids.length === 0 && Object.keys(filterOf(options)).length === 0

const isAllOrIds = (choice: LetterChoice): choice is "all" | ReadonlyArray<string> =>
  typeof choice === "string" || Array.isArray(choice)
