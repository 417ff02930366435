/**
 * A batch being put together of the records of several sources.
 *
 * @module
 */
import { hash } from "node:crypto"
import type { RecordOrigin, SourceBatch, SourceRecord } from "../../drivers/Record.ts"
import type { ReadLimit } from "../../drivers/Source.ts"
import type { MergedPosition } from "./MergedPosition.ts"
import { packed } from "./runLengths.ts"
import type { Side } from "./Side.ts"

/** Turns of more sources than this are written out one by one. */
const cycleMost = 16

export class Gathering {
  readonly #sides: ReadonlyArray<Side>
  readonly #records: Array<SourceRecord> = []
  /** Of each record: its source, its ordinal there, its unit and its index in that. */
  readonly #order: Array<number> = []
  readonly #offsets: Array<number> = []
  readonly #units: Array<SourceBatch> = []
  readonly #indices: Array<number> = []
  /** The units that records were taken of, each once, in that order; and the sizes of those that were begun. */
  readonly #touched: Array<readonly [source: number, digest: string]> = []
  readonly #last: Array<SourceBatch | undefined> = []
  readonly #begun: ReadonlyArray<Array<number>>
  #bytes = 0
  /** When the first record was taken, in milliseconds since 1970. */
  since = 0

  constructor(sides: ReadonlyArray<Side>) {
    this.#sides = sides
    this.#begun = sides.map(() => [])
  }

  get count(): number {
    return this.#records.length
  }

  /** How many units of a source this batch has begun so far. */
  begunBy(source: number): number {
    return this.#begun[source]!.length
  }

  isFull({ bytes, records }: Pick<ReadLimit, "bytes" | "records">): boolean {
    return this.count >= records || (this.count > 0 && this.#bytes >= bytes)
  }

  /** Takes the next record of a side that has one. */
  take(source: number): void {
    const side = this.#sides[source]!
    const unit = side.unit!
    const { offset, taken } = side.place
    if (this.#last[source] !== unit) {
      this.#last[source] = unit
      this.#touched.push([source, unit.digest])
      if (taken === 0) this.#begun[source]!.push(unit.records.length)
    }
    this.#records.push(side.take())
    this.#order.push(source)
    this.#offsets.push(offset)
    this.#units.push(unit)
    this.#indices.push(taken)
    this.#bytes += unit.bytes / unit.records.length
  }

  /** What was gathered. The digest is over all that was read for it, and the order in which it was taken. */
  get batch(): SourceBatch {
    const order = packed(this.#order, Math.min(this.#sides.length, cycleMost))
    const to: MergedPosition = {
      sources: Object.fromEntries(this.#sides.map(({ place, stage }) => [stage, place])),
      order,
      units: this.#begun.map((sizes) => packed(sizes, 1))
    }
    return {
      records: this.#records,
      to,
      digest: hash("sha256", JSON.stringify([this.#touched, order]), "hex"),
      bytes: Math.ceil(this.#bytes),
      raw: (index) => this.#units[index]!.raw(this.#indices[index]!),
      ended: this.#sides.flatMap(({ hasEnded, stage }) => (hasEnded ? [stage] : [])),
      origin: (index): RecordOrigin => ({
        source: this.#sides[this.#order[index]!]!.stage,
        offset: this.#offsets[index]!
      })
    }
  }
}
