/**
 * What became of the dead letters that somebody did something about: on which branches they have left, why they
 * were not handled when they were tried again. Without their bytes, so it is small.
 *
 * @module
 */
import type { PipelineEvent, Reason } from "../events/PipelineEvent.ts"
import * as Bench from "./Bench.ts"
import * as OpenRedrive from "./OpenRedrive.ts"
import { own } from "./own.ts"

export interface Fate {
  /** The branches that are owed the record no more: redriven, or discarded. */
  readonly left: ReadonlyArray<string>
  /** Of the last redrive, from 1; 0 when there was none. */
  readonly redrives: number
  /** How many redrives did not handle it, and how the last one of those ended. */
  readonly nacks: number
  readonly last: { readonly stage: string; readonly reason: Reason } | null
  /** A redrive of it is under way. */
  readonly isOpen: boolean
}

export interface LetterFates {
  readonly bench: Bench.Bench
  /** By batch (`generation.batch`) and letter: a change costs no copy of all of them. */
  readonly byBatch: Readonly<Record<string, Readonly<Record<string, Fate>>>>
}

export const initial: LetterFates = { bench: Bench.initial, byBatch: {} }

/** The types of events that change something here; others need not be read. */
export const concerned: ReadonlySet<string> = new Set<PipelineEvent["_tag"]>([
  "RedriveRequested",
  "RedriveSealed",
  "RedriveApplied",
  "RedrivesWithdrawn",
  "DeadLettersDiscarded",
  "RunSetBack"
])

export const evolve = (fates: LetterFates, event: PipelineEvent): LetterFates => {
  if (!concerned.has(event._tag)) return fates
  const bench = Bench.evolve(fates.bench, event)
  if (bench === fates.bench) return fates
  return {
    bench,
    byBatch: changed({ ...fates, bench }, Bench.settledBetween(fates.bench, bench, event), event)
  }
}

/** What became of this letter; `undefined` when nobody has touched it. */
export const fateOf = (fates: LetterFates, letter: string): Fate | undefined =>
  own(own(fates.byBatch, batchOf(letter)), letter)

const batchOf = (letter: string): string => letter.slice(0, letter.lastIndexOf("."))

const untouched: Fate = { left: [], redrives: 0, nacks: 0, last: null, isOpen: false }

const changed = (
  fates: LetterFates,
  settled: OpenRedrive.OpenRedrive | undefined,
  event: PipelineEvent
): LetterFates["byBatch"] => {
  let next = fates.byBatch
  const put = (letter: string, change: (fate: Fate) => Fate): void => {
    const batch = batchOf(letter)
    const before = fateOf({ ...fates, byBatch: next }, letter) ?? untouched
    next = { ...next, [batch]: { ...own(next, batch), [letter]: change(before) } }
  }
  switch (event._tag) {
    case "RedriveRequested":
      for (const { letter, n } of event.letters)
        put(letter, (fate) => ({ ...fate, redrives: n, isOpen: true }))
      break
    case "RedriveSealed":
    case "RedriveApplied":
      if (settled !== undefined) put(settled.letter, (fate) => after(fate, settled))
      break
    case "RedrivesWithdrawn":
      for (const letter of event.letters) put(letter, (fate) => ({ ...fate, isOpen: false }))
      break
    case "DeadLettersDiscarded":
      for (const { branches, letter } of event.letters) {
        put(letter, (fate) => ({ ...fate, left: union(fate.left, branches), isOpen: false }))
      }
      break
    case "RunSetBack":
      for (const redrive of event.redrives ?? []) {
        const again = OpenRedrive.owedBranches(redrive)
        put(redrive.letter, (fate) => ({
          ...fate,
          left: fate.left.filter((stage) => !again.includes(stage)),
          isOpen: true
        }))
      }
  }
  return next
}

/** Nacked again it stays, with the new reason; what was applied or filtered has left. */
const after = (fate: Fate, settled: OpenRedrive.OpenRedrive): Fate => {
  const failure = OpenRedrive.failureOf(settled)
  return {
    ...fate,
    left: union(fate.left, OpenRedrive.leftBranches(settled)),
    nacks: fate.nacks + (failure === null ? 0 : 1),
    last: failure === null ? fate.last : { stage: failure.stage, reason: failure.reason },
    isOpen: false
  }
}

const union = (a: ReadonlyArray<string>, b: ReadonlyArray<string>): ReadonlyArray<string> => [
  ...new Set([...a, ...b])
]
