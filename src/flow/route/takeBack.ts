/**
 * Records that stages have taken in, when another piece of theirs fails.
 *
 * @module
 */
import type { RouteStage } from "./RouteStage.ts"

/** A piece of a record, in a stage that has taken it in. */
export interface Taken {
  readonly stage: RouteStage
  readonly undo: () => void
}

/**
 * A record is taken in whole or not at all: where it has failed on a branch that the stage leads to, it has
 * failed on all of those, which are added to `branches`. Answers what stays taken in.
 */
export const takeBack = (taken: ReadonlyArray<Taken>, branches: Set<string>): ReadonlyArray<Taken> => {
  if (taken.length === 0) return taken
  const back = new Set<RouteStage>()
  for (let before = -1; before !== back.size; ) {
    before = back.size
    for (const { stage } of taken) {
      if (back.has(stage) || !stage.reaches.some((branch) => branches.has(branch))) continue
      back.add(stage)
      for (const branch of stage.reaches) branches.add(branch)
    }
  }
  for (const { stage, undo } of taken.toReversed()) if (back.has(stage)) undo()
  return taken.filter(({ stage }) => !back.has(stage))
}
