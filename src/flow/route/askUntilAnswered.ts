/**
 * Asking a stage about a batch until it has an answer for every record: those it wants to be asked about
 * again are asked about again, alone and in their order.
 *
 * @module
 */
import { Effect } from "effect"
import type { Reason } from "../../../events/PipelineEvent.ts"
import { DriverError } from "../../drivers/DriverError.ts"
import { Telling } from "../run/Telling.ts"
import { StageError } from "../StageError.ts"
import type { Answers, Origin, Piece, Pieces, WaitingStep } from "./Route.ts"

/** So often in a row a group may be asked about again without getting smaller. */
const attemptsInVain = 3
/** The pause before a group is asked about again; it doubles while the group does not get smaller. */
const firstPauseMs = 50

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
  const tell = yield* Telling
  let inVain = 0
  for (let round = 1; open.length > 0; round++) {
    const reason = reasonOf(settled[open[0]!]!)
    if (inVain === attemptsInVain) return yield* notConverging(stage, reason, open.length)
    const delayMs = firstPauseMs * 2 ** inVain
    // A group that gets smaller is told of once; each line after that is about standing still.
    if (round === 1 || inVain > 0) yield* tell({ stage, batch: null, attempt: round, reason, delayMs })
    yield* Effect.sleep(delayMs)
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

const reasonOf = (answer: Answers[number]): Reason =>
  answer._tag === "Retry" ? answer.reason : { code: "retry", message: "" }

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
const notConverging = (stage: string, reason: Reason, records: number): StageError => {
  const again = `${records} records were asked about again ${attemptsInVain} times, and none got an answer`
  return new StageError({
    stage,
    error: new DriverError({
      driver: stage,
      operation: "do",
      reason: {
        _tag: "Rejected",
        code: "retry_not_converging",
        message: `${again}: ${reason.message}`,
        suggestion: "a record that can never be handled is one to nack"
      }
    })
  })
}
