/**
 * What went wrong in a run without ending it: retries, and records that could not be handled.
 *
 * @module
 */
import type { Raw, Reason } from "../../../events/PipelineEvent.ts"
import { owedBranches } from "../../../projections/OpenBatch.ts"
import { openBatch } from "../../../projections/PipelineState.ts"
import * as Seal from "./RuntimeSeal.ts"
import {
  batchOf,
  noBatch,
  notCount,
  type Runtime,
  record,
  rejected,
  type StepResult,
  stageOf
} from "./RuntimeStep.ts"

/** A stage tries again after `delayMs` (whole milliseconds); attempts are counted unless given. */
export interface RetryAsk {
  readonly stage: string
  readonly reason: Reason
  readonly delayMs: number
  readonly batch?: number
  readonly attempt?: number
}

/**
 * A record a stage could not handle. `offset` is its ordinal in its source; without it, it is the first
 * of the batch that is no letter yet. It is owed to every sink that has not taken the batch (a sink's own, to itself).
 */
export interface DeadLetterAsk {
  readonly stage: string
  readonly reason: Reason
  readonly batch?: number
  readonly key?: string
  readonly offset?: number
  /** The bytes it was read as; without them, they are left out. */
  readonly raw?: Raw
}

/** A stage has to try again. It is in the history and the telemetry, and changes nothing else. */
export const recordRetry = (runtime: Runtime, ask: RetryAsk): StepResult => {
  const stage = stageOf(runtime, ask.stage)
  if (stage._tag === "Rejected") return stage
  const batch = ask.batch ?? null
  const before = runtime.events.filter(
    (event) => event._tag === "Retried" && event.stage === ask.stage && event.batch === batch
  )
  const attempt = ask.attempt ?? before.length + 1
  const wrong = notCount(runtime, { attempt, batch: batch ?? 0, delayMs: ask.delayMs })
  if (wrong !== undefined) return wrong
  if (batch !== null && openBatch(runtime.state, batch) === undefined) return noBatch(runtime, ask)
  const { delayMs, reason } = ask
  return record(runtime, { retries: [{ stage: ask.stage, batch, attempt, reason, delayMs }] })
}

/** A record becomes a dead letter: its batch is sealed again with it, for the branches that owe it. */
export const recordDeadLetter = (runtime: Runtime, ask: DeadLetterAsk): StepResult => {
  const stage = stageOf(runtime, ask.stage)
  if (stage._tag === "Rejected") return stage
  const wrong = notCount(runtime, { batch: ask.batch ?? 0, offset: ask.offset ?? 0 })
  if (wrong !== undefined) return wrong
  const isSink = stage.kind === "sink"
  const batch = batchOf(runtime, ask, isSink)
  if (batch === undefined) return noBatch(runtime, ask)
  const branches = isSink ? [ask.stage] : owedBranches(batch)
  const known = new Set(
    Seal.lettersOf(runtime.events, batch)
      .filter((letter) => letter.branches.some((branch) => branches.includes(branch)))
      .map(({ offset }) => offset)
  )
  const end = batch.offset + batch.count
  let offset = ask.offset ?? batch.offset
  while (ask.offset === undefined && known.has(offset)) offset++
  if (offset < batch.offset || offset >= end || known.has(offset)) {
    return rejected(
      runtime,
      "bad_number",
      `batch ${batch.batch} has the records ${batch.offset} to ${end - 1}, and ${known.size} of them are letters: not ${offset}`
    )
  }
  const letter = {
    id: `${batch.generation}.${batch.batch}.${offset}`,
    source: batch.source,
    offset,
    stage: ask.stage,
    branches,
    reason: ask.reason,
    raw: ask.raw ?? ({ encoding: "omitted", data: "", size: 0 } as const)
  }
  const changed = branches.map((branch) => [branch, Seal.lettered(Seal.sealedLast(batch, branch))] as const)
  return record(runtime, {
    seals: [Seal.sealAgain(runtime.events, batch, Object.fromEntries(changed), [letter])]
  })
}
