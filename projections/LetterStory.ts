/**
 * Everything the log has about one dead letter: what was read, why it was not handled, who did what about it.
 *
 * @module
 */
import type { EventOf, Letter, PipelineEvent, Raw, Reason } from "../events/PipelineEvent.ts"
import type { LetterEdit } from "../events/Redrive.ts"
import type { StoredEvent } from "../events/StoredEvent.ts"
import * as DeadLetters from "./DeadLetters.ts"
import type { BranchFate } from "./OpenRedrive.ts"
import * as RedriveOutcomes from "./RedriveOutcomes.ts"

/** One time that it was not handled. */
export interface LetterReason {
  readonly at: number
  readonly version: number
  readonly by: string
  /** Of which redrive; 0 of its batch. */
  readonly n: number
  readonly stage: string
  readonly branches: ReadonlyArray<string>
  readonly reason: Reason
}

export interface LetterRedrive {
  readonly n: number
  readonly requestedAt: number
  readonly version: number
  readonly by: string
  readonly reason: string
  readonly edit: LetterEdit | null
  readonly outcome: RedriveOutcomes.Outcome["outcome"]
  readonly branches: Readonly<Record<string, BranchFate>>
  readonly settledAt: number | null
}

interface Discarded {
  readonly at: number
  readonly by: string
  readonly reason: string
}

export interface LetterStory {
  readonly id: string
  readonly letters: DeadLetters.DeadLetters
  /** As it was sealed first; `undefined` until it is met. */
  readonly first: { readonly letter: Letter; readonly run: string; readonly batch: number } | undefined
  readonly reasons: ReadonlyArray<LetterReason>
  readonly redrives: ReadonlyArray<LetterRedrive>
  readonly discarded: Discarded | null
}

/** Times are milliseconds since 1970. */
export interface ToldLetter {
  readonly id: string
  readonly run: string
  readonly batch: number
  readonly source: string
  readonly offset: number
  /** Where `source` is several that are read as one, the one it is of. */
  readonly origin?: NonNullable<Letter["origin"]>
  /** What its source read. */
  readonly raw: Raw
  /** `standing`: owed on `branches`; `void`: it does not count, or its record was decided anew. */
  readonly status: "standing" | "redriving" | "redriven" | "discarded" | "void"
  readonly branches: ReadonlyArray<string>
  /** Where it failed last, and why. */
  readonly stage: string
  readonly reason: Reason
  /** How often it was not handled. */
  readonly attempts: number
  /** Oldest first; the first is why it became a letter. */
  readonly reasons: ReadonlyArray<LetterReason>
  readonly redrives: ReadonlyArray<LetterRedrive>
  readonly discarded: Discarded | null
}

export const initial = (id: string): LetterStory => ({
  id,
  letters: DeadLetters.initial,
  first: undefined,
  reasons: [],
  redrives: [],
  discarded: null
})

/** Takes every event of the stream. Of other letters nothing is kept. */
export const evolve = (story: LetterStory, event: PipelineEvent, row: StoredEvent): LetterStory => {
  const bench = story.letters.fates.bench
  const own = ofLetter(event, story.id)
  const letters = DeadLetters.evolve(story.letters, own)
  const next = { ...told(story, own, row), letters }
  const ended = RedriveOutcomes.endedBy(bench, letters.fates.bench, own).find(
    ({ letter }) => letter === story.id
  )
  if (ended === undefined) return next
  const { branches, n, outcome } = ended
  return {
    ...next,
    redrives: next.redrives.map((redrive) =>
      redrive.n === n ? { ...redrive, outcome, branches, settledAt: row.at } : redrive
    )
  }
}

/** `undefined` when the log knows no such letter. */
export const tell = (story: LetterStory): ToldLetter | undefined => {
  const { discarded, first, id, letters, reasons, redrives } = story
  if (first === undefined) return undefined
  const standing = DeadLetters.list(letters).find((letter) => letter.id === id)
  const last = reasons.at(-1)
  return {
    id,
    run: first.run,
    batch: first.batch,
    source: first.letter.source,
    offset: first.letter.offset,
    ...(first.letter.origin === undefined ? {} : { origin: first.letter.origin }),
    raw: first.letter.raw,
    status: standing === undefined ? goneBy(story) : standing.redriving === true ? "redriving" : "standing",
    branches: standing?.branches ?? [],
    stage: standing?.stage ?? last?.stage ?? first.letter.stage,
    reason: standing?.reason ?? last?.reason ?? first.letter.reason,
    attempts: standing?.attempts ?? reasons.length,
    reasons,
    redrives,
    discarded
  }
}

const goneBy = ({ discarded, redrives }: LetterStory): ToldLetter["status"] =>
  discarded !== null ? "discarded" : redrives.some(({ outcome }) => outcome === "left") ? "redriven" : "void"

/** Seals keep this letter alone; the batches of others are of no concern. */
const ofLetter = (event: PipelineEvent, id: string): PipelineEvent =>
  event._tag === "BatchSealed"
    ? { ...event, letters: event.letters.filter((letter) => letter.id === id) }
    : event

const told = (story: LetterStory, event: PipelineEvent, row: StoredEvent): LetterStory => {
  switch (event._tag) {
    case "BatchSealed": {
      const [letter] = event.letters
      if (letter === undefined) return story
      const { branches, reason, stage } = letter
      const first = story.first ?? { letter, run: event.run, batch: event.batch }
      return { ...story, first, reasons: [...story.reasons, why(row, { n: 0, stage, branches, reason })] }
    }
    case "RedriveRequested":
      return event.letters.some(({ letter }) => letter === story.id) ? requested(story, event, row) : story
    case "RedriveSealed":
      return event.letter === story.id && event.failure !== null
        ? { ...story, reasons: [...story.reasons, why(row, { n: event.n, ...event.failure })] }
        : story
    case "DeadLettersDiscarded":
      return event.letters.some(({ letter }) => letter === story.id)
        ? { ...story, discarded: { at: row.at, by: row.by, reason: event.reason } }
        : story
    default:
      return story
  }
}

const requested = (
  story: LetterStory,
  { edits, letters, reason }: EventOf<"RedriveRequested">,
  { at, by, version }: StoredEvent
): LetterStory => {
  const { branches, n } = letters.find(({ letter }) => letter === story.id)!
  const redrive: LetterRedrive = {
    n,
    requestedAt: at,
    version,
    by,
    reason,
    edit: edits.find(({ letter }) => letter === story.id) ?? null,
    outcome: "open",
    branches: Object.fromEntries(branches.map((stage) => [stage, "open"])),
    settledAt: null
  }
  return { ...story, redrives: [...story.redrives, redrive] }
}

const why = (
  { at, by, version }: StoredEvent,
  of: Pick<LetterReason, "n" | "stage" | "branches" | "reason">
): LetterReason => ({ at, version, by, n: of.n, stage: of.stage, branches: of.branches, reason: of.reason })
