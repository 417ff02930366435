/**
 * Acknowledgements to the sources of a run.
 *
 * @module
 */
import { Effect } from "effect"
import type { Position } from "../../../events/Checkpoint.ts"
import type { PipelineState } from "../../../projections/PipelineState.ts"
import type { SourceReader } from "../../drivers/Source.ts"
import { atStage, type StageError } from "../StageError.ts"

export class Acknowledging {
  readonly #readers: ReadonlyMap<string, SourceReader>
  readonly #acknowledged = new Map<string, number>()

  constructor(readers: ReadonlyMap<string, SourceReader>) {
    this.#readers = readers
  }

  /** Invariant 1 and C6: what is acknowledged is the checkpoint that is in the log, nothing later. */
  tell({ run }: PipelineState): Effect.Effect<void, StageError> {
    return Effect.gen({ self: this }, function* () {
      for (const [stage, { checkpoint }] of Object.entries(run?.sources ?? {})) {
        const reader = this.#readers.get(stage)
        // A source that ended before its first record has no place to acknowledge.
        if (checkpoint === null || checkpoint.position === null || reader === undefined) continue
        if (this.#acknowledged.get(stage) === checkpoint.batch) continue
        this.#acknowledged.set(stage, checkpoint.batch)
        yield* reader.ack(checkpoint.position as Position).pipe(atStage(stage))
      }
    })
  }
}
