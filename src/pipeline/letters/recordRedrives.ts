/**
 * What may be recorded of redrives: the rules of their batches of one that the log itself can check. Pure.
 *
 * @module
 */
import { Result } from "effect"
import type { PipelineEvent } from "../../../events/PipelineEvent.ts"
import { redriveKey } from "../../../events/Redrive.ts"
import * as Bench from "../../../projections/Bench.ts"
import { lastAttempt, type OpenRedrive } from "../../../projections/OpenRedrive.ts"
import { own } from "../../../projections/own.ts"
import { evolve, hasUnfinishedRun, type PipelineState } from "../../../projections/PipelineState.ts"
import { isActive } from "../../../projections/transitions.ts"
import type { JournalEntry, RedriveConfirmed, RedriveSeal } from "../../flow/run/Journal.ts"
import { Rejection } from "../Command.ts"
import { type Decision, reject } from "../Decision.ts"

/** Beside no run: what a session on the redrives alone has to tell. */
export const recordRedrives = (entry: JournalEntry, before: PipelineState): Decision => {
  if (isActive(before.lifecycle)) return reject("already_running", `run ${before.run?.id} is under way`)
  const events: Array<PipelineEvent> = []
  let state = before
  const add = (event: PipelineEvent): void => {
    events.push(event)
    state = evolve(state, event)
  }
  const wrong = confirmRedrives(entry, () => state, add) ?? sealRedrives(entry, () => state, add)
  if (wrong !== undefined) return Result.fail(wrong)
  for (const retry of entry.retries ?? []) add({ _tag: "Retried", ...retry })
  for (const { output, stage } of entry.finished ?? []) {
    const unfinishable = mayFinish(state, stage)
    if (unfinishable !== undefined) return Result.fail(unfinishable)
    if (own(state.run?.outputs, stage)?.finished !== true) add({ _tag: "OutputFinished", stage, output })
  }
  const published = (entry.published ?? []).filter((stage) => state.bench?.unpublished.includes(stage))
  if (published.length > 0) add({ _tag: "OutputsPublished", stages: published })
  return Result.succeed(events)
}

/** What is complete contains what the log says it contains, and nothing else. */
export const mayFinish = (state: PipelineState, stage: string): Rejection | undefined => {
  const owed = state.bench?.open.find(
    ({ attempts, branches }) => Object.keys(attempts).length > 0 && own(branches, stage)?.winner === null
  )
  if (owed !== undefined) {
    const message = `the output of ${stage} cannot be finished while ${owed.letter} is being redriven`
    return new Rejection({ code: "redrive_open", message })
  }
  return hasUnfinishedRun(state) && state.open.length > 0
    ? new Rejection({
        code: "batches_owed",
        message: "an output cannot be finished while batches are owed"
      })
    : undefined
}

/** Confirmations of redrives that are settled already, or were discarded meanwhile, change nothing. */
export const confirmRedrives = (
  { redriven = [] }: JournalEntry,
  state: () => PipelineState,
  add: (event: PipelineEvent) => void
): Rejection | undefined => {
  for (const confirmed of redriven) {
    const open = openAs(state(), confirmed)
    if (open === undefined || own(open.branches, confirmed.stage)?.winner !== null) continue
    const wrong = checkConfirmed(confirmed, open, state().id)
    if (wrong !== undefined) return wrong
    const { duplicate, receipt, ...rest } = confirmed
    add({
      _tag: "RedriveApplied",
      ...rest,
      ...(duplicate ? { held: true } : {}),
      ...(receipt === null ? {} : { receipt })
    })
  }
  return undefined
}

/** A seal of what is open no more is not logged: whoever asked sees that in the state, and writes nothing. */
export const sealRedrives = (
  { redriveSeals = [] }: JournalEntry,
  state: () => PipelineState,
  add: (event: PipelineEvent) => void
): Rejection | undefined => {
  for (const seal of redriveSeals) {
    const open = openAs(state(), seal)
    if (open === undefined) continue
    const wrong = checkSeal(seal, open)
    if (wrong !== undefined) return wrong
    add({ _tag: "RedriveSealed", ...seal })
  }
  return undefined
}

const openAs = (
  { bench }: PipelineState,
  { letter, n }: { readonly letter: string; readonly n: number }
): OpenRedrive | undefined => {
  const open = Bench.openRedrive(bench, letter)
  return open?.n === n ? open : undefined
}

const checkConfirmed = (
  { attempt, key, letter, n, stage }: RedriveConfirmed,
  open: OpenRedrive,
  pipeline: string
): Rejection | undefined => {
  const expected = redriveKey({ pipeline, letter, stage, n })
  if (key !== expected) {
    return new Rejection({ code: "unknown_batch", message: `${key} is not the key of ${expected}` })
  }
  // The winner decides, and only an attempt whose seal is in the log can have won.
  return own(open.attempts[attempt]?.branches, stage) === undefined
    ? new Rejection({
        code: "unknown_attempt",
        message: `${stage} holds attempt ${attempt} of ${letter}, redrive ${n}, which was never sealed`
      })
    : undefined
}

const checkSeal = ({ attempt, branches, letter }: RedriveSeal, open: OpenRedrive): Rejection | undefined => {
  const stages = Object.keys(branches)
  const settled = stages.find((stage) => own(open.branches, stage)?.winner !== null)
  if (stages.length === 0 || settled !== undefined || attempt !== lastAttempt(open) + 1) {
    const message = `attempt ${attempt} for ${stages.join(", ")} does not follow what is sealed of ${letter}`
    return new Rejection({ code: "batch_out_of_order", message })
  }
  for (const [stage, of] of Object.entries(branches)) {
    // Invariant 6: the sums agree.
    if (of.delivered + of.filtered + of.unrouted + of.lettered !== 1) {
      const message = `${letter}: the outcomes of ${stage} do not add up to its one record`
      return new Rejection({ code: "sums_disagree", message })
    }
  }
  return undefined
}
