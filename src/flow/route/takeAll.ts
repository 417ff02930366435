/**
 * The records of a batch that become part of something greater: the last step of its way stage by stage.
 *
 * @module
 */

import type { Saw } from "../tap/Tap.ts"
import type { Watch } from "../tap/Taps.ts"
import { reasonOf } from "./Route.ts"
import type { Piece, RouteStage } from "./RouteStage.ts"
import { type Batch, fail, failuresAt, merged, scopeOf, setOf } from "./StagedBatch.ts"
import { byTrail, type Trail } from "./Trail.ts"
import { addRow } from "./Travel.ts"
import { type Taken, takeBack } from "./takeBack.ts"

interface Arrived {
  readonly stage: RouteStage
  readonly row: number
  readonly payload: unknown
  readonly trail: Trail
  /** Its place among those that came to its stage. */
  readonly at: number
  readonly saw: Saw | undefined
}

/**
 * Nothing goes on from a stage that takes records in, so these come last, when it is known which records have
 * failed elsewhere; and record by record, so that the latest can be taken back.
 */
export const takeAll = (batch: Batch, stages: ReadonlyArray<RouteStage>, watch: Watch | undefined): void => {
  const arrived = stages.flatMap((stage) => {
    const of = merged(batch.arriving.get(stage.name) ?? [])
    const saw = watch?.look({ stage: stage.name, batch, ...of })
    return of.rows.map(
      (row, at): Arrived => ({ row, stage, payload: of.payloads[at], trail: of.trails[at]!, at, saw })
    )
  })
  arrived.sort((a, b) => a.row - b.row || byTrail(a.trail, b.trail))
  for (let from = 0; from < arrived.length; ) {
    const { row } = arrived[from]!
    let to = from
    while (arrived[to]?.row === row) to++
    takeRecord(batch, row, arrived.slice(from, to))
    from = to
  }
}

/** All pieces of one record. */
const takeRecord = (batch: Batch, row: number, pieces: ReadonlyArray<Arrived>): void => {
  const taken: Array<Taken> = []
  for (const { payload, stage, trail } of pieces) {
    try {
      taken.push({ stage, undo: stage.take!(payload, scopeOf(batch.records[row]!)) })
    } catch (error) {
      fail(batch, stage, row, reasonOf(error, "stage_failed"), trail)
    }
  }
  const failures = failuresAt(batch, row)
  const owed = new Set(failures.flatMap(({ stage }) => stage.reaches))
  const left = takeBack(taken, owed)
  if (failures.length > 0) batch.owed.set(row, owed)
  for (const { stage } of left) {
    if (stage.namesTaken === true) addRow(batch.named, stage.name, row)
    for (const branch of stage.reaches) setOf(batch.taken, branch).add(row)
  }
  for (const { at, saw, stage } of pieces) {
    const isTaken = left.some((each) => each.stage === stage)
    const piece: Piece =
      isTaken || failures[0] === undefined
        ? { _tag: "Dropped" }
        : { _tag: "Failed", reason: failures[0].reason }
    saw?.(at, piece, undefined, "taker")
  }
}
