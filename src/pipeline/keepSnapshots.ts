/**
 * When a pipeline's state is saved: after so many events, right after a long history was folded, and
 * before the actor sleeps. Never in the way of a command: saving happens beside the loop.
 *
 * @module
 */
import { Effect, type Scope } from "effect"
import * as PipelineState from "../../projections/PipelineState.ts"
import type { EventLog } from "../log/EventLog.ts"
import { snapshotName } from "./loadState.ts"

/** So many events after the last snapshot there is a new one: waking up folds hardly more than these. */
export const snapshotEvery = 1000

/** An actor that goes to sleep leaves a snapshot if it spares the next one this many events. */
const worthSaving = 100

/** What `loadState` found; a snapshot of an older fold version counts as none, so `snapshotAt` is 0 then. */
export interface Past {
  readonly state: PipelineState.PipelineState
  readonly version: number
  readonly snapshotAt: number
}

/**
 * Answers what the actor tells each new state to. The state is immutable, so it does not matter when
 * exactly its text is made; and a snapshot that fails only costs the next owner time.
 */
export const keepSnapshots = Effect.fnUntraced(function* (
  log: EventLog["Service"],
  stream: string,
  past: Past
): Effect.fn.Return<
  (state: PipelineState.PipelineState, version: number) => Effect.Effect<void>,
  never,
  Scope.Scope
> {
  const scope = yield* Effect.scope
  let { snapshotAt, state, version } = past
  let isSaving = false

  const save = Effect.suspend(() => {
    snapshotAt = version
    return Effect.ignore(
      log.saveSnapshot({
        stream,
        fold: snapshotName,
        foldVersion: PipelineState.foldVersion,
        version,
        state: JSON.stringify(state)
      })
    )
  })
  const saveBeside = Effect.suspend(() => {
    if (isSaving || version - snapshotAt < snapshotEvery) return Effect.void
    isSaving = true
    const saved = Effect.ensuring(
      save,
      Effect.sync(() => {
        isSaving = false
      })
    )
    return Effect.asVoid(Effect.forkIn(Effect.uninterruptible(saved), scope))
  })

  yield* Effect.addFinalizer(() =>
    Effect.suspend(() => (version - snapshotAt < worthSaving ? Effect.void : save))
  )
  yield* saveBeside
  return (nextState, nextVersion) => {
    state = nextState
    version = nextVersion
    return saveBeside
  }
})
