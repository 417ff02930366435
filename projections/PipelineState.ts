/**
 * The one fold the actor lives by. Pure, total, and the only way state is made: a new event does not
 * compile until it has a meaning here. The state is plain JSON, so a snapshot is its text.
 *
 * @module
 */
import type { Checkpoint, Position } from "../events/Checkpoint.ts"
import type { Desired, EventOf, PipelineEvent, Reason, SealedBranch } from "../events/PipelineEvent.ts"
import * as OpenBatch from "./OpenBatch.ts"
import {
  type Deployment,
  deploymentTransitions,
  isUnfinished,
  type Lifecycle,
  lifecycleTransitions
} from "./transitions.ts"

/** Grows whenever `evolve` gives another state for the same events; older snapshots are then ignored. */
export const foldVersion = 1

/** How far one source is sealed and settled, and which of its last records were dead letters. */
export interface SourceState {
  /** Where the next new batch begins; `null` before the first one of the run. */
  readonly sealed: { readonly position: Position; readonly offset: number } | null
  /** Everything before it is settled on every branch. Invariant 2: it never moves backwards. */
  readonly checkpoint: Checkpoint | null
  /** Offsets of dead letters among the last `window` records. */
  readonly nacks: ReadonlyArray<number>
}

/** What a sink's output was last recorded as. */
export interface OutputState {
  readonly receipt: SealedBranch["base"] | null
  readonly finished: boolean
}

/** Records of the run so far, each counted once its batch is settled; `read` counts what is sealed. */
export interface RunCounts {
  readonly read: number
  readonly delivered: number
  readonly filtered: number
  readonly unrouted: number
  readonly lettered: number
  readonly batches: number
  /** Records each sink holds. */
  readonly applied: Readonly<Record<string, number>>
}

export interface RunState {
  readonly id: string
  readonly signature: string
  readonly failure: Reason | null
  readonly counts: RunCounts
  readonly sources: Readonly<Record<string, SourceState>>
  readonly outputs: Readonly<Record<string, OutputState>>
  /** How many owners have worked on this run. */
  readonly lives: number
}

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
  readonly window: number
}

export interface PipelineState {
  readonly id: string
  readonly definition: DefinitionState | null
  readonly desired: Desired
  readonly deployment: Deployment
  readonly deploymentError: Reason | null
  readonly lifecycle: Lifecycle
  readonly run: RunState | null
  readonly generation: number
  /** The ordinal of the next batch; never reset, by no run. */
  readonly nextBatch: number
  /** Sealed and not settled, by ascending ordinal: what is owed. */
  readonly open: ReadonlyArray<OpenBatch.OpenBatch>
}

export const initial: PipelineState = {
  id: "",
  definition: null,
  desired: "Shutdown",
  deployment: "Shutdown",
  deploymentError: null,
  lifecycle: "Idle",
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
    case "BecameUnavailable":
    case "BecameAvailable":
    case "ShutdownStarted":
    case "ShutDown":
      return deployed(state, event._tag, event._tag === "ShutDown" ? null : state.deploymentError)
    case "DeploymentFailed":
      return deployed(state, event._tag, event.error)
    case "Scheduled":
    case "Triggered":
      return moved(state, event._tag)
    // A tick that was skipped changes nothing but the story.
    case "TickSkipped":
    case "Retried":
      return state
    case "RunStarted":
      return started(state, event)
    case "BatchSealed":
      return sealed(state, event)
    case "StageApplied":
      return settle(recorded(state, event), event.batch, event.stage, event.attempt)
    case "DuplicateSuppressed":
      return settle(state, event.batch, event.stage, event.attempt)
    case "OutputFinished":
      return withOutput(state, event.stage, { receipt: event.output, finished: true })
    case "Completed":
      return moved(state, event._tag)
    case "Failed":
      return failed(moved(state, event._tag), event.reason)
    case "Crashed":
      return withRun(moved(state, event._tag), (run) => ({ ...run, failure: event.reason }))
    case "ReplayStarted":
      return {
        ...withRun(moved(state, event._tag), (run) => ({ ...run, failure: null, lives: run.lives + 1 })),
        generation: event.generation
      }
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

/** The open batch with this ordinal. */
export const openBatch = (state: PipelineState, batch: number): OpenBatch.OpenBatch | undefined =>
  state.open[indexOf(state.open, batch)]

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
    window: windowOf(event.definition)
  }
})

/** The window of the dead-letter threshold; the fold keeps only what that window can still see. */
const windowOf = (definition: EventOf<"Defined">["definition"]): number => {
  const letters = (definition as { dead_letters?: { window?: unknown } } | null)?.dead_letters
  return typeof letters?.window === "number" ? letters.window : 100
}

const noCounts: RunCounts = {
  read: 0,
  delivered: 0,
  filtered: 0,
  unrouted: 0,
  lettered: 0,
  batches: 0,
  applied: {}
}

/** A new run begins at its own checkpoints; what an abandoned run still owed is owed no more. */
const started = (state: PipelineState, event: EventOf<"RunStarted">): PipelineState => ({
  ...moved(state, event._tag),
  open: [],
  run: {
    id: event.run,
    signature: event.signature,
    failure: null,
    counts: noCounts,
    sources: Object.fromEntries(
      event.from.map((checkpoint) => [
        checkpoint.source,
        { sealed: { position: checkpoint.position, offset: checkpoint.offset }, checkpoint, nacks: [] }
      ])
    ),
    outputs: {},
    lives: 1
  }
})

/** Whoever starts a failed run again has seen its dead letters: the window begins anew. */
const failed = (state: PipelineState, reason: Reason): PipelineState =>
  withRun(state, (run) => ({
    ...run,
    failure: reason,
    sources: Object.fromEntries(
      Object.entries(run.sources).map(([source, of]) => [source, { ...of, nacks: [] }])
    )
  }))

const noSource: SourceState = { sealed: null, checkpoint: null, nacks: [] }

const sealed = (state: PipelineState, event: EventOf<"BatchSealed">): PipelineState => {
  const known = openBatch(state, event.batch)
  const first = known === undefined
  const open = first ? OpenBatch.opened(event) : OpenBatch.resealed(known, event)
  const next = withRun(
    { ...(first ? moved(state, event._tag) : state), open: withBatch(state.open, open) },
    (run) => {
      const source = run.sources[event.source] ?? noSource
      return {
        ...run,
        counts: first
          ? { ...run.counts, read: run.counts.read + event.count, batches: run.counts.batches + 1 }
          : run.counts,
        sources: {
          ...run.sources,
          [event.source]: sealedSource(source, event, first, state.definition?.window ?? 0)
        },
        outputs: sealedOutputs(run.outputs, event)
      }
    }
  )
  const counted = first
    ? Object.entries(event.branches).reduce(
        (to, [stage, branch]) => (branch.records === 0 ? counting(to, stage, 0) : to),
        next
      )
    : next
  return advance({ ...counted, nextBatch: Math.max(state.nextBatch, event.batch + 1) }, event.source)
}

const sealedSource = (
  source: SourceState,
  event: EventOf<"BatchSealed">,
  first: boolean,
  window: number
): SourceState => {
  const end = event.offset + event.count
  const letters = event.letters.map(({ offset }) => offset).filter((offset) => !source.nacks.includes(offset))
  const sealed = first ? { position: event.range.to, offset: end } : source.sealed
  return {
    ...source,
    sealed,
    nacks:
      letters.length === 0 && source.nacks.length === 0
        ? source.nacks
        : [...source.nacks, ...letters].filter((offset) => offset >= (sealed?.offset ?? end) - window)
  }
}

const sealedOutputs = (outputs: RunState["outputs"], event: EventOf<"BatchSealed">): RunState["outputs"] => {
  let next = outputs
  for (const [stage, { base }] of Object.entries(event.branches)) {
    if (base !== undefined) next = { ...next, [stage]: { receipt: base, finished: false } }
  }
  return next
}

const recorded = (state: PipelineState, event: EventOf<"StageApplied">): PipelineState =>
  event.receipt === undefined
    ? state
    : withOutput(state, event.stage, { receipt: event.receipt, finished: false })

/** A branch is settled by the attempt its sink holds. */
const settle = (state: PipelineState, batch: number, stage: string, attempt: number): PipelineState => {
  const before = openBatch(state, batch)
  if (before === undefined) return state
  const after = OpenBatch.won(before, stage, attempt)
  if (after === before) return state
  const records = OpenBatch.outcome(after, stage)?.records ?? 0
  return advance(counting({ ...state, open: withBatch(state.open, after) }, stage, records), before.source)
}

/** Yugabyte #33126: only the contiguous prefix of settled batches moves the checkpoint. */
const advance = (state: PipelineState, source: string): PipelineState => {
  let next = state
  for (const open of state.open) {
    if (open.source !== source) continue
    if (!OpenBatch.isSettled(open)) break
    next = left(next, open)
  }
  return next
}

/** A settled batch leaves; its records are counted by what became of them. */
const left = (state: PipelineState, batch: OpenBatch.OpenBatch): PipelineState => {
  const open = state.open.filter((other) => other !== batch)
  const totals = OpenBatch.totals(batch)
  return withRun({ ...state, open }, (run) => ({
    ...run,
    counts: {
      ...run.counts,
      delivered: run.counts.delivered + (totals?.delivered ?? 0),
      filtered: run.counts.filtered + (totals?.filtered ?? 0),
      unrouted: run.counts.unrouted + (totals?.unrouted ?? 0),
      lettered: run.counts.lettered + (totals?.lettered ?? 0)
    },
    sources: {
      ...run.sources,
      [batch.source]: {
        ...(run.sources[batch.source] ?? noSource),
        checkpoint: OpenBatch.checkpointAfter(batch)
      }
    }
  }))
}

/** Ordinals ascend, mostly without gaps: the place of one is guessed from the first and corrected downwards. */
const indexOf = (open: PipelineState["open"], batch: number): number => {
  const first = open[0]
  if (first === undefined) return -1
  let index = Math.min(batch - first.batch, open.length - 1)
  while (index >= 0 && open[index]!.batch > batch) index--
  return index >= 0 && open[index]!.batch === batch ? index : -1
}

const withBatch = (open: PipelineState["open"], batch: OpenBatch.OpenBatch): PipelineState["open"] => {
  const index = indexOf(open, batch.batch)
  if (index === -1) return [...open, batch]
  const next = open.slice()
  next[index] = batch
  return next
}

const counting = (state: PipelineState, stage: string, records: number): PipelineState =>
  withRun(state, (run) => ({
    ...run,
    counts: {
      ...run.counts,
      applied: { ...run.counts.applied, [stage]: (run.counts.applied[stage] ?? 0) + records }
    }
  }))

const withOutput = (state: PipelineState, stage: string, output: OutputState): PipelineState =>
  withRun(state, (run) => ({ ...run, outputs: { ...run.outputs, [stage]: output } }))

const withRun = (state: PipelineState, change: (run: RunState) => RunState): PipelineState =>
  state.run === null ? state : { ...state, run: change(state.run) }
