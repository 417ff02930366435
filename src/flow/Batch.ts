/**
 * The records a stage is at work on, as it sees them: in source order, each with one flag that says what
 * becomes of it.
 *
 * Places are captured before the stage runs and do not move while it works, whatever it filters or splits:
 * `i` always means the record that was `activeRecords[i]` in the beginning, and says so itself (`at`). What
 * becomes of a record is kept with its offset in the source.
 *
 * @module
 */
import type { Reason } from "../../events/PipelineEvent.ts"
import { type Nack, Retry, reasonOfError } from "./Nack.ts"
import type { Answers, Origin } from "./route/Route.ts"

/**
 * `ack` goes on as it is or was set; `nack` becomes a dead letter; `retry` is asked about again; `filter` is
 * hidden from the stages behind this one and acknowledged with the rest.
 */
export type Flag = "ack" | "nack" | "retry" | "filter"

/** One record of a batch. Several share an offset when they are pieces of one record. */
export interface BatchRecord<out A> {
  /** Its place in the batch: what the batch is told about it by. */
  readonly at: number
  /** The ordinal in its source of the record that it is, or is a piece of. */
  readonly offset: number
  readonly payload: A
  readonly key?: string
  readonly metadata: Readonly<Record<string, unknown>>
  /** Milliseconds since 1970. */
  readonly eventTime?: number
}

/** What became of one record: the payloads that go on, or why none does; the first error is the cause. */
export interface RecordOutcome {
  readonly offset: number
  readonly flag: Flag
  readonly errors: ReadonlyArray<Reason>
  readonly payloads: ReadonlyArray<unknown>
}

interface Entry {
  readonly origin: Origin
  flag: Flag
  readonly errors: Array<Reason>
  /** One, as it arrived or was set, or the pieces of a split. */
  payloads: ReadonlyArray<unknown>
}

/** A place that is not one of the batch, or a batch that has been answered: a slip of the stage's author. */
export class BatchMisuse extends Error {
  override readonly name = "BatchMisuse"
}

/**
 * Records of type `A`, of which a stage makes records of type `B`. Ranges are half-open, `[from, to)`, over
 * the places of the records that were active when the stage began; without `to` it is one record. A range
 * that is none throws `BatchMisuse` at once.
 */
export class Batch<in out A, in B = A> {
  readonly #entries: ReadonlyArray<Entry>
  #answered = false

  private constructor(entries: ReadonlyArray<Entry>) {
    this.#entries = entries
  }

  /** A batch of these payloads, as a test drives a worker with; `from` is the offset of the first. */
  static make<A, B = A>(payloads: ReadonlyArray<A>, from = 0): Batch<A, B> {
    return Batch.of(
      payloads,
      payloads.map((payload, at) => ({ offset: from + at, record: { payload, metadata: {} } }))
    )
  }

  /** The batch of payloads that stand where they come from. */
  static of<A, B = A>(payloads: ReadonlyArray<A>, origins: ReadonlyArray<Origin>): Batch<A, B> {
    return new Batch<A, B>(
      payloads.map((payload, at) => ({ origin: origins[at]!, flag: "ack", errors: [], payloads: [payload] }))
    )
  }

  /**
   * The records that are not filtered, in source order, typed as they arrive. One that this stage has split is
   * there with all its pieces, in its one place.
   */
  get activeRecords(): ReadonlyArray<BatchRecord<A>> {
    return this.#entries.flatMap(({ flag, origin, payloads }, at) =>
      flag === "filter" ? [] : payloads.map((payload) => recordOf(at, origin, payload as A))
    )
  }

  /** What becomes of each record, in source order, the filtered ones in their places. */
  get outcomes(): ReadonlyArray<RecordOutcome> {
    return this.#entries.map(({ errors, flag, origin, payloads }) => ({
      offset: origin.offset,
      flag,
      errors: [...errors],
      payloads: flag === "ack" ? payloads : []
    }))
  }

  /** Hides records from the stages behind this one. It is final: nothing changes the status of what is hidden. */
  filter(from: number, to = from + 1): void {
    for (const entry of this.#range(from, to)) if (entry.flag !== "nack") entry.flag = "filter"
  }

  /**
   * Makes dead letters of as many records as there are errors, beginning at `from`, each with its error. A
   * nack stays one, and the first of several errors of a record is the cause that is told.
   */
  nack(from: number, ...errors: ReadonlyArray<Nack | Error | string>): void {
    if (errors.length === 0) throw new BatchMisuse("a nack needs an error for each record")
    for (const [index, entry] of this.#range(from, from + errors.length).entries()) {
      if (entry.flag === "filter") continue
      entry.flag = "nack"
      entry.errors.push(reasonOfError(errors[index]))
    }
  }

  /** Asks to be asked about these records again: alone, in their order, as they arrived. */
  retry(from: number, to = from + 1): void {
    for (const entry of this.#range(from, to)) if (entry.flag === "ack") entry.flag = "retry"
  }

  /** Puts other records in the places of as many, beginning at `from`; they go on in their stead. */
  setRecords(from: number, records: ReadonlyArray<B>): void {
    for (const [index, entry] of this.#range(from, from + records.length).entries()) {
      if (entry.flag !== "filter") entry.payloads = [records[index]]
    }
  }

  /**
   * Puts many records in the place of one. They are that record still: it is settled when all of them are,
   * one that fails later fails it, and its dead letter holds it whole. None at all is as if it were filtered.
   */
  split(at: number, records: ReadonlyArray<B>): void {
    for (const entry of this.#range(at, at + 1)) if (entry.flag !== "filter") entry.payloads = records
  }

  /** The stage has failed as a whole: whatever it has not marked is nacked with the reason, or asked about again. */
  failRest(error: unknown): void {
    for (const entry of this.#entries) {
      if (entry.flag !== "ack") continue
      entry.flag = error instanceof Retry ? "retry" : "nack"
      if (entry.flag === "nack") entry.errors.push(reasonOfError(error))
    }
  }

  /** What the batch comes to, for the engine; from now on it cannot be marked any more. */
  answer(): Answers {
    this.#answered = true
    return this.#entries.map(({ errors, flag, payloads }) => {
      if (flag === "nack") return { _tag: "Failed", reason: errors[0]! }
      if (flag === "retry")
        return { _tag: "Retry", reason: { code: "retry", message: "the stage asks again" } }
      if (flag === "filter") return { _tag: "Dropped" }
      return payloads.length === 1 ? { _tag: "Passed", payload: payloads[0] } : { _tag: "Many", payloads }
    })
  }

  #range(from: number, to: number): ReadonlyArray<Entry> {
    if (this.#answered) throw new BatchMisuse("the batch has been answered: its records have gone on")
    const { length } = this.#entries
    if (!Number.isInteger(from) || !Number.isInteger(to) || from < 0 || to < from || to > length) {
      throw new BatchMisuse(`[${from}, ${to}) is no range of a batch of ${length} records`)
    }
    return this.#entries.slice(from, to)
  }
}

const recordOf = <A>(at: number, { offset, record }: Origin, payload: A): BatchRecord<A> => {
  const { eventTime, key, metadata } = record
  return {
    at,
    offset,
    payload,
    metadata,
    ...(key === undefined ? {} : { key }),
    ...(eventTime === undefined ? {} : { eventTime })
  }
}
