/**
 * What became of redrives that somebody has asked for, from the events after the request.
 *
 * @module
 */
import type { PipelineEvent, Reason } from "../events/PipelineEvent.ts"
import * as Bench from "./Bench.ts"
import * as OpenRedrive from "./OpenRedrive.ts"

/** `open` while it is not settled; `withdrawn` and `discarded` are nobody's outcome but the asker's wish. */
export interface Outcome {
  readonly letter: string
  readonly n: number
  readonly outcome: "left" | "partly" | "nacked" | "open" | "withdrawn" | "discarded"
  readonly branches: Readonly<Record<string, OpenRedrive.BranchFate>>
  readonly reason: Reason | null
}

export interface RedriveOutcomes {
  /** By letter and ordinal: what is asked for. */
  readonly wanted: ReadonlySet<string>
  readonly bench: Bench.Bench
  readonly over: ReadonlyMap<string, Outcome>
}

type Name = { readonly letter: string; readonly n: number }

export const initial = (wanted: Iterable<Name>): RedriveOutcomes => ({
  wanted: new Set([...wanted].map(nameOf)),
  bench: Bench.initial,
  over: new Map()
})

/** Takes the events after the request was asked for, in order. */
export const evolve = (state: RedriveOutcomes, event: PipelineEvent): RedriveOutcomes => {
  const bench = Bench.evolve(state.bench, event)
  if (bench === state.bench) return state
  const ended = endedBy(state.bench, bench, event).filter(({ letter, n }) =>
    state.wanted.has(nameOf({ letter, n }))
  )
  if (ended.length === 0) return { ...state, bench }
  const over = new Map(state.over)
  for (const outcome of ended) over.set(nameOf(outcome), outcome)
  return { ...state, bench, over }
}

/** Of everything that was asked for, in this order. */
export const list = (state: RedriveOutcomes, of: ReadonlyArray<Name>): ReadonlyArray<Outcome> =>
  of.map((name) => {
    const over = state.over.get(nameOf(name))
    if (over !== undefined) return over
    const open = Bench.openRedrive(state.bench, name.letter)
    return {
      ...name,
      outcome: "open",
      branches: open === undefined ? {} : fates(open),
      reason: state.bench.stalled
    }
  })

/** What a settled redrive came to. */
export const outcomeOf = (settled: OpenRedrive.OpenRedrive): Outcome => {
  const nacked = OpenRedrive.nackedBranches(settled)
  const left = OpenRedrive.leftBranches(settled)
  const { letter, n } = settled
  return {
    letter,
    n,
    outcome: nacked.length === 0 ? "left" : left.length === 0 ? "nacked" : "partly",
    branches: fates(settled),
    reason: OpenRedrive.failureOf(settled)?.reason ?? null
  }
}

/** The redrives that an event has ended. */
export const endedBy = (
  before: Bench.Bench,
  after: Bench.Bench,
  event: PipelineEvent
): ReadonlyArray<Outcome> => {
  const settled = Bench.settledBetween(before, after, event)
  if (settled !== undefined) return [outcomeOf(settled)]
  if (event._tag !== "RedrivesWithdrawn" && event._tag !== "DeadLettersDiscarded") return []
  return before.open
    .filter(({ letter }) => Bench.openRedrive(after, letter) === undefined)
    .map((open) => ({
      letter: open.letter,
      n: open.n,
      outcome: event._tag === "RedrivesWithdrawn" ? "withdrawn" : "discarded",
      branches: fates(open),
      reason: null
    }))
}

const fates = (redrive: OpenRedrive.OpenRedrive): Outcome["branches"] =>
  Object.fromEntries(
    Object.keys(redrive.branches).map((stage) => [stage, OpenRedrive.fateOf(redrive, stage)])
  )

const nameOf = ({ letter, n }: Name): string => `${letter}/${n}`
