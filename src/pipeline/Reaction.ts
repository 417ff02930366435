/**
 * What a pipeline's process can be asked beside commands.
 *
 * @module
 */
import type { Effect } from "effect"
import type { Reason } from "../../events/PipelineEvent.ts"
import type { RunWorker } from "../flow/run/RunWorker.ts"
import type { PipelineActor } from "./PipelineActor.ts"

/** An actor, and what this process makes happen for it. */
export interface Reaction {
  readonly actor: PipelineActor
  /**
   * From now on this process steers the pipeline to where it is wanted. What the log says of an earlier process
   * is said to be lost first. Before it is adopted, a pipeline can be looked at and written to, and nothing follows.
   */
  readonly adopt: Effect.Effect<void>
  /**
   * Redrives are worked on, now, by this process, whether it has adopted the pipeline or not: then nothing else
   * follows. Resolves at once.
   */
  readonly redrive: Effect.Effect<void>
  /** Drains what is at work, says that nobody is at work any more, and does nothing from then on. */
  readonly retire: (reason: Reason) => Effect.Effect<void>
  /** Makes durable now what is in flight, and resolves once that is in the log; at once where nothing is at work. */
  readonly settle: Effect.Effect<void>
  /** How far the sources of the run at work are; empty while nothing is read. */
  readonly progress: () => ReturnType<RunWorker["progress"]>
}
