/**
 * The dead-letter bench as programs see it.
 *
 * @module
 */
import type { Effect } from "effect"
import type { DeadLetter } from "../../../projections/DeadLetters.ts"
import type {
  DryRun,
  DryRunRequest,
  LetterChoice,
  LetterOutcome,
  LetterStory,
  RedriveRequest,
  RequestedRedrive
} from "./LetterRequest.ts"

export interface DeadLetterBench<E> {
  /** The records that could not be handled, in the order they were read. */
  deadLetters(name: string): Effect.Effect<ReadonlyArray<DeadLetter>, E>
  /** One letter with its whole story, also when it has left. */
  letter(name: string, id: string): Effect.Effect<LetterStory, E>
  /**
   * Tries letters again, through the definition in force, for the sinks that are owed them, and answers when each
   * of them has its outcome, or the bench is stalled. It needs no run and starts none: whatever the pipeline is, it
   * is done, by the run that is at work or beside it. What was requested is in the log: after a crash it goes on.
   */
  redrive(name: string, request: RedriveRequest): Effect.Effect<ReadonlyArray<LetterOutcome>, E>
  /** The same, answered as soon as it is in the log. */
  requestRedrive(name: string, request: RedriveRequest): Effect.Effect<RequestedRedrive, E>
  /** What became of redrives that were requested, when none of them is open any more, or the bench is stalled. */
  awaitRedrive(name: string, requested: RequestedRedrive): Effect.Effect<ReadonlyArray<LetterOutcome>, E>
  /** Takes back what was requested and not begun; answers with the letters it was for. */
  withdrawRedrive(
    name: string,
    letters: "all" | ReadonlyArray<string>,
    reason?: string
  ): Effect.Effect<ReadonlyArray<string>, E>
  /** What would become of letters: no event is written, no sink is opened. */
  dryRunRedrive(name: string, request: DryRunRequest): Effect.Effect<ReadonlyArray<DryRun>, E>
  /**
   * Letters are owed no more; answers with their ids. One that is just being tried is refused, unless `force`: then
   * it is not tried again, whatever its sink has got by now.
   */
  discard(
    name: string,
    letters: LetterChoice,
    reason: string,
    options?: { readonly force?: boolean }
  ): Effect.Effect<ReadonlyArray<string>, E>
}
