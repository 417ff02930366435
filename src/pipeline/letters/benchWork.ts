/**
 * What the bench asks of a process, told from the state. Pure.
 *
 * @module
 */
import * as Bench from "../../../projections/Bench.ts"
import { isSealed, type OpenRedrive, owedBranches } from "../../../projections/OpenRedrive.ts"
import { own } from "../../../projections/own.ts"
import { isOutputComplete, type PipelineState } from "../../../projections/PipelineState.ts"
import { isActive } from "../../../projections/transitions.ts"

/** Something can be done beside no run: while one is at work, its own worker does it. */
export const isBenchDue = (state: PipelineState): boolean =>
  Bench.isOwed(state.bench) &&
  !isActive(state.lifecycle) &&
  state.definition?.signature != null &&
  (state.bench.unpublished.length > 0 || state.bench.open.some((redrive) => canWork(state, redrive)))

/** Something was begun at a sink and is not through: a run that begins waits for that. */
export const isBenchBusy = ({ bench }: PipelineState): boolean =>
  bench !== undefined && (bench.unpublished.length > 0 || bench.open.some(isSealed))

/** The sinks that a session on the redrives opens. */
export const sinksOfBench = (state: PipelineState): ReadonlyArray<string> => {
  const { open = [], unpublished = [] } = state.bench ?? {}
  const owed = open.filter((redrive) => canWork(state, redrive)).flatMap(owedBranches)
  return [...new Set([...unpublished, ...owed])]
}

/** A run that only has to make its outputs visible does that first: what is finished takes no record. C15 */
const canWork = (state: PipelineState, redrive: OpenRedrive): boolean =>
  owedBranches(redrive).every(
    (stage) => isOutputComplete(state, stage) || own(state.run?.outputs, stage)?.finished !== true
  )
