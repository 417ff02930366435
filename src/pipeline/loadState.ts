/**
 * The state of a pipeline as its log has it now, without reading all of it.
 *
 * @module
 */
import { Effect, Option, Stream } from "effect"
import { decodePipelineEvent } from "../../events/upcast.ts"
import * as PipelineState from "../../projections/PipelineState.ts"
import type { EventLog } from "../log/EventLog.ts"

/** The name under which the actor keeps its snapshots. */
export const snapshotName = "pipeline"

/** The newest snapshot this fold understands, and what happened since; `version` is that of the state. */
export const loadState = Effect.fnUntraced(function* (log: EventLog["Service"], stream: string) {
  const saved = Option.getOrUndefined(
    yield* log.loadSnapshot(stream, snapshotName, PipelineState.foldVersion)
  )
  let state =
    saved === undefined ? PipelineState.initial : (JSON.parse(saved.state) as PipelineState.PipelineState)
  let version = saved?.version ?? 0
  const snapshotAt = version
  yield* Stream.runForEachArray(log.read(stream, { after: version }), (rows) =>
    Effect.gen(function* () {
      for (const row of rows) {
        state = PipelineState.evolve(state, yield* Effect.fromResult(decodePipelineEvent(row)))
        version = row.version
      }
    })
  )
  return { state, version, snapshotAt }
})
