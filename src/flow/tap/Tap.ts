/**
 * Somebody looks at the records of a pipeline as they pass a stage.
 *
 * Looking is best effort and honest: so many records a second are taken down, into a ring of so many records
 * and bytes; whatever passes beyond that, and whatever leaves the ring before it was fetched, is counted where
 * it is missing. Nobody waits for who looks.
 *
 * @module
 */
import { Effect } from "effect"
import type { Reason } from "../../../events/PipelineEvent.ts"
import type { RecordOrigin, SourceRecord } from "../../drivers/Record.ts"
import type { Scope } from "../expression/Expression.ts"
import type { Piece } from "../route/Route.ts"

/**
 * What became of a record in a stage. `delivered` is what went to a sink, which has not written it yet;
 * `taken_in` what became part of a window.
 */
export type TapOutcome =
  | "passed"
  | "split"
  | "filtered"
  | "unrouted"
  | "taken_in"
  | "delivered"
  | "dead_letter"

/**
 * One record at one stage. `before` and `after` are JSON texts; `after` is a list where the record was split,
 * and `null` where nothing came out, or went to a sink. What is longer than 64 Ki characters is left out.
 */
export interface TappedRecord {
  /** Milliseconds since 1970. */
  readonly at: number
  readonly stage: string
  readonly source: string
  readonly offset: number
  readonly before: string | null
  readonly after: string | null
  readonly outcome: TapOutcome
  readonly reason: Reason | null
  /** `before` or `after` was too long. */
  readonly isCut: boolean
}

/** A record, or how many are missing at this place. */
export type TapItem = TappedRecord | { readonly dropped: number }

export interface TapOptions {
  readonly stages: ReadonlySet<string>
  /** Records taken down a second. */
  readonly perSecond: number
  /** Only records for which this holds as they come to the stage; the others are neither told nor counted. */
  readonly where?: ((scope: Scope) => boolean) | undefined
}

/** What waits to be fetched. */
export const ringRecords = 256
export const ringCharacters = 1024 * 1024
const textMost = 64 * 1024

/** What a stage is about to work on: payloads, each with the index of its record in the batch. */
export interface Arrived {
  readonly stage: string
  readonly now: number
  readonly payloads: ReadonlyArray<unknown>
  readonly rows: ReadonlyArray<number>
  readonly batch: TappedBatch
}

/** The records of a batch, and where each is from. */
export interface TappedBatch {
  readonly records: ReadonlyArray<SourceRecord>
  readonly placeOf: (row: number) => RecordOrigin
}

/** What the stage is: one whose records go on, one that makes others of them later, or a sink. */
export type Role = "stage" | "taker" | "sink"

/** What the route has to say of a payload once the stage has worked: its place, what came of it, and why it went no further. */
export type Saw = (at: number, piece: Piece, wrong: Reason | "unrouted" | undefined, role: Role) => void

interface Entry {
  readonly record: TappedRecord
  readonly size: number
  /** How many are missing before this one. */
  missing: number
}

const [unwanted, beyond, taken] = [0, 1, 2]

export class Tap {
  readonly #options: TapOptions
  readonly #ring: Array<Entry> = []
  #characters = 0
  /** Missing behind the last one of the ring. */
  #missing = 0
  #second = Number.NEGATIVE_INFINITY
  #left = 0
  #wake: (() => void) | undefined

  constructor(options: TapOptions) {
    this.#options = options
  }

  /** Called before the stage works, because a function may change what it is given. */
  look(arrived: Arrived): Saw | undefined {
    const { batch, payloads, rows, stage } = arrived
    if (!this.#options.stages.has(stage)) return undefined
    const { where } = this.#options
    const marks = new Uint8Array(payloads.length)
    const before = new Map<number, Text>()
    for (let at = 0; at < payloads.length; at++) {
      if (where !== undefined && !where(scopeOf(batch.records[rows[at]!]!, payloads[at]))) continue
      const isTaken = this.#mayTake(arrived.now)
      marks[at] = isTaken ? taken! : beyond!
      if (isTaken) before.set(at, textOf(payloads[at]))
    }
    return (at, piece, wrong, role) => {
      if (marks[at] === unwanted) return
      if (marks[at] === beyond) this.#missing++
      else this.#take(recordOf(arrived, at, before.get(at)!, piece, wrong, role))
      this.#tell()
    }
  }

  /** A record that its source could not read, and that came to no stage. */
  failed({ placeOf, records }: TappedBatch, row: number, now: number): void {
    const { offset, source } = placeOf(row)
    const reason = records[row]!.failure ?? null
    if (!this.#options.stages.has(source) || this.#options.where !== undefined) return
    if (this.#mayTake(now)) {
      const outcome = "dead_letter"
      const nothing = { before: null, after: null, isCut: false }
      this.#take({ at: now, stage: source, source, offset, outcome, reason, ...nothing })
    } else this.#missing++
    this.#tell()
  }

  /** Waits until there is something. */
  readonly some: Effect.Effect<void> = Effect.callback((resume) => {
    if (this.#ring.length > 0 || this.#missing > 0) return resume(Effect.void)
    this.#wake = () => resume(Effect.void)
    return Effect.sync(() => {
      this.#wake = undefined
    })
  })

  /** Everything there is now. */
  drain(): ReadonlyArray<TapItem> {
    const items: Array<TapItem> = []
    for (const { missing, record } of this.#ring) {
      if (missing > 0) items.push({ dropped: missing })
      items.push(record)
    }
    if (this.#missing > 0) items.push({ dropped: this.#missing })
    this.#ring.length = 0
    this.#characters = 0
    this.#missing = 0
    return items
  }

  #mayTake(now: number): boolean {
    const second = Math.floor(now / 1000)
    if (second !== this.#second) {
      this.#second = second
      this.#left = this.#options.perSecond
    }
    return this.#left-- > 0
  }

  #take(record: TappedRecord): void {
    const size = (record.before?.length ?? 0) + (record.after?.length ?? 0)
    this.#ring.push({ record, size, missing: this.#missing })
    this.#missing = 0
    this.#characters += size
    while (this.#ring.length > ringRecords || this.#characters > ringCharacters) {
      const { missing, size } = this.#ring.shift()!
      this.#characters -= size
      const next = this.#ring[0]
      if (next === undefined) this.#missing += missing + 1
      else next.missing += missing + 1
    }
  }

  #tell(): void {
    const wake = this.#wake
    this.#wake = undefined
    wake?.()
  }
}

interface Text {
  readonly text: string | null
  readonly isCut: boolean
}

const scopeOf = ({ eventTime, key, metadata }: SourceRecord, record: unknown): Scope => ({
  record,
  metadata,
  key: key ?? null,
  event_time: eventTime ?? null
})

const recordOf = (
  { batch, now, rows, stage }: Arrived,
  at: number,
  before: Text,
  piece: Piece,
  wrong: Reason | "unrouted" | undefined,
  role: Role
): TappedRecord => {
  const { offset, source } = batch.placeOf(rows[at]!)
  const after = afterOf(piece, role)
  const reason = piece._tag === "Failed" ? piece.reason : wrong === "unrouted" ? null : (wrong ?? null)
  return {
    at: now,
    stage,
    source,
    offset,
    before: before.text,
    after: after.text,
    outcome: outcomeOf(piece, wrong, role),
    reason,
    isCut: before.isCut || after.isCut
  }
}

const outcomeOf = (piece: Piece, wrong: Reason | "unrouted" | undefined, role: Role): TapOutcome => {
  if (piece._tag === "Dropped") return role === "taker" ? "taken_in" : "filtered"
  if (piece._tag === "Failed") return "dead_letter"
  if (wrong !== undefined) return wrong === "unrouted" ? "unrouted" : "dead_letter"
  return role === "sink" ? "delivered" : piece._tag === "Many" ? "split" : "passed"
}

const nothing: Text = { text: null, isCut: false }

const afterOf = (piece: Piece, role: Role): Text => {
  if (role === "sink") return nothing
  if (piece._tag === "Passed") return textOf(piece.payload)
  return piece._tag === "Many" ? textOf(piece.payloads) : nothing
}

/** Payloads are JSON but for what a program's function makes; what is no JSON at all is told as such a text. */
const textOf = (payload: unknown): Text => {
  try {
    const text =
      JSON.stringify(payload, (_, value) => (typeof value === "bigint" ? `${value}` : value)) ?? null
    return text !== null && text.length > textMost ? { text: null, isCut: true } : { text, isCut: false }
  } catch (error) {
    return { text: JSON.stringify(`no JSON: ${error}`), isCut: false }
  }
}
