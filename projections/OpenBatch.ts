/**
 * Batches that are sealed and not yet settled on every branch: what is owed.
 *
 * @module
 */
import type { Checkpoint, Position } from "../events/Checkpoint.ts"
import {
  deadLettersBranch,
  type EventOf,
  type LetterNote,
  type SealedBranch,
  type Totals
} from "../events/PipelineEvent.ts"
import { own } from "./own.ts"

/** One branch of an open batch: the newest attempt sealed for it, and the attempt that won, once one has. */
export interface OpenBranch {
  readonly attempt: number
  readonly winner: number | null
}

/** What one attempt sealed; kept until the batch leaves, because any attempt may turn out to be the winner. */
export interface SealedAttempt {
  readonly branches: Readonly<Record<string, SealedBranch>>
  readonly totals: Totals
}

export interface OpenBatch {
  readonly batch: number
  readonly generation: number
  readonly source: string
  readonly range: { readonly from: Position | null; readonly to: Position }
  /** Ordinal of the first record in its source. */
  readonly offset: number
  readonly count: number
  readonly digest: string
  readonly branches: Readonly<Record<string, OpenBranch>>
  readonly attempts: Readonly<Record<number, SealedAttempt>>
  /** Records that have left the dead letters on these branches, by a redrive or by hand: they are left out. */
  readonly left?: ReadonlyArray<{
    readonly offset: number
    readonly branches: ReadonlyArray<string>
    /** What this stage had made; without it a record of the source. */
    readonly stage?: string
  }>
  /** What each attempt sealed as letters; only of a batch whose letters go to a dead-letter sink. */
  readonly notes?: Readonly<Record<number, ReadonlyArray<LetterNote>>>
}

/** A first seal: a branch it has nothing for is settled by it, there is nothing to write. */
export const opened = (event: EventOf<"BatchSealed">): OpenBatch => ({
  batch: event.batch,
  generation: event.generation,
  source: event.source,
  range: event.range,
  offset: event.offset,
  count: event.count,
  digest: event.digest,
  branches: Object.fromEntries(
    Object.entries(event.branches).map(([stage, { records }]) => [
      stage,
      { attempt: event.attempt, winner: records === 0 ? event.attempt : null }
    ])
  ),
  attempts: { [event.attempt]: { branches: event.branches, totals: event.totals } },
  ...withNotes(undefined, event)
})

/**
 * A later seal of the branches that are still owed. It settles nothing by itself, not even with nothing
 * to write: an older request may still land, and only the sink can say which attempt won. The branch of the letters
 * begins with the first seal that has some.
 */
export const resealed = (open: OpenBatch, event: EventOf<"BatchSealed">): OpenBatch => {
  const branches = { ...open.branches }
  for (const stage of Object.keys(event.branches)) {
    const branch = own(branches, stage) ?? begun(event, stage)
    if (branch !== undefined && branch.winner === null)
      branches[stage] = { ...branch, attempt: event.attempt }
  }
  return {
    ...open,
    branches,
    attempts: { ...open.attempts, [event.attempt]: { branches: event.branches, totals: event.totals } },
    ...withNotes(open.notes, event)
  }
}

const begun = ({ attempt, branches }: EventOf<"BatchSealed">, stage: string): OpenBranch | undefined =>
  own(branches, stage)?.ofLetters === true ? { attempt, winner: null } : undefined

/** Without their bytes: the state is in every snapshot, and who writes them has read the batch again. */
const withNotes = (
  known: OpenBatch["notes"],
  { attempt, branches, letters }: EventOf<"BatchSealed">
): Pick<OpenBatch, "notes"> =>
  known === undefined && own(branches, deadLettersBranch)?.ofLetters !== true
    ? {}
    : { notes: { ...known, [attempt]: letters.map(({ raw: _, ...note }) => note) } }

/** The sink holds this attempt: its seal is the truth for the branch from now on. */
export const won = (open: OpenBatch, stage: string, attempt: number): OpenBatch => {
  const branch = own(open.branches, stage)
  return branch === undefined || branch.winner !== null
    ? open
    : { ...open, branches: { ...open.branches, [stage]: { ...branch, winner: attempt } } }
}

export const isSettled = (open: OpenBatch): boolean => {
  for (const stage in open.branches) if (open.branches[stage]?.winner === null) return false
  return true
}

/** Branches that have no winner yet, in the order they were sealed. */
export const owedBranches = (open: OpenBatch): ReadonlyArray<string> =>
  Object.keys(open.branches).filter((stage) => open.branches[stage]?.winner === null)

/** The newest attempt of any branch; the next seal of this batch takes the number after it. */
export const lastAttempt = (open: OpenBatch): number =>
  Object.keys(open.attempts).reduce((last, attempt) => Math.max(last, Number(attempt)), 0)

/** What the winner sealed for a branch, once there is one. */
export const outcome = (open: OpenBatch, stage: string): SealedBranch | undefined => {
  const winner = own(open.branches, stage)?.winner
  return winner === undefined || winner === null ? undefined : own(open.attempts[winner]?.branches, stage)
}

/** What became of the records when every branch is looked at: as the newest winning attempt saw it. */
export const totals = (open: OpenBatch): Totals | undefined => {
  const winner = Object.values(open.branches).reduce((last, branch) => Math.max(last, branch.winner ?? 0), 0)
  return open.attempts[winner]?.totals
}

/** Where the source stands when this batch and all before it are settled. */
export const checkpointAfter = (open: OpenBatch): Checkpoint => ({
  source: open.source,
  batch: open.batch,
  offset: open.offset + open.count,
  position: open.range.to
})

/** The batch with this ordinal, of those that are open by ascending ordinal. */
export const find = (open: ReadonlyArray<OpenBatch>, batch: number): OpenBatch | undefined =>
  open[indexOf(open, batch)]

/** The open batches with this one in its place, or behind them. */
export const put = (open: ReadonlyArray<OpenBatch>, batch: OpenBatch): ReadonlyArray<OpenBatch> => {
  const index = indexOf(open, batch.batch)
  if (index === -1) return [...open, batch]
  const next = open.slice()
  next[index] = batch
  return next
}

/** Ordinals ascend, mostly without gaps: the place of one is guessed from the first and corrected downwards. */
const indexOf = (open: ReadonlyArray<OpenBatch>, batch: number): number => {
  const first = open[0]
  if (first === undefined) return -1
  let index = Math.min(batch - first.batch, open.length - 1)
  while (index >= 0 && open[index]!.batch > batch) index--
  return index >= 0 && open[index]!.batch === batch ? index : -1
}
