/**
 * The functions of a program's stages, made ready for the flow.
 *
 * @module
 */
import { Cause, type Context, Effect, Exit, Result, Schema } from "effect"
import { askProgram } from "../flow/askProgram.ts"
import type { Batch } from "../flow/Batch.ts"
import type { Functions, StageFunction } from "../flow/Functions.ts"
import { Nack, Retry, reasonOfError } from "../flow/Nack.ts"
import { type Answers, dropped, type Split } from "../flow/route/Route.ts"
import { tooMany } from "../flow/stages/compileExplode.ts"
import type { Worker } from "../flow/Worker.ts"

type Boundary = Schema.Codec<unknown>

export type ProgramFunction<R> =
  | { readonly _tag: "Check"; readonly schema: Boundary }
  | { readonly _tag: "Validate"; readonly schema: Boundary }
  | { readonly _tag: "Filter"; readonly predicate: (record: unknown) => boolean }
  | { readonly _tag: "Map"; readonly f: (record: unknown) => unknown; readonly schema: Boundary }
  | {
      readonly _tag: "Explode"
      readonly f: (record: unknown) => Iterable<unknown>
      readonly schema: Boundary
      readonly limit: number
    }
  | {
      readonly _tag: "MapEffect"
      readonly f: (record: unknown) => Effect.Effect<unknown, unknown, R>
      readonly schema: Boundary
      readonly concurrency: number
    }
  | {
      readonly _tag: "MapBatch"
      readonly f: (records: ReadonlyArray<unknown>) => Effect.Effect<ReadonlyArray<unknown>, unknown, R>
      readonly schema: Boundary
    }
  | { readonly _tag: "Custom"; readonly worker: Worker<unknown, unknown, R>; readonly schema: Boundary }

/** Gives effectful functions the program's environment, so that the flow can run them with none. */
export const provideAll = <R>(
  functions: ReadonlyMap<string, ProgramFunction<R>>,
  context: Context.Context<R>
): Functions => new Map([...functions].map(([stage, of]) => [stage, provided(stage, of, context)]))

const provided = <R>(stage: string, of: ProgramFunction<R>, context: Context.Context<R>): StageFunction => {
  const given = <A, E>(effect: Effect.Effect<A, E, R>): Effect.Effect<A, E> =>
    Effect.provideContext(effect, context)
  switch (of._tag) {
    case "Check":
      return { check: checkOf(of.schema) }
    case "Validate":
      return { fits: checkOf(of.schema) }
    case "Filter":
      return { step: (payload) => (of.predicate(payload) ? payload : dropped) }
    case "Map":
      return { step: of.f, check: checkOf(of.schema) }
    case "Explode":
      return { split: splitBy(of.f, of.limit), splitsInto: of.limit, check: checkOf(of.schema) }
    case "MapEffect": {
      const each = (record: unknown) =>
        Effect.map(
          askProgram(stage, () => of.f(record)),
          answerOf
        )
      return {
        waiting: (records) => given(Effect.forEach(records, each, { concurrency: of.concurrency })),
        check: checkOf(of.schema)
      }
    }
    case "MapBatch":
      return {
        waiting: (records) =>
          given(
            Effect.map(
              askProgram(stage, () => of.f(records)),
              (answer) => answersOf(answer, records)
            )
          ),
        check: checkOf(of.schema)
      }
    case "Custom": {
      const { close, do: work, open, stop } = of.worker
      const worker = {
        open: given(open),
        do: (batch: Batch<unknown>) => given(work(batch)),
        stop: given(stop),
        close: given(close)
      }
      return { worker, check: checkOf(of.schema) }
    }
  }
}

/** Not more is taken from the function than a record may become, however much it would make. */
const splitBy =
  (f: (record: unknown) => Iterable<unknown>, limit: number): Split =>
  (record) => {
    const pieces: Array<unknown> = []
    for (const piece of f(record)) {
      if (pieces.length === limit) throw tooMany("there is no end to it", limit)
      pieces.push(piece)
    }
    return pieces
  }

type Answer = Answers[number]

/** What a function makes, or says instead. */
const toAnswer = (value: unknown): Answer => {
  if (value instanceof Retry) return { _tag: "Retry", reason: { code: "retry", message: value.message } }
  if (value instanceof Nack) return { _tag: "Failed", reason: reasonOfError(value) }
  return { _tag: "Passed", payload: value }
}

/** A typed failure is the record's, and becomes its dead letter, or its wish to be asked about again. */
const answerOf = (result: Result.Result<unknown, unknown>): Answer => {
  if (Result.isSuccess(result)) return toAnswer(result.success)
  return result.failure instanceof Retry
    ? toAnswer(result.failure)
    : { _tag: "Failed", reason: reasonOfError(result.failure) }
}

const answersOf = (
  result: Result.Result<ReadonlyArray<unknown>, unknown>,
  records: ReadonlyArray<unknown>
): Answers => (Result.isSuccess(result) ? result.success.map(toAnswer) : records.map(() => answerOf(result)))

const checkOf = (schema: Boundary): NonNullable<StageFunction["check"]> => {
  const fits = Schema.is(schema)
  const explain = Schema.decodeUnknownExit(schema)
  return (payload) => {
    if (fits(payload)) return undefined
    const exit = explain(payload)
    const failure = Exit.isFailure(exit) ? exit.cause.reasons.find(Cause.isFailReason)?.error : undefined
    const message = failure === undefined ? "the record does not fit" : String(failure.message)
    return { code: "contract_violation", message: message.replaceAll(/\s+/g, " ") }
  }
}
