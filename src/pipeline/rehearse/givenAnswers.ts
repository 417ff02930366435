/**
 * A service stage without its service: the rehearsal says what it would have answered.
 *
 * @module
 */
import { Effect } from "effect"
import type { Definition } from "../../../events/Definition.ts"
import type { Functions, StageFunction } from "../../flow/Functions.ts"
import type { Pieces } from "../../flow/Route.ts"
import { includes } from "./includes.ts"

/**
 * What a service answers when it is asked for a record that has everything in `asked` (any record, when left
 * out): another record in `answers`, nothing (`drops`), or a failure. The first that fits is taken; a record
 * that none fits is a dead letter with the code `no_answer_given`.
 */
export interface GivenAnswer {
  readonly asked?: unknown
  readonly answers?: unknown
  readonly drops?: boolean
  readonly fails?: { readonly code: string; readonly message: string }
}

type Answers = Readonly<Record<string, ReadonlyArray<GivenAnswer>>>

/** The definition with a function in the place of each service. */
export const withoutServices = (definition: Definition): Definition => ({
  ...definition,
  stages: Object.fromEntries(
    Object.entries(definition.stages).map(([name, stage]) => {
      if (stage.service === undefined) return [name, stage]
      const { service: _, ...rest } = stage
      return [name, { ...rest, function: { does: "map", over: "batch" } as const }]
    })
  )
})

/** The functions of the program, and one for each service of the definition. */
export const withAnswers = (definition: Definition, functions: Functions, given: Answers): Functions => {
  const services = Object.entries(definition.stages).filter(([, { service }]) => service !== undefined)
  return new Map([
    ...functions,
    ...services.map(([name]) => [name, answering(name, given[name] ?? [], functions.get(name))] as const)
  ])
}

const answering = (
  stage: string,
  answers: ReadonlyArray<GivenAnswer>,
  known: StageFunction | undefined
): StageFunction => ({
  ...known,
  waiting: (payloads) => Effect.sync(() => payloads.map((payload) => pieceOf(stage, payload, answers)))
})

const pieceOf = (stage: string, payload: unknown, answers: ReadonlyArray<GivenAnswer>): Pieces[number] => {
  const answer = answers.find(({ asked }) => asked === undefined || includes(payload, asked))
  if (answer === undefined) {
    const message = `the rehearsal gives no answer of ${stage} for ${JSON.stringify(payload)}`
    return { _tag: "Failed", reason: { code: "no_answer_given", message } }
  }
  if (answer.fails !== undefined) return { _tag: "Failed", reason: answer.fails }
  if (answer.drops === true) return { _tag: "Dropped" }
  return { _tag: "Passed", payload: answer.answers ?? null }
}
