/**
 * Asking a stage about a batch until it has an answer for every record: those it wants to be asked about
 * again are asked about again, alone and in their order.
 *
 * @module
 */
import { Effect } from "effect"
import { DriverError } from "../drivers/DriverError.ts"
import type { Answers, Origin, Piece, Pieces, WaitingStep } from "./Route.ts"
import { StageError } from "./StageError.ts"

/** So often in a row a group may be asked about again without getting smaller. */
const attemptsInVain = 3
/** The pause before a group is asked about again; it doubles while the group does not get smaller. */
const pauseMs = 50

/**
 * What became of each payload. Fails with the fatal `retry_not_converging` when records are asked about again
 * and again to no avail, and dies when the step answers for another number of records than it was given.
 */
export const askUntilAnswered = Effect.fnUntraced(function* (
  stage: string,
  step: WaitingStep,
  payloads: ReadonlyArray<unknown>,
  origins: ReadonlyArray<Origin>
): Effect.fn.Return<Pieces, StageError> {
  const answers = yield* ask(stage, step, payloads, origins)
  let open = toRetry(answers)
  if (open.length === 0) return answers as Pieces
  const settled = [...answers]
  for (let inVain = 0; open.length > 0; ) {
    if (inVain === attemptsInVain) return yield* notConverging(stage, settled[open[0]!]!, open.length)
    yield* Effect.sleep(pauseMs * 2 ** inVain)
    const again = yield* ask(
      stage,
      step,
      open.map((at) => payloads[at]),
      open.map((at) => origins[at]!)
    )
    for (const [index, answer] of again.entries()) settled[open[index]!] = answer
    const left = open.filter((_, index) => again[index]!._tag === "Retry")
    inVain = left.length < open.length ? 0 : inVain + 1
    open = left
  }
  return settled as ReadonlyArray<Piece>
})

const toRetry = (answers: Answers): ReadonlyArray<number> =>
  answers.flatMap(({ _tag }, at) => (_tag === "Retry" ? [at] : []))

const ask = Effect.fnUntraced(function* (
  stage: string,
  step: WaitingStep,
  payloads: ReadonlyArray<unknown>,
  origins: ReadonlyArray<Origin>
): Effect.fn.Return<Answers, StageError> {
  const answers = yield* step(payloads, origins)
  return answers.length === payloads.length
    ? answers
    : yield* Effect.die(new Error(`${stage} answered for ${answers.length} of ${payloads.length} records`))
})

/** Asking on would change nothing: somebody has to look at the stage. */
const notConverging = (stage: string, last: Answers[number], records: number): StageError => {
  const why = last._tag === "Retry" ? last.reason.message : ""
  const again = `${records} records were asked about again ${attemptsInVain} times, and none got an answer`
  return new StageError({
    stage,
    error: new DriverError({
      driver: stage,
      operation: "do",
      reason: {
        _tag: "Rejected",
        code: "retry_not_converging",
        message: `${again}: ${why}`,
        suggestion: "a record that can never be handled is one to nack"
      }
    })
  })
}
