/**
 * `Running` implies progress or a stated reason: a run that has something to do and does nothing for too
 * long makes its pipeline `Unavailable`, with what it waits for, until it moves again.
 *
 * @module
 */
import { Clock, Duration, Effect } from "effect"
import type { PipelineState } from "../../projections/PipelineState.ts"
import type { RunWorker } from "../flow/run/RunWorker.ts"
import type { PipelineActor } from "./PipelineActor.ts"
import { engine } from "./work.ts"

export const noProgress = "no_progress"

/** Looks every quarter of `withinMs`, for as long as the worker is at work. A source that has nothing new is no trouble. */
export const watchProgress = Effect.fnUntraced(function* (
  actor: PipelineActor,
  worker: RunWorker,
  withinMs: number
) {
  let last = markOf(yield* actor.state, worker)
  let since = yield* Clock.currentTimeMillis
  while (true) {
    yield* Effect.sleep(withinMs / 4)
    const state = yield* actor.state
    const now = yield* Clock.currentTimeMillis
    const mark = markOf(state, worker)
    const waiting = worker.waitingFor()
    const isStuck = state.deployment === "Unavailable" && state.deploymentError?.code === noProgress
    if (mark !== last || waiting.length === 0) {
      last = mark
      since = now
      if (isStuck) yield* Effect.ignore(actor.send({ _tag: "AdvanceDeployment" }, engine))
    } else if (now - since >= withinMs && !isStuck) {
      const message = `${waiting.join(", ")}: no answer for ${Duration.format(Duration.millis(now - since))}`
      yield* Effect.ignore(
        actor.send({ _tag: "BecomeUnavailable", reason: { code: noProgress, message } }, engine)
      )
    }
  }
})

/** Changes whenever something has been read, written or confirmed. */
const markOf = ({ nextBatch, open, run }: PipelineState, worker: RunWorker): string =>
  JSON.stringify([nextBatch, open.length, run?.counts, worker.progress()])
