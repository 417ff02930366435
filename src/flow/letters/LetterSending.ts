/**
 * Dead letters on their way to the dead-letter sink: the letters that count of one batch after the other, in the
 * order of their sources, each once all other branches of its batch and of those before it are settled.
 *
 * Which letters these are the log says, never what a later look at the records came to; only their bytes are taken
 * from the batch that was read, which gives the same as often as it is read.
 *
 * @module
 */
import { Effect, Queue } from "effect"
import { idempotencyKey } from "../../../events/Checkpoint.ts"
import { deadLettersBranch, type SealedBranch } from "../../../events/PipelineEvent.ts"
import { isMade, isOtherwiseSettled, lettersDue, owesLetters } from "../../../projections/LettersDue.ts"
import { lastAttempt, type OpenBatch, totals } from "../../../projections/OpenBatch.ts"
import { openBatch, type PipelineState } from "../../../projections/PipelineState.ts"
import type { Receipt, Sink, SinkBatch } from "../../drivers/Sink.ts"
import type { Journal, JournalError, Seal } from "../run/Journal.ts"
import type { Lane } from "../run/Lane.ts"
import type { RefusedMessage } from "../run/News.ts"
import type { Writing } from "../run/Writing.ts"
import { letterRecord } from "./letterRecord.ts"
import { lettersSealed } from "./lettersBranch.ts"

/** One letter as the sink takes it. */
interface Line {
  readonly id: string
  readonly isMade: boolean
  readonly record: unknown
}

/** What is written of a batch, and of how many source records the sink takes no letter. */
interface Sent {
  readonly writing: Writing
  readonly lines: ReadonlyArray<Line>
  readonly refused: number
}

interface Due extends Sent {
  readonly open: OpenBatch
  readonly unfit: ReadonlyArray<{ readonly id: string; readonly message: string }>
}

export class LetterSending {
  readonly #sink: Sink
  readonly #lane: Lane
  readonly #journal: Journal
  readonly #bases: Map<string, Receipt>
  /** Answered on all other branches, by ordinal: they hold their slot, and with it the bytes. Invariant 7 */
  readonly #kept = new Map<number, Writing>()
  readonly #sent = new Map<number, Sent>()
  /** By source the last batch whose letters were given to the lane. */
  readonly #last = new Map<string, number>()

  constructor(sink: Sink, lane: Lane, journal: Journal, bases: Map<string, Receipt>) {
    this.#sink = sink
    this.#lane = lane
    this.#journal = journal
    this.#bases = bases
  }

  /** How many batches only wait for their other branches to be confirmed. */
  get kept(): number {
    return this.#kept.size
  }

  /** Every branch of the batch has answered: `true` when its letters are still to be written. */
  keeps(writing: Writing, state: PipelineState): boolean {
    if (this.#sent.delete(writing.batch) || !owesLetters(openBatch(state, writing.batch))) return false
    writing.waiting.add(deadLettersBranch)
    this.#kept.set(writing.batch, writing)
    return true
  }

  /** Hands on the letters that have come to count, sealed; answers with the state after that. */
  send(state: PipelineState): Effect.Effect<PipelineState, JournalError> {
    const due = this.#kept.size === 0 ? [] : this.#due(state)
    if (due.length === 0) return Effect.succeed(state)
    return Effect.gen({ self: this }, function* () {
      const seals: Array<Seal> = []
      for (const { open, unfit, ...sent } of due) {
        yield* tellUnfit(unfit)
        if (!isSealed(open, sent)) seals.push(this.#sealOf(open, sent))
      }
      const after = seals.length === 0 ? state : yield* this.#journal.append({ seals })
      if (seals.length > 0) this.#bases.delete(deadLettersBranch)
      for (const { open, unfit: _, ...sent } of due) {
        this.#sent.set(open.batch, sent)
        const { readAt } = sent.writing.prepared
        const batch = batchOf(openBatch(after, open.batch)!, sent, state.id)
        yield* Queue.offer(this.#lane.jobs, { _tag: "Write", batch, readAt })
      }
      return after
    })
  }

  /** What the sink never takes stays in the queue, and becomes no letter of its own. */
  withoutRefused({ again, batch, refused }: RefusedMessage, state: PipelineState) {
    const { lines, refused: before, writing } = this.#sent.get(batch)!
    const gone = new Set(refused.map(({ index }) => index))
    const ofSource = lines.filter((line, index) => gone.has(index) && !line.isMade).length
    const kept = lines.filter((_, index) => !gone.has(index))
    const sent = { writing, lines: kept, refused: before + ofSource }
    this.#sent.set(batch, sent)
    const open = openBatch(state, batch)!
    const seal = this.#sealOf(open, sent)
    const unfit = refused.flatMap(({ index, message }) =>
      lines[index] === undefined ? [] : [{ id: lines[index].id, message }]
    )
    return Effect.as(tellUnfit(unfit), {
      again,
      seal,
      batch: { ...batchOf(open, sent, state.id), attempt: seal.attempt }
    })
  }

  /** In order: behind a batch that is not settled otherwise the letters of its source wait. */
  #due(state: PipelineState): ReadonlyArray<Due> {
    const due: Array<Due> = []
    const blocked = new Set<string>()
    for (const open of state.open) {
      const { batch, source } = open
      if (blocked.has(source) || batch <= (this.#last.get(source) ?? -1)) continue
      const writing = this.#kept.get(batch)
      if (!isOtherwiseSettled(open) || (owesLetters(open) && writing === undefined)) blocked.add(source)
      else if (writing !== undefined) {
        this.#kept.delete(batch)
        this.#last.set(source, batch)
        due.push(this.#dueOf(open, writing, state))
      }
    }
    return due
  }

  #dueOf(open: OpenBatch, writing: Writing, state: PipelineState): Due {
    const lines: Array<Line> = []
    const unfit: Array<Due["unfit"][number]> = []
    let refused = 0
    for (const letter of lettersDue(open)) {
      const of = { id: letter.id, isMade: isMade(letter, open) }
      try {
        lines.push({ ...of, record: this.#sink.encode(letterRecord(letter, writing, state)) })
      } catch (error) {
        unfit.push({ id: letter.id, message: error instanceof Error ? error.message : String(error) })
        if (!of.isMade) refused++
      }
    }
    return { open, writing, lines, refused, unfit }
  }

  /** Another attempt at the letters alone; it says nothing new of the other branches. */
  #sealOf(open: OpenBatch, sent: Sent): Seal {
    const { batch, count, digest, offset, range, source } = open
    const base = this.#bases.get(deadLettersBranch)
    const sealed = { ...numbersOf(open, sent), ...(base === undefined ? {} : { base }) }
    return {
      batch,
      attempt: lastAttempt(open) + 1,
      source,
      range,
      offset,
      count,
      digest,
      branches: { [deadLettersBranch]: sealed },
      totals: totals(open) ?? sent.writing.outcome.totals,
      letters: []
    }
  }
}

const numbersOf = ({ count }: OpenBatch, { lines, refused }: Sent): SealedBranch =>
  lettersSealed({
    count,
    records: lines.length,
    delivered: lines.filter(({ isMade }) => !isMade).length,
    refused
  })

/** This life has sealed it as it turned out: the attempt may be written. An older one is sealed anew, as on any branch. */
const isSealed = (open: OpenBatch, sent: Sent): boolean => {
  const { owed } = sent.writing.prepared
  const { attempt } = open.branches[deadLettersBranch]!
  if (owed !== undefined && attempt <= lastAttempt(owed)) return false
  const sealed = open.attempts[attempt]?.branches[deadLettersBranch]
  const now = numbersOf(open, sent)
  return (
    sealed?.records === now.records && sealed.delivered === now.delivered && sealed.lettered === now.lettered
  )
}

const batchOf = (
  { batch, branches, generation }: OpenBatch,
  { lines }: Sent,
  pipeline: string
): SinkBatch => ({
  key: idempotencyKey({ pipeline, generation, batch, stage: deadLettersBranch }),
  batch,
  attempt: branches[deadLettersBranch]!.attempt,
  records: lines.map(({ record }) => record)
})

const tellUnfit = (unfit: Due["unfit"]): Effect.Effect<void> =>
  Effect.forEach(
    unfit,
    ({ id, message }) => Effect.logWarning(`The dead-letter sink does not take ${id}: ${message}`),
    { discard: true }
  )
