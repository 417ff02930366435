/**
 * Waiting for a pipeline.
 *
 * @module
 */
import { Deferred, Effect, Stream } from "effect"
import type { PipelineState } from "../../projections/PipelineState.ts"
import type { PipelineActor } from "./PipelineActor.ts"

/** Waits until the pipeline is in a state that satisfies the predicate, or its actor is gone. */
export const awaitState = Effect.fnUntraced(function* (
  actor: PipelineActor,
  satisfies: (state: PipelineState) => boolean
) {
  const found = yield* Deferred.make<PipelineState>()
  const watch = Stream.runForEachWhile(actor.changes, (state) =>
    satisfies(state) ? Effect.as(Deferred.succeed(found, state), false) : Effect.succeed(true)
  )
  yield* Effect.raceFirst(watch, actor.gone)
  return yield* Deferred.await(found)
})
