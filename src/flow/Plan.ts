/**
 * A definition made ready to run: its drivers resolved, its expressions and contracts compiled, its
 * stages fused into one route per source.
 *
 * @module
 */
import { Clock, Effect, type Scope as EffectScope, Result } from "effect"
import type { Definition, Stage } from "../../events/Definition.ts"
import { finding } from "../../events/Finding.ts"
import { deadLettersBranch } from "../../events/PipelineEvent.ts"
import { own } from "../../projections/own.ts"
import { Drivers } from "../drivers/Drivers.ts"
import type { RecordOrigin, SourceRecord } from "../drivers/Record.ts"
import type { Sink } from "../drivers/Sink.ts"
import type { Source } from "../drivers/Source.ts"
import { compileConditionAt } from "./compileConditionAt.ts"
import { compileContract } from "./contract/Contract.ts"
import { violation } from "./contract/violation.ts"
import { type Functions, noFunctions } from "./Functions.ts"
import { edgesFrom } from "./graph/edgesFrom.ts"
import { order, reach, successors } from "./graph/order.ts"
import { reachableSinks } from "./graph/reachableSinks.ts"
import { sourceGroups } from "./graph/sourceGroups.ts"
import { type PlannedMemory, planMemory } from "./memory/PlannedMemory.ts"
import type { StageWithMemory } from "./memory/StageWithMemory.ts"
import { takersOf } from "./memory/takersOf.ts"
import { groupName } from "./merge/MergedPosition.ts"
import { makeSource } from "./merge/makeSource.ts"
import type { Outcome } from "./Outcome.ts"
import { makeEnd, type PlanContext } from "./openEnd.ts"
import { broken, type PlanError } from "./PlanError.ts"
import { compileRoute, type RouteStage } from "./route/Route.ts"
import { reachedFrom } from "./route/reachedFrom.ts"
import { recordsMost } from "./route/recordsMost.ts"
import { compileStagedRoute } from "./route/StagedRoute.ts"
import type { StageError } from "./StageError.ts"
import { compileWork } from "./stages/compileWork.ts"
import { type TapRegistry, Taps } from "./tap/Taps.ts"
import { EventClock } from "./time/EventClock.ts"
import { judging } from "./time/judging.ts"

export { PlanError } from "./PlanError.ts"

/** A source, or several that are read as one because of `merge`. */
export interface PlannedSource {
  /** The name of the stage, or the names joined by `+`; the log knows the source by it. */
  readonly stage: string
  /** The source stages this stands for, in the order of the file. */
  readonly stages: ReadonlyArray<string>
  readonly source: Source
  /**
   * `offset` is the ordinal of the first record in its source; `origin` names the stage of each, where several
   * are read as one. Fails when a stage cannot do its part for the batch: nothing of it is sealed, and the run
   * may come back to it.
   */
  readonly route: (
    records: ReadonlyArray<SourceRecord>,
    offset?: number,
    origin?: (index: number) => RecordOrigin
  ) => Effect.Effect<Outcome, StageError>
  /** The sinks records of this source may reach. */
  readonly branches: ReadonlyArray<string>
  /** As many records as a batch may hold, whatever the definition's batch size. */
  readonly recordsMost?: number
}

export interface PlannedSink {
  readonly stage: string
  readonly sink: Sink
}

export interface Plan {
  readonly sources: ReadonlyArray<PlannedSource>
  /** Among them the sink of the dead letters, under the name of their branch. */
  readonly sinks: ReadonlyArray<PlannedSink>
  /** Where dead letters go besides the log. */
  readonly letterSink?: Sink
  /**
   * The way of what a stage has made, from directly behind it. `undefined` where there is no such stage, or where
   * none of the sinks that take part can be reached from it.
   */
  readonly behind: (stage: string) => PlannedSource["route"] | undefined
  /** The definition has a sink of this name, whether it takes part or not. */
  readonly isSink: (stage: string) => boolean
  readonly runtime: Definition["runtime"]
  readonly deadLetters: Definition["deadLetters"]
  /** `undefined` where no batch leaves anything behind for the next. */
  readonly memory: PlannedMemory | undefined
}

/**
 * Compiles a validated definition. Lookups are loaded here, sources and sinks are made but not opened:
 * everything that must be closed again lives in the scope. With `only`, nothing but these sinks takes part:
 * the stages that lead to none of them are left out, and a record that goes there has gone its way.
 */
export const compile = Effect.fnUntraced(function* (
  definition: Definition,
  context: PlanContext,
  functions: Functions = noFunctions,
  only: ReadonlyArray<string> | null = null
): Effect.fn.Return<Plan, PlanError | StageError, Drivers | EffectScope.Scope> {
  const reaches = reachableSinks(definition, only)
  const names = Object.keys(definition.stages).filter(
    (name) => only === null || (reaches.get(name) ?? []).length > 0
  )
  const takers = takersOf(definition, only)
  const clock = new EventClock(timedSources(names, definition))
  const memories = new Map<string, StageWithMemory>()
  const stages = new Map<string, RouteStage>()
  const sinks: Array<PlannedSink> = []
  for (const name of names) {
    const stage = definition.stages[name]!
    const sink =
      stage.sink === undefined
        ? undefined
        : yield* makeEnd((yield* Drivers).get(stage.sink.use)?.sink, "sink", name, stage.sink, context)
    if (sink !== undefined) sinks.push({ stage: name, sink })
    const { memory, ...work } = yield* compileWork(name, stage, context, functions)
    if (memory !== undefined) memories.set(name, memory)
    stages.set(name, {
      name,
      reaches: reaches.get(name) ?? [],
      step: stage.eventTime === undefined ? undefined : judging(name, stage.eventTime, clock),
      waiting: undefined,
      ...work,
      namesTaken: takers !== undefined,
      encode: sink === undefined ? undefined : (payload) => sink.encode(payload),
      check: functions.get(name)?.check ?? (yield* compileCheck(name, stage)),
      edges: yield* compileEdges(name, definition)
    })
  }
  // Where only some sinks take part, the output of the dead letters stays as it is, like those of the others.
  const letterSink = only === null ? yield* makeLetterSink(definition, context) : undefined
  if (letterSink !== undefined) sinks.push({ stage: deadLettersBranch, sink: letterSink })
  const along: RouteContext = { stages, definition, pipeline: context.pipeline.id, taps: yield* Taps }
  const sources: Array<PlannedSource> = []
  for (const members of sourceGroups(definition)) {
    if (!members.some((name) => stages.has(name))) continue
    sources.push({
      stage: groupName(members),
      stages: members,
      source: yield* makeSource(members, definition, context),
      route: routeFrom(members, along),
      branches: reachedFrom(members, stages),
      recordsMost: Math.min(...members.map((name) => recordsMost(name, stages)))
    })
  }
  // What a stage has made sets out behind it, as if it had been read there.
  const behind = (name: string) =>
    routeFrom([name], { ...along, stages: new Map(stages).set(name, withoutWork(stages.get(name)!)) })
  const remembering = order(definition).flatMap((name) => memories.get(name) ?? [])
  return {
    sources,
    sinks,
    ...(letterSink === undefined ? {} : { letterSink }),
    behind: (name) => (stages.has(name) ? behind(name) : undefined),
    isSink: (name) => own(definition.stages, name)?.sink !== undefined,
    runtime: definition.runtime,
    deadLetters: definition.deadLetters,
    memory: planMemory(definition, clock, remembering, behind, takers)
  }
})

const makeLetterSink = Effect.fnUntraced(function* (
  { deadLetters: { sink } }: Definition,
  context: PlanContext
) {
  if (sink === undefined) return undefined
  const offer = (yield* Drivers).get(sink.use)?.sink
  return yield* makeEnd(offer, "sink", deadLettersBranch, sink, context, [deadLettersBranch, "sink"])
})

const timedSources = (names: ReadonlyArray<string>, { stages }: Definition) =>
  names.flatMap((source) => {
    const { eventTime, source: use } = stages[source]!
    return eventTime === undefined || use === undefined
      ? []
      : [{ source, idleTimeoutMs: eventTime.idleTimeout }]
  })

const withoutWork = (stage: RouteStage): RouteStage => ({ ...stage, step: undefined, take: undefined })

interface RouteContext {
  readonly stages: ReadonlyMap<string, RouteStage>
  readonly definition: Definition
  readonly pipeline: string
  readonly taps: TapRegistry
}

/**
 * Fused into one loop where nothing waits, else stage by stage; the same for a batch that somebody looks at,
 * because only there each stage has its records before it and behind it.
 */
const routeFrom = (
  sources: ReadonlyArray<string>,
  { definition, pipeline, stages, taps }: RouteContext
): PlannedSource["route"] => {
  const reached = reach(sources, successors(definition))
  const names = order(definition).filter((name) => reached.has(name) && stages.has(name))
  const staged = compileStagedRoute(sources, stages, names, definition.onUnrouted)
  const watched: PlannedSource["route"] = (records, offset, origin) =>
    Effect.flatMap(Clock.currentTimeMillis, (now) =>
      staged(records, offset, origin, taps.watch(pipeline, now))
    )
  if (names.some((name) => stages.get(name)?.waiting !== undefined)) return watched
  const fused = compileRoute(sources, stages, definition.onUnrouted)
  return (records, offset, origin) =>
    taps.isWatched(pipeline) ? watched(records, offset, origin) : Effect.sync(() => fused(records, origin))
}

const compileCheck = Effect.fnUntraced(function* (name: string, stage: Stage) {
  if (stage.output === undefined) return undefined
  const contract = compileContract(stage.output)
  if (Result.isFailure(contract)) {
    return yield* broken(finding("bad_contract", ["stages", name, "output"], contract.failure.message))
  }
  return violation(contract.success)
})

const compileEdges = Effect.fnUntraced(function* (name: string, definition: Definition) {
  const edges: Array<RouteStage["edges"][number]> = []
  for (const { to, when } of edgesFrom(definition, name)) {
    const holds = when === undefined ? undefined : yield* compileConditionAt(when, ["stages", to, "from"])
    edges.push({ to, when: holds })
  }
  return edges
})
