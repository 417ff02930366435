/**
 * Dead letters and what is done about them, as they leave the process: for the API and for `--json`.
 *
 * @module
 */
import type { Schema } from "effect"
import type { DeadLetter } from "../../projections/DeadLetters.ts"
import type { LetterCause } from "../../projections/LetterCauses.ts"
import type { DeadLetterCause, DeadLetterJson, DeadLetterStory } from "../api/DeadLetterJson.ts"
import type { LetterOutcome, RedriveDryRun } from "../api/redrives.ts"
import type { DryRun, LetterStory, LetterOutcome as Outcome } from "../pipeline/letters/LetterRequest.ts"
import { timeText } from "./eventText.ts"

export const letterJson = (letter: DeadLetter): DeadLetterJson => ({
  id: letter.id,
  run: letter.run,
  stage: letter.stage,
  source: letter.source,
  offset: letter.offset,
  reason: letter.reason,
  attempts: letter.attempts,
  branches: letter.branches,
  batch: letter.batch,
  raw: letter.raw,
  redrives: letter.redrives ?? 0,
  redriving: letter.redriving === true,
  ...(letter.origin === undefined ? {} : { origin: letter.origin })
})

export const causeJson = (cause: LetterCause): DeadLetterCause => ({
  code: cause.code,
  stage: cause.stage,
  message: cause.message,
  count: cause.count,
  redriving: cause.redriving,
  first: { id: cause.first, at: timeText(cause.firstAt) },
  last: { id: cause.last, at: timeText(cause.lastAt) },
  example: letterJson(cause.example)
})

export const storyJson = (story: LetterStory): DeadLetterStory => ({
  id: story.id,
  run: story.run,
  stage: story.stage,
  source: story.source,
  offset: story.offset,
  reason: story.reason,
  attempts: story.attempts,
  branches: story.branches,
  batch: story.batch,
  raw: story.raw,
  redrives: story.redrives.length,
  redriving: story.status === "redriving",
  ...(story.origin === undefined ? {} : { origin: story.origin }),
  status: story.status,
  reasons: story.reasons.map(({ at, branches, by, n, reason, stage, version }) => ({
    at: timeText(at),
    version,
    by,
    redrive: n,
    stage,
    branches,
    reason
  })),
  history: story.redrives.map((redrive) => ({
    redrive: redrive.n,
    requested_at: timeText(redrive.requestedAt),
    version: redrive.version,
    by: redrive.by,
    reason: redrive.reason,
    edit: redrive.edit === null ? null : { payload: redrive.edit.payload, changes: redrive.edit.changes },
    outcome: redrive.outcome,
    branches: redrive.branches,
    settled_at: redrive.settledAt === null ? null : timeText(redrive.settledAt)
  })),
  discarded: story.discarded === null ? null : { ...story.discarded, at: timeText(story.discarded.at) }
})

export const outcomeJson = ({ branches, letter, n, outcome, reason }: Outcome): LetterOutcome => ({
  letter,
  redrive: n,
  outcome,
  branches,
  reason
})

/** Characters of records in one answer, and records of one branch. */
const recordsMost = 256 * 1024
const branchMost = 10

type Tried = RedriveDryRun["dead_letters"][number]

/** What would become of letters; of their records as many as there is room for. */
export const dryRunJson = (
  tried: ReadonlyArray<DryRun>,
  changesOf: (letter: string) => Tried["changes"]
): ReadonlyArray<Tried> => {
  let room = recordsMost
  const fitting = (records: ReadonlyArray<unknown>): ReadonlyArray<Schema.Json> => {
    const some: Array<Schema.Json> = []
    for (const record of records.slice(0, branchMost)) {
      const json = plain(record)
      room -= JSON.stringify(json).length
      if (room < 0) break
      some.push(json)
    }
    return some
  }
  return tried.map(({ branches, letter, outcome, reason, stage }) => ({
    letter,
    outcome,
    branches: Object.fromEntries(
      Object.entries(branches).map(([name, { outcome: fate, records }]) => [
        name,
        { outcome: fate, count: records.length, records: fitting(records) }
      ])
    ),
    stage,
    reason,
    changes: changesOf(letter)
  }))
}

/** A record as a sink is given it may hold more than JSON has. */
const plain = (record: unknown): Schema.Json => {
  if (record instanceof Uint8Array) return Buffer.from(record).toString("base64")
  const text = JSON.stringify(record, (_, value) => (typeof value === "bigint" ? String(value) : value))
  return text === undefined ? null : JSON.parse(text)
}
