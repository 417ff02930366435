/**
 * A service stage without its service: the rehearsal says what it would have answered.
 *
 * @module
 */
import { Effect } from "effect"
import type { Definition } from "../../../events/Definition.ts"
import type { Functions, StageFunction } from "../../flow/Functions.ts"
import type { Piece } from "../../flow/route/RouteStage.ts"
import { includes } from "./includes.ts"

/**
 * What a service answers, in the words of its protocol, when it is asked for a record that has everything in
 * `asked` (any record, when left out): `ok` (the default) with another `payload`, with several `payloads` or
 * with neither, which leaves the record as it was; `filter`; or `nack` with an `error`. The first that fits is
 * taken; a record that none fits is a dead letter with the code `no_answer_given`.
 */
export interface GivenAnswer {
  readonly asked?: unknown
  readonly status?: "ok" | "filter" | "nack"
  readonly payload?: unknown
  readonly payloads?: ReadonlyArray<unknown>
  readonly error?: { readonly code: string; readonly message: string }
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

const pieceOf = (stage: string, payload: unknown, answers: ReadonlyArray<GivenAnswer>): Piece => {
  const answer = answers.find(({ asked }) => asked === undefined || includes(payload, asked))
  if (answer === undefined) {
    const message = `the rehearsal gives no answer of ${stage} for ${JSON.stringify(payload)}`
    return { _tag: "Failed", reason: { code: "no_answer_given", message } }
  }
  switch (answer.status) {
    case "filter":
      return { _tag: "Dropped" }
    case "nack":
      return { _tag: "Failed", reason: answer.error ?? { code: "nacked", message: `${stage} refused it` } }
    default:
      return answer.payloads === undefined
        ? { _tag: "Passed", payload: "payload" in answer ? answer.payload : payload }
        : { _tag: "Many", payloads: answer.payloads }
  }
}
