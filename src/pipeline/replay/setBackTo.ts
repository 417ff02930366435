/**
 * The state of a run as it was, made into the event that brings it back. Pure.
 *
 * @module
 */
import type { BatchMemory } from "../../../events/BatchMemory.ts"
import type { EventOf, RestoredBatch } from "../../../events/PipelineEvent.ts"
import type { OpenBatch } from "../../../projections/OpenBatch.ts"
import { own } from "../../../projections/own.ts"
import { advance, type PipelineState } from "../../../projections/PipelineState.ts"
import * as RunMemory from "../../../projections/RunMemory.ts"
import type { RunState } from "../../../projections/RunState.ts"
import type { Moment } from "./findMoment.ts"
import type { Generation } from "./ReplayRequest.ts"
import { receiptAt, type Timeline } from "./readTimeline.ts"
import { again, leftByBatch, type RedrivesSince } from "./redrivesSince.ts"

export interface SetBack {
  readonly timeline: Timeline
  readonly moment: Moment
  /** What is open then: as it was, or with the batches that are opened again. */
  readonly open: ReadonlyArray<OpenBatch>
  /** What the batches that are opened again have left behind, beyond those that were open then. */
  readonly memory: ReadonlyArray<BatchMemory>
  readonly generation: Generation
  readonly redrives: RedrivesSince
  readonly fromStage: string | null
  /** The sinks that take part, `null` for all, and the sources they get their records from. */
  readonly branches: ReadonlyArray<string> | null
  readonly sources: ReadonlyArray<string>
  readonly reason: string
}

export const setBackTo = (of: SetBack): Omit<EventOf<"RunSetBack">, "_tag"> => {
  const { branches, fromStage, moment, reason, sources, timeline } = of
  const now = timeline.state
  const generation = now.generation + (of.generation === "next" ? 1 : 0)
  const back = restored(of, generation)
  const run = back.run!
  const takesPart = (stage: string): boolean => branches?.includes(stage) !== false
  const redrives = again(of.redrives, moment, of.generation === "next", takesPart)
  // In a new generation every record of the range is decided anew.
  const left = of.generation === "next" ? new Map() : leftByBatch(of.redrives)
  const applied = { ...now.run!.counts.applied }
  for (const stage of Object.keys(applied)) {
    if (takesPart(stage)) applied[stage] = own(run.counts.applied, stage) ?? 0
  }
  return {
    run: run.id,
    version: moment.version,
    reason,
    generation,
    fromStage,
    branches,
    sources: Object.fromEntries(
      sources.map((source) => {
        const { checkpoint = null, sealed = null } = own(run.sources, source) ?? {}
        return [source, { sealed, checkpoint }]
      })
    ),
    outputs: Object.fromEntries(
      Object.keys(now.run!.outputs)
        .filter(takesPart)
        .map((stage) => [stage, receiptAt(moment.state, timeline, stage)])
    ),
    counts: { ...run.counts, applied },
    open: back.open.map((batch) => withLeft(batch, left)) as ReadonlyArray<RestoredBatch>,
    ...(redrives.length === 0 ? {} : { redrives }),
    ...(run.memory === undefined ? {} : { memory: RunMemory.toEvent(run.memory) })
  }
}

const withLeft = ({ left: _, ...batch }: OpenBatch, byBatch: ReturnType<typeof leftByBatch>): OpenBatch => {
  const left = byBatch.get(`${batch.generation}.${batch.batch}`)
  return left === undefined ? batch : { ...batch, left }
}

/** The state it goes back to, for the branches that take part. */
const restored = (of: SetBack, generation: number): PipelineState => {
  const { branches, moment, sources } = of
  const open = of.open.flatMap((batch) => {
    const part = branches === null ? batch : only(batch, branches)
    const isOwed = sources.includes(batch.source) && Object.keys(part.branches).length > 0
    return isOwed ? [of.generation === "next" ? { ...part, generation } : part] : []
  })
  const run = of.generation === "next" ? moment.state.run! : withReopened(moment.state, open, of.memory)
  // A branch that does not take part may have been all that a batch was waiting for.
  return sources.reduce(advance, { ...moment.state, open, run })
}

const only = (batch: OpenBatch, branches: ReadonlyArray<string>): OpenBatch => ({
  ...batch,
  branches: Object.fromEntries(Object.entries(batch.branches).filter(([stage]) => branches.includes(stage)))
})

/** Their boundaries stay: they are read already, and new batches begin behind them. */
const withReopened = (
  state: PipelineState,
  open: ReadonlyArray<OpenBatch>,
  more: SetBack["memory"]
): RunState => {
  const run = state.run!
  const known = new Set(state.open.map(({ batch }) => batch))
  const fresh = open.filter(({ batch }) => !known.has(batch))
  const sources = { ...run.sources }
  for (const { count, offset, range, source } of fresh) {
    const of = own(sources, source) ?? { checkpoint: null, nacks: [] }
    sources[source] = { ...of, sealed: { position: range.to, offset: offset + count } }
  }
  const memory = more.length === 0 ? run.memory : remembering(run.memory ?? RunMemory.empty, more)
  return {
    ...run,
    sources,
    ...(memory === undefined ? {} : { memory }),
    counts: {
      ...run.counts,
      read: fresh.reduce((sum, { count }) => sum + count, run.counts.read),
      batches: run.counts.batches + fresh.length
    }
  }
}

/** A batch that is opened again leaves behind what it left the first time. */
const remembering = (memory: RunMemory.RunMemory, more: SetBack["memory"]): RunMemory.RunMemory => ({
  ...memory,
  later: [...memory.later, ...more]
})
