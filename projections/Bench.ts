/**
 * What is under way at the dead-letter bench: which letters are being tried again, and how far that is.
 *
 * Only what is owed is kept, and no more than `redrivesMost` of it; what letters say stands in the log.
 *
 * @module
 */
import type { EventOf, PipelineEvent, Reason } from "../events/PipelineEvent.ts"
import * as OpenRedrive from "./OpenRedrive.ts"

export interface Bench {
  /** Counts what was asked for: whoever has read the letters at this revision knows what stands. */
  readonly revision: number
  /** In the order in which they were asked for. */
  readonly open: ReadonlyArray<OpenRedrive.OpenRedrive>
  /** Sinks whose complete output has got redriven records, and is to be made visible again. */
  readonly unpublished: ReadonlyArray<string>
  /** Letters that have left because they were applied or filtered, and because they were discarded. */
  readonly redriven: number
  readonly discarded: number
  /** Why it does not go on; `null` as it should be. */
  readonly stalled: Reason | null
}

export const initial: Bench = {
  revision: 0,
  open: [],
  unpublished: [],
  redriven: 0,
  discarded: 0,
  stalled: null
}

/** `isComplete`: the output of this sink is complete, so what is added to it is to be made visible again. */
export const evolve = (
  bench: Bench,
  event: PipelineEvent,
  isComplete: (stage: string) => boolean = () => false
): Bench => {
  switch (event._tag) {
    case "RedriveRequested":
      return {
        ...asked(bench),
        open: [...bench.open, ...event.letters.map((letter) => OpenRedrive.requested(letter, event))],
        stalled: null
      }
    case "RedriveSealed":
      return sealed(bench, event, isComplete)
    case "RedriveApplied":
      return changed(bench, event.letter, (redrive) => OpenRedrive.won(redrive, event.stage, event.attempt))
    case "RedrivesWithdrawn":
      return rested({ ...asked(bench), open: without(bench.open, event.letters) })
    case "RedrivesStalled":
      return { ...bench, stalled: event.reason }
    case "DeadLettersDiscarded":
      return rested({
        ...asked(bench),
        open: without(
          bench.open,
          event.letters.map(({ letter }) => letter)
        ),
        discarded: bench.discarded + event.letters.length
      })
    case "OutputsPublished":
      return {
        ...bench,
        unpublished: bench.unpublished.filter((stage) => !event.stages.includes(stage)),
        stalled: null
      }
    case "RunStarted":
      // A new run has outputs of its own: what they take the place of need not be made visible any more.
      return bench.unpublished.length === 0 ? bench : { ...bench, unpublished: [] }
    case "RunSetBack":
      return setBack(bench, event)
    default:
      return bench
  }
}

/** The open redrive of this letter; a letter has at most one. */
export const openRedrive = (bench: Bench | undefined, letter: string): OpenRedrive.OpenRedrive | undefined =>
  bench?.open.find((redrive) => redrive.letter === letter)

/** Something is to be done at the bench. */
export const isOwed = (bench: Bench | undefined): bench is Bench =>
  bench !== undefined && bench.open.length + bench.unpublished.length > 0

/** The redrive that was settled between two states, by an event of this letter. */
export const settledBetween = (before: Bench, after: Bench, event: PipelineEvent) =>
  (event._tag === "RedriveSealed" || event._tag === "RedriveApplied") &&
  before !== after &&
  openRedrive(after, event.letter) === undefined
    ? step(openRedrive(before, event.letter), event)
    : undefined

const step = (
  redrive: OpenRedrive.OpenRedrive | undefined,
  event: EventOf<"RedriveSealed"> | EventOf<"RedriveApplied">
): OpenRedrive.OpenRedrive | undefined =>
  redrive &&
  (event._tag === "RedriveSealed"
    ? OpenRedrive.sealed(redrive, event)
    : OpenRedrive.won(redrive, event.stage, event.attempt))

const asked = (bench: Bench): Bench => ({ ...bench, revision: bench.revision + 1 })

/** Where nothing is owed, nothing is in the way. */
const rested = (bench: Bench): Bench =>
  bench.open.length + bench.unpublished.length > 0 ? bench : { ...bench, stalled: null }

const without = (open: Bench["open"], letters: ReadonlyArray<string>): Bench["open"] => {
  const gone = new Set(letters)
  return open.filter(({ letter }) => !gone.has(letter))
}

const sealed = (
  bench: Bench,
  event: EventOf<"RedriveSealed">,
  isComplete: (stage: string) => boolean
): Bench => {
  const fresh = Object.entries(event.branches).flatMap(([stage, { base }]) =>
    base !== undefined && isComplete(stage) && !bench.unpublished.includes(stage) ? [stage] : []
  )
  const next = changed(bench, event.letter, (redrive) => OpenRedrive.sealed(redrive, event))
  return fresh.length === 0 ? next : { ...next, unpublished: [...next.unpublished, ...fresh] }
}

/** A redrive that is settled is owed no more; its letter has left unless some branch has nacked it. */
const changed = (
  bench: Bench,
  letter: string,
  change: (redrive: OpenRedrive.OpenRedrive) => OpenRedrive.OpenRedrive
): Bench => {
  const index = bench.open.findIndex((redrive) => redrive.letter === letter)
  if (index === -1) return bench
  const after = change(bench.open[index]!)
  if (after === bench.open[index]) return bench
  const open = bench.open.slice()
  if (!OpenRedrive.isSettled(after)) open[index] = after
  else open.splice(index, 1)
  const hasLeft = OpenRedrive.isSettled(after) && OpenRedrive.nackedBranches(after).length === 0
  return { ...bench, open, redriven: bench.redriven + (hasLeft ? 1 : 0), stalled: null }
}

/** A set-back begins with no redrive of its own; those whose effects it takes back are done again. */
const setBack = (bench: Bench, { redrives = [] }: EventOf<"RunSetBack">): Bench => {
  if (bench === initial && redrives.length === 0) return bench
  const again = redrives.filter((redrive) => OpenRedrive.nackedBranches(redrive).length === 0).length
  return { ...bench, open: redrives, redriven: Math.max(0, bench.redriven - again) }
}
