/**
 * An event of a pipeline as a program sees it.
 *
 * @module
 */
import { Effect } from "effect"
import type { PipelineEvent } from "../../events/PipelineEvent.ts"
import type { StoredEvent } from "../../events/StoredEvent.ts"
import { decodePipelineEvent, type UndecodableEvent } from "../../events/upcast.ts"

/** An event with its place in the log; `at` is milliseconds since 1970. */
export interface Recorded {
  readonly event: PipelineEvent
  readonly version: number
  readonly position: number
  readonly at: number
  readonly by: string
}

/** A row of the log as the event it holds. */
export const recorded = (row: StoredEvent): Effect.Effect<Recorded, UndecodableEvent> =>
  Effect.map(Effect.fromResult(decodePipelineEvent(row)), (event) => {
    const { at, by, position, version } = row
    return { event, version, position, at, by }
  })
