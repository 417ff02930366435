/**
 * One run: its counts, how far its sources are, what its outputs were last recorded as.
 *
 * @module
 */
import type { Checkpoint, Position } from "../events/Checkpoint.ts"
import type { EventOf, Reason, SealedBranch } from "../events/PipelineEvent.ts"
import * as OpenBatch from "./OpenBatch.ts"
import { own } from "./own.ts"
import * as RunMemory from "./RunMemory.ts"

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
  /** The run was set back: its bytes are where this was recorded, until something new is. */
  readonly from?: { readonly receipt: NonNullable<SealedBranch["base"]> | null; readonly finished: boolean }
}

/** Records of the run so far, each counted once its batch is settled; `read` counts what is sealed. */
export interface RunCounts {
  readonly read: number
  readonly delivered: number
  readonly filtered: number
  readonly unrouted: number
  readonly lettered: number
  /** Taken in by aggregates; left out while there is none. */
  readonly aggregated?: number
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
  /** What the outputs of the run before were recorded as, if that one was given up: nothing beyond it counts. */
  readonly leftovers: Readonly<Record<string, OutputState>>
  /** A replay from one stage: only the sinks behind it take part, the outputs of the others stay as they are. */
  readonly only?: { readonly stage: string; readonly branches: ReadonlyArray<string> }
  /** Left out while no stage of it remembers anything and no source has event time. */
  readonly memory?: RunMemory.RunMemory
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

const noSource: SourceState = { sealed: null, checkpoint: null, nacks: [] }

/** A new run begins at the checkpoints it was given. */
export const started = (event: EventOf<"RunStarted">, leftovers: RunState["leftovers"]): RunState => ({
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
  lives: 1,
  leftovers
})

/** Whoever starts a failed run again has seen its dead letters: the window begins anew. */
export const failed = (run: RunState, reason: Reason): RunState => ({
  ...run,
  failure: reason,
  sources: Object.fromEntries(
    Object.entries(run.sources).map(([source, of]) => [source, { ...of, nacks: [] }])
  )
})

/** The reason code of a run that was set back and waits to go on from there. */
export const setBackCode = "set_back"

/**
 * The run as the log had it earlier. Its outputs still hold what was written since, so where they are is
 * remembered until they are recorded anew. Whoever asks for it has seen its dead letters: the window begins anew.
 */
export const setBack = (run: RunState, event: EventOf<"RunSetBack">): RunState => {
  const { memory: _, only: __, ...all } = run
  const outputs = Object.entries(event.outputs).map(([stage, receipt]): [string, OutputState] => {
    const now = own(run.outputs, stage)
    const back: OutputState = { receipt, finished: false }
    if (now === undefined) return [stage, back]
    return [stage, { ...back, from: now.from ?? { receipt: now.receipt ?? null, finished: now.finished } }]
  })
  const sources = Object.entries(event.sources).map(([source, of]): [string, SourceState] => [
    source,
    { ...of, nacks: [] }
  ])
  return {
    ...all,
    failure: { code: setBackCode, message: `it goes on from version ${event.version} of its log` },
    counts: event.counts,
    sources: { ...run.sources, ...Object.fromEntries(sources) },
    outputs: { ...run.outputs, ...Object.fromEntries(outputs) },
    lives: run.lives + 1,
    ...(event.branches === null ? {} : { only: { stage: event.fromStage ?? "", branches: event.branches } }),
    ...(event.memory === undefined ? {} : { memory: RunMemory.fromEvent(event.memory) })
  }
}

/** What the outputs may hold, if the run is given up now: what was set back may not have been cut back yet. */
export const leftBehind = (run: RunState): RunState["leftovers"] => ({
  ...run.leftovers,
  ...Object.fromEntries(Object.entries(run.outputs).map(([stage, of]) => [stage, of.from ?? of]))
})

/** A seal: `first` when its batch is new. `window` is that of the dead-letter threshold. */
export const sealed = (
  run: RunState,
  event: EventOf<"BatchSealed">,
  first: boolean,
  window: number
): RunState => {
  const { outputs } = withBases(run, event)
  const source = withLetters(own(run.sources, event.source) ?? noSource, event, first, window)
  const sources = { ...run.sources, [event.source]: source }
  if (!first) return { ...run, outputs, sources }
  const { applied, batches, read } = run.counts
  const counts = {
    ...run.counts,
    read: read + event.count,
    batches: batches + 1,
    applied: withSinks(applied, event)
  }
  const memory = RunMemory.sealed(run.memory, event)
  return { ...run, outputs, sources, counts, ...(memory === undefined ? {} : { memory }) }
}

/** Every batch before this one is settled, on whatever source. */
export const settledBefore = (run: RunState, batch: number): RunState => {
  if (run.memory === undefined) return run
  const memory = RunMemory.settled(run.memory, batch)
  return memory === run.memory ? run : { ...run, memory }
}

/** A sink holds these records of a batch. */
export const applied = (run: RunState, stage: string, records: number): RunState => ({
  ...run,
  counts: {
    ...run.counts,
    applied: { ...run.counts.applied, [stage]: (own(run.counts.applied, stage) ?? 0) + records }
  }
})

/** A batch is settled with all before it: its records are counted, and the checkpoint moves. */
export const settled = (run: RunState, batch: OpenBatch.OpenBatch): RunState => {
  const totals = OpenBatch.totals(batch)
  const aggregated = (run.counts.aggregated ?? 0) + (totals?.aggregated ?? 0)
  return {
    ...run,
    counts: {
      ...run.counts,
      delivered: run.counts.delivered + (totals?.delivered ?? 0),
      filtered: run.counts.filtered + (totals?.filtered ?? 0),
      unrouted: run.counts.unrouted + (totals?.unrouted ?? 0),
      lettered: run.counts.lettered + (totals?.lettered ?? 0),
      ...(aggregated === 0 ? {} : { aggregated })
    },
    sources: {
      ...run.sources,
      [batch.source]: {
        ...(own(run.sources, batch.source) ?? noSource),
        checkpoint: OpenBatch.checkpointAfter(batch)
      }
    }
  }
}

export const withOutput = (run: RunState, stage: string, output: OutputState): RunState => ({
  ...run,
  outputs: { ...run.outputs, [stage]: output }
})

/** C13: the base stands in for a receipt until something of this epoch is applied. */
export const withBases = (
  run: RunState,
  { branches }: Pick<EventOf<"BatchSealed">, "branches">
): RunState => {
  let { outputs } = run
  for (const [stage, { base }] of Object.entries(branches)) {
    if (base !== undefined) outputs = { ...outputs, [stage]: { receipt: base, finished: false } }
  }
  return outputs === run.outputs ? run : { ...run, outputs }
}

/** Every sink of a run is counted from its first seal on, also while nothing has reached it. */
const withSinks = (applied: RunCounts["applied"], event: EventOf<"BatchSealed">): RunCounts["applied"] => {
  const fresh = Object.keys(event.branches).filter((stage) => own(applied, stage) === undefined)
  return fresh.length === 0
    ? applied
    : { ...applied, ...Object.fromEntries(fresh.map((stage) => [stage, 0])) }
}

const withLetters = (
  source: SourceState,
  event: EventOf<"BatchSealed">,
  first: boolean,
  window: number
): SourceState => {
  const end = event.offset + event.count
  const sealed = first ? { position: event.range.to, offset: end } : source.sealed
  const letters = event.letters.flatMap((letter) =>
    // What an aggregate made is no record of this source.
    letter.source !== event.source || source.nacks.includes(letter.offset) ? [] : [letter.offset]
  )
  if (letters.length + source.nacks.length === 0) return { ...source, sealed }
  const since = (sealed?.offset ?? end) - window
  const nacks = [...source.nacks, ...letters].filter((offset) => offset >= since).sort((a, b) => a - b)
  return { ...source, sealed, nacks }
}
