/**
 * A dead letter that is being tried again: a batch of one, with seals and winners of its own.
 *
 * @module
 */
import type { EventOf, OpenRedrive, RedriveFailure } from "../events/PipelineEvent.ts"
import type { LetterRequest } from "../events/Redrive.ts"
import { own } from "./own.ts"

export type { OpenRedrive } from "../events/PipelineEvent.ts"

/** Nothing is sealed: attempts count from 1. */
export const requested = (
  { branches, letter, n, sealed }: LetterRequest,
  { edits, rate, seen }: EventOf<"RedriveRequested">
): OpenRedrive => ({
  letter,
  n,
  sealed,
  seen,
  edited: edits.some((edit) => edit.letter === letter),
  rate,
  branches: Object.fromEntries(branches.map((stage) => [stage, { attempt: 0, winner: null }])),
  attempts: {}
})

/** As with batches: only a first seal settles what it has nothing to write for. */
export const sealed = (redrive: OpenRedrive, event: EventOf<"RedriveSealed">): OpenRedrive => {
  const { attempt, failure } = event
  const isFirst = Object.keys(redrive.attempts).length === 0
  const branches = { ...redrive.branches }
  for (const [stage, { records }] of Object.entries(event.branches)) {
    if (own(branches, stage)?.winner !== null) continue
    branches[stage] = { attempt, winner: isFirst && records === 0 ? attempt : null }
  }
  return {
    ...redrive,
    branches,
    attempts: { ...redrive.attempts, [attempt]: { branches: event.branches, failure } }
  }
}

/** The sink holds this attempt: its seal is the truth for the branch from now on. */
export const won = (redrive: OpenRedrive, stage: string, attempt: number): OpenRedrive => {
  const branch = own(redrive.branches, stage)
  return branch === undefined || branch.winner !== null
    ? redrive
    : { ...redrive, branches: { ...redrive.branches, [stage]: { ...branch, winner: attempt } } }
}

export const isSettled = ({ branches }: OpenRedrive): boolean =>
  Object.values(branches).every(({ winner }) => winner !== null)

/** Something of it may be at a sink: it cannot be taken back. */
export const isSealed = ({ attempts }: OpenRedrive): boolean => Object.keys(attempts).length > 0

/** Branches that have no winner yet. */
export const owedBranches = ({ branches }: OpenRedrive): ReadonlyArray<string> =>
  Object.keys(branches).filter((stage) => branches[stage]!.winner === null)

export const lastAttempt = ({ attempts }: OpenRedrive): number =>
  Object.keys(attempts).reduce((last, attempt) => Math.max(last, Number(attempt)), 0)

/** What became of a branch. */
export type BranchFate = "applied" | "filtered" | "unrouted" | "lettered" | "open"

export const fateOf = (redrive: OpenRedrive, stage: string): BranchFate => {
  const winner = own(redrive.branches, stage)?.winner ?? null
  const seal = winner === null ? undefined : own(redrive.attempts[winner]?.branches, stage)
  if (seal === undefined) return "open"
  if (seal.lettered > 0) return "lettered"
  if (seal.unrouted > 0) return "unrouted"
  return seal.delivered > 0 ? "applied" : "filtered"
}

/** The branches that are owed the record no more. */
export const leftBranches = (redrive: OpenRedrive): ReadonlyArray<string> =>
  Object.keys(redrive.branches).filter((stage) => !["open", "lettered"].includes(fateOf(redrive, stage)))

/** The branches on which the record was not handled once more. */
export const nackedBranches = (redrive: OpenRedrive): ReadonlyArray<string> =>
  Object.keys(redrive.branches).filter((stage) => fateOf(redrive, stage) === "lettered")

/** Why it was not handled, as the newest attempt that won somewhere saw it. */
export const failureOf = (redrive: OpenRedrive): RedriveFailure | null => {
  const winners = nackedBranches(redrive).map((stage) => redrive.branches[stage]!.winner ?? 0)
  return redrive.attempts[Math.max(0, ...winners)]?.failure ?? null
}
