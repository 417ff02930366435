/**
 * One record on its way through the fused route, and what becomes of it once every piece has come to its end.
 *
 * @module
 */
import type { Reason } from "../../../events/PipelineEvent.ts"
import { own } from "../../../projections/own.ts"
import type { Scope } from "../expression/Expression.ts"
import type { Failure } from "../Outcome.ts"
import type { RouteStage } from "./RouteStage.ts"
import { type Taken, takeBack } from "./takeBack.ts"

/** What has been collected for one sink. */
export interface Collector {
  records: Array<unknown>
  rows: Array<number>
  delivered: number
  unrouted: number
  lettered: number
  aggregated?: number
}

/** The record on its way, and what has been collected so far. One batch at a time: nothing here is asynchronous. */
export interface Travel {
  index: number
  scope: Scope
  reached: boolean
  failures: Array<{ stage: RouteStage; reason: Reason }>
  unrouted: Array<RouteStage>
  taken: Array<Taken>
  /** By stage that names them: the records of the batch it has taken in. */
  named: Record<string, Array<number>>
  collectors: Map<string, Collector>
}

/**
 * One failed piece fails the record on every branch that piece could have reached; pieces that are
 * already collected there are taken back. The first cause is the one that is kept.
 */
export const settleFailures = (travel: Travel): Failure => {
  const { index } = travel
  const branches = new Set(travel.failures.flatMap(({ stage }) => stage.reaches))
  travel.taken = [...takeBack(travel.taken, branches)]
  for (const branch of branches) {
    const collector = travel.collectors.get(branch)!
    if (collector.rows.at(-1) === index) collector.delivered--
    while (collector.rows.at(-1) === index) {
      collector.rows.pop()
      collector.records.pop()
    }
    collector.lettered++
  }
  const { reason, stage } = travel.failures[0]!
  settleRest(travel, new Set(branches))
  travel.failures = []
  return { index, stage: stage.name, branches: [...branches], reason }
}

/** Taken in or unrouted counts on a branch only when no other piece of the record reached it, and once. */
export const settleRest = (travel: Travel, counted: Set<string>): void => {
  const countOnce = (stage: RouteStage, count: (collector: Collector) => void): void => {
    for (const branch of stage.reaches) {
      const collector = travel.collectors.get(branch)!
      if (counted.has(branch) || collector.rows.at(-1) === travel.index) continue
      counted.add(branch)
      count(collector)
    }
  }
  for (const { stage } of travel.taken) {
    if (stage.namesTaken === true) addRow(travel.named, stage.name, travel.index)
    countOnce(stage, (collector) => {
      collector.aggregated = (collector.aggregated ?? 0) + 1
    })
  }
  for (const stage of travel.unrouted) countOnce(stage, (collector) => void collector.unrouted++)
  travel.taken = []
  travel.unrouted = []
}

/** Of several pieces of one record the first counts. */
export const addRow = (named: Record<string, Array<number>>, stage: string, row: number): void => {
  const rows = own(named, stage)
  if (rows === undefined) named[stage] = [row]
  else if (rows.at(-1) !== row) rows.push(row)
}
