/**
 * Folding a pipeline's history for somebody who only looks.
 *
 * @module
 */
import { Effect, Stream } from "effect"
import type { PipelineEvent } from "../../events/PipelineEvent.ts"
import type { StoredEvent } from "../../events/StoredEvent.ts"
import { decodePipelineEvent } from "../../events/upcast.ts"
import { EventLog } from "../log/EventLog.ts"
import { loadState } from "../pipeline/loadState.ts"

/** Folds the whole stream; `step` sees the event and the row it came from. */
export const foldPipeline = Effect.fnUntraced(function* <S>(
  stream: string,
  initial: S,
  step: (state: S, event: PipelineEvent, row: StoredEvent) => S
) {
  const log = yield* EventLog
  let state = initial
  yield* Stream.runForEachArray(log.read(stream), (rows) =>
    Effect.gen(function* () {
      for (const row of rows) state = step(state, yield* Effect.fromResult(decodePipelineEvent(row)), row)
    })
  )
  return state
})

/** The state now, from the newest snapshot on. */
export const readState = Effect.fnUntraced(function* (stream: string) {
  return (yield* loadState(yield* EventLog, stream)).state
})
