/**
 * The one fold the actor lives by. Pure, total, and the only way state is made: a new event does not
 * compile until it has a meaning here. The state is plain JSON, so a snapshot is its text.
 *
 * @module
 */
import type { Schema } from "effect"
import type { Checkpoint } from "../events/Checkpoint.ts"
import type { Desired, EventOf, PipelineEvent, Reason } from "../events/PipelineEvent.ts"
import * as Bench from "./Bench.ts"
import * as OpenBatch from "./OpenBatch.ts"
import { own } from "./own.ts"
import * as RunState from "./RunState.ts"
import * as ScheduleState from "./ScheduleState.ts"
import {
  type Deployment,
  deploymentTransitions,
  isUnfinished,
  type Lifecycle,
  lifecycleTransitions
} from "./transitions.ts"

/** Grows whenever `evolve` gives another state for the same events; older snapshots are then ignored. */
export const foldVersion = 3

export interface DefinitionState {
  readonly name: string
  readonly description: string
  readonly text: string
  readonly settings: EventOf<"Defined">["settings"]
  /** In its wire form; `null` while there are findings. */
  readonly definition: EventOf<"Defined">["definition"]
  readonly findings: EventOf<"Defined">["findings"]
  readonly signature: string | null
  readonly base: string
  /** Counts the definitions this pipeline has had. */
  readonly version: number
  /** Counts the programs this pipeline has had: definitions whose text was another one than before. */
  readonly programVersion: number
  readonly window: number
}

export interface PipelineState {
  readonly id: string
  readonly definition: DefinitionState | null
  readonly desired: Desired
  readonly deployment: Deployment
  /** Why it is `Failed` or `Unavailable`; kept until it has been shut down or is available again. */
  readonly deploymentError: Reason | null
  readonly lifecycle: Lifecycle
  /** A run has come to its end since the pipeline was last shut down: a continuous one has nothing left to follow. */
  readonly isDone: boolean
  readonly schedule: ScheduleState.ScheduleState
  readonly run: RunState.RunState | null
  readonly generation: number
  /** The ordinal of the next batch; never reset, by no run. */
  readonly nextBatch: number
  /** Sealed and not settled, by ascending ordinal: what is owed. */
  readonly open: ReadonlyArray<OpenBatch.OpenBatch>
  /** What is under way at the dead-letter bench; absent until something was asked for there. */
  readonly bench?: Bench.Bench
}

export const initial: PipelineState = {
  id: "",
  definition: null,
  desired: "Shutdown",
  deployment: "Shutdown",
  deploymentError: null,
  lifecycle: "Idle",
  isDone: false,
  schedule: ScheduleState.initial,
  run: null,
  generation: 0,
  nextBatch: 0,
  open: []
}

export const evolve = (state: PipelineState, event: PipelineEvent): PipelineState => {
  switch (event._tag) {
    case "Defined":
      return defined(state, event)
    case "DesiredStatusSet":
      return { ...state, desired: event.desired }
    case "ProvisioningStarted":
    case "InitializingStarted":
    case "Deployed":
    case "Paused":
    case "Resumed":
    case "BecameAvailable":
    case "ShutdownStarted":
      return deployed(state, event._tag, event._tag === "ShutdownStarted" ? state.deploymentError : null)
    case "ShutDown":
      return { ...deployed(state, event._tag, null), isDone: false }
    case "BecameUnavailable":
      return deployed(state, event._tag, event.reason)
    case "DeploymentFailed":
      return deployed(state, event._tag, event.error)
    case "Scheduled":
    case "Triggered":
    case "TickSkipped":
      return { ...moved(state, event._tag), schedule: ScheduleState.evolve(state.schedule, event) }
    case "Retried":
      return state
    case "RunStarted":
      // What an abandoned run still owed is owed no more.
      return withBench(
        { ...moved(state, event._tag), open: [], run: RunState.started(event, leftovers(state)) },
        event
      )
    case "BatchSealed":
      return sealed(state, event)
    case "StageApplied":
      return settle(
        event.receipt === undefined ? state : withReceipt(state, event.stage, event.receipt, false),
        event.batch,
        event.stage,
        event.attempt
      )
    case "DuplicateSuppressed":
      return settle(state, event.batch, event.stage, event.attempt)
    case "OutputFinished":
      return withReceipt(state, event.stage, event.output, true)
    case "Completed":
      return { ...moved(state, event._tag), isDone: true }
    case "Failed":
      return withRun(moved(state, event._tag), (run) => RunState.failed(run, event.reason))
    case "Crashed":
      return withRun(moved(state, event._tag), (run) => ({ ...run, failure: event.reason }))
    case "ReplayStarted":
      return {
        ...withRun(moved(state, event._tag), (run) => ({ ...run, failure: null, lives: run.lives + 1 })),
        generation: event.generation
      }
    case "RunSetBack":
      return withBench(
        {
          ...withRun(moved(state, event._tag), (run) => RunState.setBack(run, event)),
          generation: event.generation,
          open: event.open
        },
        event
      )
    case "RedriveSealed":
      return withBench(
        withRun(state, (run) => RunState.withBases(run, event)),
        event
      )
    case "RedriveApplied":
      return redriven(state, event)
    case "RedriveRequested":
    case "RedrivesWithdrawn":
    case "RedrivesStalled":
    case "DeadLettersDiscarded":
    case "OutputsPublished":
      return withBench(state, event)
  }
}

export const replay = (events: Iterable<PipelineEvent>, from: PipelineState = initial): PipelineState => {
  let state = from
  for (const event of events) state = evolve(state, event)
  return state
}

/** The reason code of a run that a person gave up: it keeps no place any more. */
export const abandoned = "abandoned"

/** There is a run that was begun, not ended and not given up: it has a place to keep. */
export const hasUnfinishedRun = (state: PipelineState): boolean =>
  isUnfinished(state.lifecycle) && state.run?.failure?.code !== abandoned

/** The output of this sink is complete and visible, or what a run that was given up has left of it. */
export const isOutputComplete = (state: PipelineState, stage: string): boolean =>
  !hasUnfinishedRun(state) || state.run?.only?.branches.includes(stage) === false

/** The open batch with this ordinal. */
export const openBatch = (state: PipelineState, batch: number): OpenBatch.OpenBatch | undefined =>
  OpenBatch.find(state.open, batch)

/** The checkpoints of the current run, one for each source that has one. */
export const checkpoints = (state: PipelineState): ReadonlyArray<Checkpoint> =>
  Object.values(state.run?.sources ?? {}).flatMap(({ checkpoint }) =>
    checkpoint === null ? [] : [checkpoint]
  )

const moved = (state: PipelineState, tag: PipelineEvent["_tag"]): PipelineState => {
  const to = lifecycleTransitions[state.lifecycle][tag]
  return to === undefined ? state : { ...state, lifecycle: to }
}

const deployed = (state: PipelineState, tag: PipelineEvent["_tag"], error: Reason | null): PipelineState => {
  const to = deploymentTransitions[state.deployment][tag]
  return to === undefined ? state : { ...state, deployment: to, deploymentError: error }
}

const defined = (state: PipelineState, event: EventOf<"Defined">): PipelineState => ({
  ...state,
  id: event.id,
  definition: {
    name: event.name,
    description: event.description,
    text: event.text,
    settings: event.settings,
    definition: event.definition,
    findings: event.findings,
    signature: event.signature,
    base: event.base,
    version: (state.definition?.version ?? 0) + 1,
    programVersion: (state.definition?.programVersion ?? 0) + (state.definition?.text === event.text ? 0 : 1),
    window: windowOf(event.definition)
  }
})

/** The window of the dead-letter threshold; the fold keeps only what that window can still see. */
const windowOf = (definition: EventOf<"Defined">["definition"]): number => {
  const letters = (definition as { dead_letters?: { window?: unknown } } | null)?.dead_letters
  return typeof letters?.window === "number" ? letters.window : 100
}

const sealed = (state: PipelineState, event: EventOf<"BatchSealed">): PipelineState => {
  const known = openBatch(state, event.batch)
  const first = known === undefined
  const open = first ? OpenBatch.opened(event) : OpenBatch.resealed(known, event)
  const next = withRun(first ? moved(state, event._tag) : state, (run) =>
    RunState.sealed(run, event, first, state.definition?.window ?? 0)
  )
  const nextBatch = Math.max(state.nextBatch, event.batch + 1)
  return advance({ ...next, nextBatch, open: OpenBatch.put(state.open, open) }, event.source)
}

/** A branch is settled by the attempt its sink holds. */
const settle = (state: PipelineState, batch: number, stage: string, attempt: number): PipelineState => {
  const before = openBatch(state, batch)
  if (before === undefined) return state
  const after = OpenBatch.won(before, stage, attempt)
  if (after === before) return state
  const records = OpenBatch.outcome(after, stage)?.records ?? 0
  const next = withRun(state, (run) => RunState.applied(run, stage, records))
  return advance({ ...next, open: OpenBatch.put(state.open, after) }, before.source)
}

/** Yugabyte #33126: only the contiguous prefix of settled batches moves the checkpoint. */
export const advance = (state: PipelineState, source: string): PipelineState => {
  let next = state
  for (const open of state.open) {
    if (open.source !== source) continue
    if (!OpenBatch.isSettled(open)) break
    next = withRun({ ...next, open: next.open.filter((other) => other !== open) }, (run) =>
      RunState.settled(run, open)
    )
  }
  return withRun(next, (run) => RunState.settledBefore(run, next.open[0]?.batch ?? Number.POSITIVE_INFINITY))
}

/** A run that was given up may have written more than the log vouches for, and so may a redrive that was cut off. */
const leftovers = ({ bench, run }: PipelineState): RunState.RunState["leftovers"] => {
  if (run === null) return {}
  const left = RunState.leftBehind(run)
  if (run.failure?.code === abandoned) return left
  const cutOff = bench?.unpublished ?? []
  return Object.fromEntries(Object.entries(left).filter(([stage]) => cutOff.includes(stage)))
}

const withBench = (state: PipelineState, event: PipelineEvent): PipelineState => {
  const before = state.bench ?? Bench.initial
  const bench = Bench.evolve(before, event, (stage) => isOutputComplete(state, stage))
  return bench === before ? state : { ...state, bench }
}

/** The sink holds it: its output is what the receipt says, whoever wrote the rest of it. */
const redriven = (state: PipelineState, event: EventOf<"RedriveApplied">): PipelineState => {
  const next = withBench(state, event)
  if (next === state) return state
  const { receipt, records, stage } = event
  const counted = withRun(next, (run) => RunState.applied(run, stage, records))
  if (receipt === undefined) return counted
  const isVisible = own(state.run?.outputs, stage)?.finished === true
  return withReceipt(counted, stage, receipt, isVisible && !next.bench?.unpublished.includes(stage))
}

const withReceipt = (
  state: PipelineState,
  stage: string,
  receipt: Schema.Json,
  finished: boolean
): PipelineState => withRun(state, (run) => RunState.withOutput(run, stage, { receipt, finished }))

const withRun = (
  state: PipelineState,
  change: (run: RunState.RunState) => RunState.RunState
): PipelineState => (state.run === null ? state : { ...state, run: change(state.run) })
