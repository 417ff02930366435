/**
 * The functions of a program's stages. They are not in the log: a definition holds their names and
 * boundaries, and whoever runs it must provide them.
 *
 * @module
 */
import type { Reason } from "../../events/PipelineEvent.ts"
import type { Split, Step, WaitingStep } from "./route/Route.ts"
import type { Worker } from "./Worker.ts"

/** What a program brings to one stage. */
export interface StageFunction {
  readonly step?: Step
  readonly split?: Split
  /** As many as `split` makes at most. */
  readonly splitsInto?: number
  readonly waiting?: WaitingStep
  /** What a custom stage is given its batches by. */
  readonly worker?: Worker<unknown, unknown>
  /** What a `validate` lets through, by the schema of the program. */
  readonly fits?: (payload: unknown) => Reason | undefined
  /** The boundary of the stage, checked on what comes out of it. */
  readonly check?: (payload: unknown) => Reason | undefined
}

/** The functions of one pipeline, by stage. */
export type Functions = ReadonlyMap<string, StageFunction>

export const noFunctions: Functions = new Map()
