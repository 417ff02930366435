/**
 * Waits for redrives, and tells what became of them.
 *
 * @module
 */
import { Effect } from "effect"
import { pipelineStream } from "../../../events/PipelineEvent.ts"
import type { UndecodableEvent } from "../../../events/upcast.ts"
import type { PipelineState } from "../../../projections/PipelineState.ts"
import * as RedriveOutcomes from "../../../projections/RedriveOutcomes.ts"
import type { EventLog, LogError } from "../../log/EventLog.ts"
import { awaitState } from "../awaitState.ts"
import type { HostedPipeline } from "../Pipelines.ts"
import { eachEvent } from "../replay/readTimeline.ts"
import type { LetterOutcome, RequestedRedrive } from "./LetterRequest.ts"
import type { BenchError } from "./requestRedrive.ts"

/** Resolves when all of them are settled and what they were added to is visible, or when the bench is stalled. */
export const awaitRedrive = Effect.fnUntraced(function* (
  { actor, redrive }: HostedPipeline,
  log: EventLog["Service"],
  requested: RequestedRedrive
): Effect.fn.Return<ReadonlyArray<LetterOutcome>, BenchError> {
  yield* redrive
  yield* awaitState(actor, (state) => isOver(state, requested))
  return yield* readOutcomes(log, actor.id, requested)
})

const isOver = ({ bench }: PipelineState, { letters }: RequestedRedrive): boolean => {
  if (bench === undefined || bench.stalled !== null) return true
  if (bench.unpublished.length > 0) return false
  if (bench.open.length === 0) return true
  const wanted = new Map(letters.map(({ letter, n }) => [letter, n]))
  return bench.open.every(({ letter, n }) => wanted.get(letter) !== n)
}

/** As the log has it now. */
export const readOutcomes = Effect.fnUntraced(function* (
  log: EventLog["Service"],
  id: string,
  { letters, seen }: RequestedRedrive
): Effect.fn.Return<ReadonlyArray<LetterOutcome>, LogError | UndecodableEvent> {
  let outcomes = RedriveOutcomes.initial(letters)
  yield* eachEvent(log, pipelineStream(id), seen, (event) => {
    outcomes = RedriveOutcomes.evolve(outcomes, event)
    return true
  })
  return RedriveOutcomes.list(outcomes, letters)
})
