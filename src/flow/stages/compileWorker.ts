/**
 * A stage whose work is a worker of the program: open as long as the plan, one batch at a time.
 *
 * @module
 */
import { Effect, type Scope as EffectScope, Result } from "effect"
import { askProgram, stageErrorOf } from "../askProgram.ts"
import { Batch } from "../Batch.ts"
import type { StageError } from "../StageError.ts"
import { Worker } from "../Worker.ts"
import type { StageWork } from "./compileWork.ts"

export const compileWorker = Effect.fnUntraced(function* (
  name: string,
  written: Worker<unknown, unknown>
): Effect.fn.Return<StageWork, StageError, EffectScope.Scope> {
  const worker = Worker.guard(written)
  // Registered first: a worker that was opened half-way is closed, too.
  yield* Effect.addFinalizer(() => closed(name, worker))
  yield* worker.open.pipe(Effect.mapError(stageErrorOf(name, "open")))
  return {
    waiting: (payloads, origins) =>
      Effect.gen(function* () {
        // Every attempt has a batch of its own: what was marked before the system was lost does not count.
        let batch = Batch.of<unknown>(payloads, origins)
        const answer = yield* askProgram(name, () => {
          batch = Batch.of(payloads, origins)
          return worker.do(batch)
        })
        if (Result.isFailure(answer)) batch.failRest(answer.failure)
        return batch.answer()
      })
  }
})

/** What was worked on is in the log by now: a stage that does not let go is told, and changes nothing. */
const closed = (name: string, worker: Worker<unknown, unknown>): Effect.Effect<void> =>
  Effect.catchCause(worker.close, (cause) =>
    Effect.logWarning(`The stage ${name} could not be closed`, cause)
  )
