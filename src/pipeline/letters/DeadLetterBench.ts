/**
 * The dead-letter bench as programs see it.
 *
 * @module
 */
import { Effect } from "effect"
import { pipelineStream } from "../../../events/PipelineEvent.ts"
import * as DeadLetters from "../../../projections/DeadLetters.ts"
import { Drivers } from "../../drivers/Drivers.ts"
import type { Functions } from "../../flow/Functions.ts"
import type { EventLog } from "../../log/EventLog.ts"
import type { Asker } from "../Asker.ts"
import { foldEvents } from "../history/foldStream.ts"
import type { HostedPipeline } from "../Pipelines.ts"
import { awaitRedrive } from "./awaitRedrive.ts"
import { discardLetters, withdrawRedrive } from "./discardLetters.ts"
import { type DryRunError, dryRun } from "./dryRun.ts"
import type {
  DryRun,
  DryRunRequest,
  LetterChoice,
  LetterOutcome,
  LetterStory,
  RedriveRequest,
  RequestedRedrive
} from "./LetterRequest.ts"
import { readStory } from "./readStory.ts"
import { type BenchError, requestRedrive } from "./requestRedrive.ts"

/** `E` is what looking a pipeline up can fail with. */
export interface DeadLetterBench<E> {
  /** The records that could not be handled, in the order they were read. */
  deadLetters(name: string): Effect.Effect<ReadonlyArray<DeadLetters.DeadLetter>, E | BenchError>
  /** One letter with its whole story, also when it has left. */
  letter(name: string, id: string): Effect.Effect<LetterStory, E | BenchError>
  /**
   * Tries letters again, through the definition in force, for the sinks that are owed them, and answers when each
   * of them has its outcome, or the bench is stalled. It needs no run and starts none: whatever the pipeline is, it
   * is done, by the run that is at work or beside it. What was requested is in the log: after a crash it goes on.
   */
  redrive(name: string, request: RedriveRequest): Effect.Effect<ReadonlyArray<LetterOutcome>, E | BenchError>
  /** The same, answered as soon as it is in the log. */
  requestRedrive(name: string, request: RedriveRequest): Effect.Effect<RequestedRedrive, E | BenchError>
  /** What became of redrives that were requested, when none of them is open any more, or the bench is stalled. */
  awaitRedrive(
    name: string,
    requested: RequestedRedrive
  ): Effect.Effect<ReadonlyArray<LetterOutcome>, E | BenchError>
  /** Takes back what was requested and not begun; answers with the letters it was for. */
  withdrawRedrive(
    name: string,
    letters: "all" | ReadonlyArray<string>,
    reason?: string
  ): Effect.Effect<ReadonlyArray<string>, E | BenchError>
  /** What would become of letters: no event is written, no sink is opened. */
  dryRunRedrive(name: string, request: DryRunRequest): Effect.Effect<ReadonlyArray<DryRun>, E | DryRunError>
  /**
   * Letters are owed no more; answers with their ids. One that is just being tried is refused, unless `force`: then
   * it is not tried again, whatever its sink has got by now.
   */
  discard(
    name: string,
    letters: LetterChoice,
    reason: string,
    options?: { readonly force?: boolean }
  ): Effect.Effect<ReadonlyArray<string>, E | BenchError>
}

export interface BenchOptions<E> {
  readonly log: EventLog["Service"]
  readonly drivers: Drivers["Service"]
  readonly by: Asker
  readonly hosted: (name: string) => Effect.Effect<HostedPipeline, E>
  readonly functionsOf: (name: string) => Functions
}

/** The bench of a service that keeps its pipelines awake. */
export const makeBench = <E>(options: BenchOptions<E>): DeadLetterBench<E> => {
  const { by, drivers, functionsOf, hosted, log } = options
  const on = <A, E2, R>(name: string, act: (pipeline: HostedPipeline) => Effect.Effect<A, E2, R>) =>
    Effect.flatMap(hosted(name), act)
  return {
    deadLetters: (name) =>
      on(name, ({ actor }) =>
        Effect.map(
          foldEvents(
            log,
            { stream: pipelineStream(actor.id) },
            { state: DeadLetters.initial, version: 0 },
            DeadLetters.evolve
          ),
          ({ state }) => DeadLetters.list(state)
        )
      ),
    letter: (name, id) => on(name, ({ actor }) => readStory(log, actor.id, id)),
    redrive: (name, request) =>
      on(name, (pipeline) =>
        Effect.flatMap(requestRedrive(pipeline, log, { ...request, by }), (requested) =>
          awaitRedrive(pipeline, log, requested)
        )
      ),
    requestRedrive: (name, request) =>
      on(name, (pipeline) => requestRedrive(pipeline, log, { ...request, by })),
    awaitRedrive: (name, requested) => on(name, (pipeline) => awaitRedrive(pipeline, log, requested)),
    withdrawRedrive: (name, letters, reason = "") =>
      on(name, (pipeline) => withdrawRedrive(pipeline, letters, reason, by)),
    dryRunRedrive: (name, request) =>
      on(name, ({ actor }) => dryRun(log, actor.id, functionsOf(name), request)).pipe(
        Effect.provideService(Drivers, drivers)
      ),
    discard: (name, letters, reason, { force } = {}) =>
      on(name, (pipeline) => discardLetters(pipeline, log, { letters, reason, force, by }))
  }
}
