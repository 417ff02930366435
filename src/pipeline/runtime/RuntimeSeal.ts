/**
 * What a runtime seals. Stepping by hand there is no record to look at, so a first seal expects every
 * record to reach every sink, and whatever is learned later is sealed as another attempt.
 *
 * @module
 */
import type { EventOf, Letter, PipelineEvent, SealedBranch, Totals } from "../../../events/PipelineEvent.ts"
import { lastAttempt, type OpenBatch, owedBranches } from "../../../projections/OpenBatch.ts"
import type { PipelineState } from "../../../projections/PipelineState.ts"
import { canonical } from "../../flow/contract/Contract.ts"
import type { Seal } from "../../flow/run/Journal.ts"
import { sha256 } from "./RuntimePipeline.ts"

/** What a source read, by the key it was read under. */
export interface Read {
  readonly source: string
  readonly key: string
  readonly records: number
}

/** Equal for equal reads; a source that gives something else under the same key has changed. */
export const digestOf = ({ key, records, source }: Read): string => sha256(canonical([source, key, records]))

/** The key a batch was read under: the place behind its last record. */
export const readKey = ({ range: { to } }: OpenBatch): string | undefined =>
  typeof to === "object" && to !== null && "key" in to && typeof to.key === "string" ? to.key : undefined

/** The first seal of the batch that was just read: all of it is expected at every sink. */
export const firstSeal = (state: PipelineState, read: Read, sinks: ReadonlyArray<string>): Seal => {
  const sealed = state.run?.sources[read.source]?.sealed ?? null
  const count = read.records
  const all: SealedBranch = { records: count, delivered: count, filtered: 0, unrouted: 0, lettered: 0 }
  return {
    batch: state.nextBatch,
    attempt: 1,
    source: read.source,
    range: { from: sealed?.position ?? null, to: { key: read.key } },
    offset: sealed?.offset ?? 0,
    count,
    digest: digestOf(read),
    branches: Object.fromEntries(sinks.map((sink) => [sink, all])),
    totals: { delivered: count, filtered: 0, unrouted: 0, lettered: 0 },
    letters: []
  }
}

/**
 * Another attempt at some of the branches that are owed, with their outcomes as given. An attempt that
 * wins is the truth for its branch, so the letters of these branches are sealed again with it.
 */
export const sealAgain = (
  events: ReadonlyArray<PipelineEvent>,
  open: OpenBatch,
  branches: Readonly<Record<string, SealedBranch>>,
  more: ReadonlyArray<Letter> = []
): Seal => {
  const letters = [...lettersOf(events, open), ...more]
  return {
    batch: open.batch,
    attempt: lastAttempt(open) + 1,
    source: open.source,
    range: open.range,
    offset: open.offset,
    count: open.count,
    digest: open.digest,
    branches,
    totals: totalsOf(open, branches, letters),
    letters: letters.flatMap((letter) => {
      const owed = letter.branches.filter((branch) => Object.hasOwn(branches, branch))
      return owed.length === 0 ? [] : [{ ...letter, branches: owed }]
    })
  }
}

/** What is owed of a batch, as it was sealed last. */
export const owed = (open: OpenBatch): Readonly<Record<string, SealedBranch>> =>
  Object.fromEntries(owedBranches(open).map((stage) => [stage, sealedLast(open, stage)]))

/** The outcome of a branch: as its winner sealed it, or else its newest attempt. */
export const sealedLast = (open: OpenBatch, stage: string): SealedBranch =>
  open.attempts[attemptOf(open, stage)]!.branches[stage]!

/** The outcome of a branch when its sink was given so many records: what is missing was filtered out on the way. */
export const given = (open: OpenBatch, stage: string, records: number): SealedBranch => {
  const { lettered } = sealedLast(open, stage)
  const delivered = Math.min(records, open.count - lettered)
  return { records, delivered, filtered: open.count - lettered - delivered, unrouted: 0, lettered }
}

/** The outcome of a branch with one dead letter more. */
export const lettered = (branch: SealedBranch): SealedBranch => {
  const delivered = Math.max(0, branch.delivered - 1)
  return {
    records: delivered === 0 ? 0 : branch.records - 1,
    delivered,
    filtered: branch.filtered - (branch.delivered === 0 ? 1 : 0),
    unrouted: branch.unrouted,
    lettered: branch.lettered + 1
  }
}

/** The letters of a batch that count as things stand, each with the branches on which it does. */
export const lettersOf = (events: ReadonlyArray<PipelineEvent>, open: OpenBatch): ReadonlyArray<Letter> => {
  const letters = new Map<string, Letter>()
  const seals = events.filter(
    (event): event is EventOf<"BatchSealed"> => event._tag === "BatchSealed" && event.batch === open.batch
  )
  for (const { attempt, letters: sealed } of seals) {
    for (const letter of sealed) {
      const id = `${letter.id} ${letter.stage}`
      const branches = letter.branches.filter((branch) => attemptOf(open, branch) === attempt)
      if (branches.length === 0) continue
      letters.set(id, { ...letter, branches: [...(letters.get(id)?.branches ?? []), ...branches] })
    }
  }
  return [...letters.values()].sort((left, right) => left.offset - right.offset)
}

const attemptOf = ({ branches }: OpenBatch, stage: string): number =>
  branches[stage]?.winner ?? branches[stage]?.attempt ?? 0

/** Invariant 6: every record is counted once. One that is a letter anywhere counts as a letter. */
const totalsOf = (
  open: OpenBatch,
  branches: Readonly<Record<string, SealedBranch>>,
  letters: ReadonlyArray<Letter>
): Totals => {
  const lettered = new Set(letters.map(({ offset }) => offset)).size
  const most = Object.keys(open.branches).reduce(
    (most, stage) => Math.max(most, (branches[stage] ?? sealedLast(open, stage)).delivered),
    0
  )
  const delivered = Math.min(most, open.count - lettered)
  return { delivered, filtered: open.count - lettered - delivered, unrouted: 0, lettered }
}
