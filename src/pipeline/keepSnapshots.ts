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

/** Keeps the snapshots of one stream; is told every new state, and closed when there is no other. */
export const keepSnapshots = Effect.fnUntraced(function* (
  log: EventLog["Service"],
  stream: string,
  past: Past
): Effect.fn.Return<Snapshots, never, Scope.Scope> {
  const snapshots = new Snapshots(log, stream, yield* Effect.scope, past)
  yield* snapshots.saveBeside
  return snapshots
})

export class Snapshots {
  readonly #log: EventLog["Service"]
  readonly #stream: string
  readonly #scope: Scope.Scope
  #state: PipelineState.PipelineState
  #version: number
  #snapshotAt: number
  #isSaving = false

  constructor(log: EventLog["Service"], stream: string, scope: Scope.Scope, past: Past) {
    this.#log = log
    this.#stream = stream
    this.#scope = scope
    this.#state = past.state
    this.#version = past.version
    this.#snapshotAt = past.snapshotAt
  }

  /** The state after the event of this version. */
  tell(state: PipelineState.PipelineState, version: number): Effect.Effect<void> {
    this.#state = state
    this.#version = version
    return this.saveBeside
  }

  /** The last one, if enough has happened since. */
  get close(): Effect.Effect<void> {
    return this.saveIf(worthSaving)
  }

  /** The state is immutable, so it does not matter when exactly its text is made. */
  get saveBeside(): Effect.Effect<void> {
    if (this.#isSaving || this.#version - this.#snapshotAt < snapshotEvery) return Effect.void
    this.#isSaving = true
    const saved = Effect.ensuring(
      this.saveIf(snapshotEvery),
      Effect.sync(() => {
        this.#isSaving = false
      })
    )
    return Effect.asVoid(Effect.forkIn(saved, this.#scope, { uninterruptible: true }))
  }

  /** Saves if there are so many events since the last snapshot. One that fails only costs the next owner time. */
  saveIf(events: number): Effect.Effect<void> {
    return Effect.suspend(() => {
      if (this.#version - this.#snapshotAt < events) return Effect.void
      this.#snapshotAt = this.#version
      return Effect.ignore(
        this.#log.saveSnapshot({
          stream: this.#stream,
          fold: snapshotName,
          foldVersion: PipelineState.foldVersion,
          version: this.#version,
          state: JSON.stringify(this.#state)
        })
      )
    })
  }
}
