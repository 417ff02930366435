/**
 * The functions of a program's stages, made ready for the flow.
 *
 * @module
 */
import { Cause, type Context, Effect, Exit, Schema } from "effect"
import type { Reason } from "../../events/PipelineEvent.ts"
import type { Functions, StageFunction } from "../flow/Functions.ts"
import { dropped, type Pieces } from "../flow/Route.ts"

/** A record that a batch function cannot handle, with the reason of its dead letter. */
export class Nack extends Schema.TaggedError<Nack>()("Nack", {
  code: Schema.String,
  message: Schema.String
}) {}

/** Says of one record of a batch that it becomes a dead letter. */
export const nack = (message: string, code = "nacked"): Nack => new Nack({ code, message })

type Boundary = Schema.Codec<unknown>

export type ProgramFunction<R> =
  | { readonly _tag: "Check"; readonly schema: Boundary }
  | { readonly _tag: "Filter"; readonly predicate: (record: unknown) => boolean }
  | { readonly _tag: "Map"; readonly f: (record: unknown) => unknown; readonly schema: Boundary }
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

/** Gives effectful functions the program's environment, so that the flow can run them with none. */
export const provideAll = <R>(
  functions: ReadonlyMap<string, ProgramFunction<R>>,
  context: Context.Context<R>
): Functions => new Map([...functions].map(([stage, of]) => [stage, provided(of, context)]))

const provided = <R>(of: ProgramFunction<R>, context: Context.Context<R>): StageFunction => {
  switch (of._tag) {
    case "Check":
      return { check: checkOf(of.schema) }
    case "Filter":
      return { step: (payload) => (of.predicate(payload) ? payload : dropped) }
    case "Map":
      return { step: of.f, check: checkOf(of.schema) }
    case "MapEffect": {
      const each = (record: unknown) => Effect.map(Effect.exit(of.f(record)), pieceOf)
      const all = (records: ReadonlyArray<unknown>) =>
        Effect.forEach(records, each, { concurrency: of.concurrency })
      return {
        waiting: (records) => Effect.provideContext(defectsEnd(all(records)), context),
        check: checkOf(of.schema)
      }
    }
    case "MapBatch":
      return {
        waiting: (records) =>
          Effect.provideContext(
            defectsEnd(Effect.map(Effect.exit(of.f(records)), (exit) => piecesOf(exit, records))),
            context
          ),
        check: checkOf(of.schema)
      }
  }
}

type Piece = Pieces[number] | { readonly _tag: "Died"; readonly cause: Cause.Cause<never> }

/** A typed failure is the record's, and becomes its dead letter; a defect is the program's, and ends the run. */
const pieceOf = (exit: Exit.Exit<unknown, unknown>): Piece => {
  if (Exit.isSuccess(exit)) return { _tag: "Passed", payload: exit.value }
  const failure = exit.cause.reasons.find(Cause.isFailReason)
  return failure === undefined
    ? { _tag: "Died", cause: exit.cause as Cause.Cause<never> }
    : { _tag: "Failed", reason: reasonOf(failure.error) }
}

const piecesOf = (
  exit: Exit.Exit<ReadonlyArray<unknown>, unknown>,
  records: ReadonlyArray<unknown>
): ReadonlyArray<Piece> => {
  if (!Exit.isSuccess(exit)) {
    const piece = pieceOf(exit)
    return records.map(() => piece)
  }
  return exit.value.map((answer) =>
    answer instanceof Nack
      ? { _tag: "Failed", reason: reasonOf(answer) }
      : { _tag: "Passed", payload: answer }
  )
}

const defectsEnd = <R>(
  pieces: Effect.Effect<ReadonlyArray<Piece>, never, R>
): Effect.Effect<Pieces, never, R> =>
  Effect.flatMap(pieces, (all) => {
    const died = all.find((piece) => piece._tag === "Died")
    return died === undefined ? Effect.succeed(all as Pieces) : Effect.failCause(died.cause)
  })

const reasonOf = (error: unknown): Reason => {
  if (error instanceof Nack) return { code: error.code, message: error.message }
  const tag = (error as { readonly _tag?: unknown } | null)?._tag
  const message = error instanceof Error && error.message !== "" ? error.message : String(tag ?? error)
  return { code: typeof tag === "string" ? tag : "stage_failed", message }
}

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
