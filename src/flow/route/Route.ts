/**
 * The way of a record through the stages, as plain functions: one call per record and stage, the
 * stages between a source and its sinks fused into one loop. Nothing here waits, writes or remembers.
 *
 * @module
 */
import type { Reason, Totals } from "../../../events/PipelineEvent.ts"
import type { RecordOrigin, SourceRecord } from "../../drivers/Record.ts"
import { Nack } from "../Nack.ts"
import type { Failure, Outcome } from "../Outcome.ts"
import { dropped, RecordFailure, type RouteStage, type Split, type Take } from "./RouteStage.ts"
import { reachedFrom } from "./reachedFrom.ts"
import { settleFailures, settleRest, type Travel } from "./Travel.ts"

export * from "./RouteStage.ts"

/**
 * Sends the records of a batch on their way, each from its own source stage: `origin` names it, where a batch
 * has the records of several.
 */
export type Route = (
  records: ReadonlyArray<SourceRecord>,
  origin?: (index: number) => RecordOrigin
) => Outcome

type Push = (payload: unknown) => void

/** To a stage that is not taking part: the record is routed, and nobody here hears of it again. */
const elsewhere: Push = () => undefined

/**
 * Compiles the route from a source, or several that are read as one, through the given stages. A source that is
 * not among them takes no part: its records have gone their way.
 */
export const compileRoute = (
  sources: ReadonlyArray<string>,
  stages: ReadonlyMap<string, RouteStage>,
  onUnrouted: "dead_letter" | "drop"
): Route => {
  const travel: Travel = {
    index: 0,
    scope: { record: null, metadata: {}, key: null, event_time: null },
    reached: false,
    failures: [],
    unrouted: [],
    taken: [],
    named: {},
    collectors: new Map()
  }
  const pushes = new Map<string, Push>()
  const pushOf = (name: string): Push => {
    const known = pushes.get(name)
    if (known !== undefined) return known
    const stage = stages.get(name)
    const push = stage === undefined ? elsewhere : compileStage(stage, travel, onUnrouted, pushOf)
    pushes.set(name, push)
    return push
  }
  const entries = new Map(
    sources.map((name): [string, Entry] => [name, { stage: stages.get(name), push: pushOf(name) }])
  )
  const first = entries.get(sources[0]!)!
  const sinks = reachedFrom(sources, stages)
  return (records, origin) => {
    travel.named = {}
    travel.collectors = new Map(
      sinks.map((sink) => [sink, { records: [], rows: [], delivered: 0, unrouted: 0, lettered: 0 }])
    )
    const entryOf = origin === undefined ? () => first : (index: number) => entries.get(origin(index).source)!
    return travelAll(records, entryOf, travel)
  }
}

type Counts = { -readonly [K in keyof Totals]: Totals[K] }

/** Where the records of a source begin; without a stage it takes no part. */
interface Entry {
  readonly stage: RouteStage | undefined
  readonly push: Push
}

const travelAll = (
  records: ReadonlyArray<SourceRecord>,
  entryOf: (index: number) => Entry,
  travel: Travel
): Outcome => {
  const failures: Array<Failure> = []
  const totals: Counts = { delivered: 0, filtered: 0, unrouted: 0, lettered: 0 }
  for (let index = 0; index < records.length; index++) {
    const record = records[index]!
    const { push, stage } = entryOf(index)
    travel.index = index
    travel.reached = false
    if (record.failure !== undefined) {
      if (stage !== undefined) travel.failures.push({ stage, reason: record.failure })
    } else {
      travel.scope.metadata = record.metadata
      travel.scope.key = record.key ?? null
      travel.scope.event_time = record.eventTime ?? null
      push(record.payload)
    }
    if (travel.failures.length > 0) {
      failures.push(settleFailures(travel))
      totals.lettered++
    } else if (travel.taken.length > 0) {
      settleRest(travel, new Set())
      if (travel.reached) totals.delivered++
      else totals.aggregated = (totals.aggregated ?? 0) + 1
    } else if (travel.unrouted.length > 0) {
      settleRest(travel, new Set())
      if (travel.reached) totals.delivered++
      else totals.unrouted++
    } else if (travel.reached) totals.delivered++
    else totals.filtered++
  }
  return {
    count: records.length,
    branches: Object.fromEntries(travel.collectors),
    failures,
    totals,
    ...(Object.keys(travel.named).length === 0 ? {} : { taken: travel.named })
  }
}

const compileStage = (
  stage: RouteStage,
  travel: Travel,
  onUnrouted: "dead_letter" | "drop",
  pushOf: (name: string) => Push
): Push => {
  const { check, encode, split, step } = stage
  const fail = (reason: Reason): void => {
    travel.failures.push({ stage, reason })
  }
  if (stage.take !== undefined) return compileTake(stage, stage.take, travel)
  const forward = encode === undefined ? compileEdges(stage, travel, onUnrouted, pushOf) : undefined
  if (split !== undefined && forward !== undefined) return compileSplit(stage, split, travel, forward)
  return (payload) => {
    let value = payload
    try {
      if (step !== undefined) {
        value = step(payload, travel.scope)
        if (value === dropped) return
      }
      if (check !== undefined) {
        const wrong = check(value)
        if (wrong !== undefined) return fail(wrong)
      }
      if (encode !== undefined) value = encode(value)
    } catch (error) {
      return fail(reasonOf(error, encode === undefined ? "stage_failed" : "encoding_failed"))
    }
    if (forward !== undefined) return forward(value)
    collect(travel, stage.name, value)
  }
}

const compileTake =
  (stage: RouteStage, take: Take, travel: Travel): Push =>
  (payload) => {
    try {
      travel.taken.push({ stage, undo: take(payload, travel.scope) })
    } catch (error) {
      travel.failures.push({ stage, reason: reasonOf(error, "stage_failed") })
    }
  }

/** The pieces go on one after the other; they are the one record still, and one that fails, fails it. */
const compileSplit =
  (stage: RouteStage, split: Split, travel: Travel, forward: Push): Push =>
  (payload) => {
    let pieces: ReturnType<Split>
    try {
      pieces = split(payload, travel.scope)
    } catch (error) {
      travel.failures.push({ stage, reason: reasonOf(error, "stage_failed") })
      return
    }
    if (pieces === dropped) return
    for (const piece of pieces) {
      const wrong = wrongWith(stage, piece)
      if (wrong === undefined) forward(piece)
      else travel.failures.push({ stage, reason: wrong })
    }
  }

/** Why a payload may not leave a stage. A check that throws has found something wrong, too. */
export const wrongWith = ({ check }: RouteStage, payload: unknown): Reason | undefined => {
  try {
    return check?.(payload)
  } catch (error) {
    return reasonOf(error, "stage_failed")
  }
}

const collect = (travel: Travel, sink: string, record: unknown): void => {
  const collector = travel.collectors.get(sink)!
  if (collector.rows.at(-1) !== travel.index) collector.delivered++
  collector.records.push(record)
  collector.rows.push(travel.index)
  travel.reached = true
}

/** A function of a program may throw what it could have failed with. */
export const reasonOf = (error: unknown, code: string): Reason =>
  error instanceof RecordFailure || error instanceof Nack
    ? { code: error.code, message: error.message }
    : { code, message: error instanceof Error ? error.message : String(error) }

export const unrouted = (stage: RouteStage): Reason => ({
  code: "unrouted",
  message: `no edge out of ${stage.name} takes this record`
})

/** Multicast: a record goes along every edge whose condition holds; what matches none is unrouted. */
const compileEdges = (
  stage: RouteStage,
  travel: Travel,
  onUnrouted: "dead_letter" | "drop",
  pushOf: (name: string) => Push
): Push => {
  const edges = stage.edges.map(({ to, when }) => ({ push: pushOf(to), when }))
  const only = edges[0]
  if (edges.length === 1 && only !== undefined && only.when === undefined) return only.push
  return (payload) => {
    let routed = false
    for (const { push, when } of edges) {
      // A stage further on may have put another payload into the scope: the condition sees this one.
      travel.scope.record = payload
      if (when === undefined || when(travel.scope)) {
        routed = true
        push(payload)
      }
    }
    if (routed) return
    if (onUnrouted === "drop") travel.unrouted.push(stage)
    else {
      travel.failures.push({ stage, reason: unrouted(stage) })
    }
  }
}
