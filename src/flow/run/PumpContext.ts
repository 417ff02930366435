/**
 * What a pump works with, and what it is told.
 *
 * @module
 */
import type { Deferred, Queue, Semaphore } from "effect"
import type { PipelineState } from "../../../projections/PipelineState.ts"
import type { SourceReader } from "../../drivers/Source.ts"
import type { Plan } from "../Plan.ts"
import type { FeedMessage } from "../redrive/feedRedrives.ts"
import type { Redriving } from "../redrive/Redriving.ts"
import type { Journal } from "./Journal.ts"
import type { Lane, LaneMessage } from "./Lane.ts"
import type { ReaderMessage } from "./Reader.ts"
import type { Settle } from "./Settling.ts"

/** What readers and lanes tell, and what is asked from outside. */
export type Message = ReaderMessage | LaneMessage | FeedMessage | Settle | Look

/** Redrives were requested, or taken back: the pump looks whether that changes anything. */
interface Look {
  readonly _tag: "Look"
}

export interface PumpContext {
  readonly plan: Plan
  readonly journal: Journal
  readonly state: PipelineState
  readonly lanes: ReadonlyMap<string, Lane>
  readonly slots: ReadonlyMap<string, Semaphore.Semaphore>
  readonly readers: ReadonlyMap<string, SourceReader>
  readonly redriving: Redriving
  readonly inbox: Queue.Queue<Message>
  readonly stop: Deferred.Deferred<void>
}
