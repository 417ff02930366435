/**
 * The work behind `millrace dead-letters … list`, `group` and `show`: of a service, or of a log, beside whoever
 * writes it. However many letters there are, a page is held.
 *
 * @module
 */
import { Effect, Option } from "effect"
import { nearest } from "../../events/nearest.ts"
import * as LetterCauses from "../../projections/LetterCauses.ts"
import type { DeadLetterCause, DeadLetterJson, DeadLetterStory } from "../api/DeadLetterJson.ts"
import { pageMost } from "../api/values.ts"
import { EventLog } from "../log/EventLog.ts"
import * as History from "../pipeline/History.ts"
import { readStory } from "../pipeline/letters/readStory.ts"
import { causeJson, letterJson, storyJson } from "../server/deadLetterJson.ts"
import { CliFailure } from "./CliFailure.ts"
import { causeLines, listLines } from "./deadLetterLines.ts"
import { exitCode } from "./exitCode.ts"
import { Json } from "./globalFlags.ts"
import { bad, type Filters, filterOf, onBench } from "./letterChoice.ts"
import { storyLines } from "./letterStoryLines.ts"
import { findPipeline, onLog } from "./openLog.ts"
import { answer } from "./report.ts"
import { onGivenService, Service } from "./Service.ts"
import { styleOf } from "./terminal.ts"

interface Options extends Filters {
  readonly name: string
  readonly action: "list" | "group" | "show"
  readonly ids: ReadonlyArray<string>
  readonly limit: Option.Option<number>
  readonly after: Option.Option<string>
}

/** Letters a person is shown when no number was asked for. */
const lettersShown = 100

export const lookAtLetters = Effect.fnUntraced(function* (options: Options) {
  const look = <E, R>(letters: Letters<E, R>) =>
    onBench(options.name, lookers[options.action](options, letters))
  if (Option.isNone(yield* onGivenService(look(ofService)))) yield* onLog(look(ofLog))
})

interface Query extends Partial<Record<"stage" | "code" | "source" | "run" | "after", string>> {
  readonly limit: number
}

interface Page {
  readonly dead_letters: ReadonlyArray<DeadLetterJson>
  readonly total: number
  readonly next: string | null
}

interface Causes {
  readonly causes: ReadonlyArray<DeadLetterCause>
  readonly total: number
  readonly omitted: number
}

/** Where letters are read. */
interface Letters<E, R> {
  readonly page: (name: string, query: Query) => Effect.Effect<Page, E, R>
  readonly causes: (name: string, query: Omit<Query, "after">) => Effect.Effect<Causes, E, R>
  /** `undefined` where there is none. */
  readonly story: (name: string, id: string) => Effect.Effect<DeadLetterStory, E, R>
}

const ofService = {
  page: Effect.fnUntraced(function* (name: string, query: Query) {
    const { client } = yield* Service
    const page = yield* client.deadLetters.listDeadLetters({ params: { name }, query })
    return "dead_letters" in page ? page : { dead_letters: [], total: page.total, next: null }
  }),
  causes: Effect.fnUntraced(function* (name: string, query: Omit<Query, "after">) {
    const { client } = yield* Service
    const asked = { ...query, group_by: "cause" as const }
    const page = yield* client.deadLetters.listDeadLetters({ params: { name }, query: asked })
    return "causes" in page ? page : { causes: [], total: page.total, omitted: page.total }
  }),
  story: Effect.fnUntraced(function* (name: string, id: string) {
    const { client } = yield* Service
    return yield* client.deadLetters.getDeadLetter({ params: { name, id } })
  })
}

const ofLog = {
  page: Effect.fnUntraced(function* (name: string, { after, ...query }: Query) {
    const { stream } = yield* findPipeline(name)
    const place = after === undefined ? null : History.placeOf(after)
    if (place === undefined) return yield* noPlace(name, after!)
    const asked = { ...query, after: place }
    const { letters, more, total } = yield* History.readLetters(yield* EventLog, stream, asked)
    const next = more ? (letters.at(-1)?.id ?? null) : null
    return { dead_letters: letters.map(letterJson), total, next }
  }),
  causes: Effect.fnUntraced(function* (name: string, { limit, ...query }: Omit<Query, "after">) {
    const { stream } = yield* findPipeline(name)
    const asked = { ...query, limit: 1, after: null, byCause: true }
    const { causes, total } = yield* History.readLetters(yield* EventLog, stream, asked)
    const listed = LetterCauses.list(causes).slice(0, limit)
    const told = listed.reduce((sum, { count }) => sum + count, 0)
    return { causes: listed.map(causeJson), total, omitted: total - told }
  }),
  story: Effect.fnUntraced(function* (name: string, id: string) {
    const pipeline = yield* findPipeline(name)
    return yield* readStory(yield* EventLog, pipeline.id, id).pipe(
      Effect.map(storyJson),
      Effect.catchTag("Rejection", () => unknownLetter(name, id))
    )
  })
}

const list = Effect.fnUntraced(function* <E, R>(options: Options, { page }: Letters<E, R>) {
  const { after, limit, name } = options
  const most = Option.getOrElse(limit, () => 0) || ((yield* Json) ? pageMost : lettersShown)
  const letters: Array<DeadLetterJson> = []
  let next = Option.getOrNull(after)
  let total = 0
  do {
    const query = { ...filterOf(options), limit: Math.min(pageMost, most - letters.length) }
    const found: Page = yield* page(name, next === null ? query : { ...query, after: next })
    letters.push(...found.dead_letters)
    next = found.next
    total = found.total
  } while (next !== null && letters.length < most)
  yield* answer("dead-letters", { dead_letters: letters, total, next }, () =>
    listLines({ letters, total, next, name }, styleOf(process.stdout))
  )
})

const group = Effect.fnUntraced(function* <E, R>(options: Options, { causes }: Letters<E, R>) {
  const { limit, name } = options
  const most = Math.min(
    pageMost,
    Option.getOrElse(limit, () => LetterCauses.causesMost)
  )
  const result = yield* causes(name, { ...filterOf(options), limit: most })
  yield* answer("dead-letters", result, () => causeLines({ ...result, name }, styleOf(process.stdout)))
})

const show = Effect.fnUntraced(function* <E, R>({ ids, name }: Options, { page, story }: Letters<E, R>) {
  const [id, another] = ids
  if (id === undefined || another !== undefined) {
    return yield* bad(
      "usage",
      id === undefined ? "which letter? its id is missing" : "one letter at a time",
      `\`millrace dead-letters ${name} list\` shows the ids`
    )
  }
  const found = yield* Effect.catchIf(
    onBench(name, story(name, id)),
    isUnknown,
    // The nearest of the first ones is most likely the one that was meant.
    (failure) =>
      Effect.flatMap(page(name, { limit: pageMost }), ({ dead_letters }) => {
        const meant = nearest(
          id,
          dead_letters.map((letter) => letter.id)
        )
        const suggestion = meant === undefined ? failure.suggestion : `did you mean ${meant}?`
        return Effect.fail(
          new CliFailure({ ...failure, message: failure.message, ...(suggestion && { suggestion }) })
        )
      })
  )
  yield* answer("dead-letters", { dead_letter: found }, () =>
    storyLines(found, name, styleOf(process.stdout))
  )
})

const lookers = { list, group, show }

const isUnknown = (error: unknown): error is CliFailure =>
  error instanceof CliFailure && error.code === "unknown_dead_letter"

const unknownLetter = (name: string, id: string) =>
  bad(
    "unknown_dead_letter",
    `${name} has no dead letter ${JSON.stringify(id)}`,
    `\`millrace dead-letters ${name} list\` shows the ids`
  )

const noPlace = (name: string, after: string) =>
  Effect.fail(
    new CliFailure({
      exit: exitCode.badInput,
      code: "bad_request",
      message: `${JSON.stringify(after)} is not the id of a dead letter`,
      suggestion: `\`millrace dead-letters ${name} list\` shows the ids`
    })
  )
