/**
 * A sink that keeps what it is given and names the winner of every key.
 *
 * @module
 */
import { Effect } from "effect"
import type { DriverError } from "../DriverError.ts"
import type { Answer, Held, Sink, SinkBatch, SinkOpening, SinkWriter } from "../Sink.ts"
import type { Through } from "./Through.ts"

/** What took a key. */
export interface MemoryWrite {
  readonly key: string
  readonly batch: number
  readonly attempt: number
  readonly epoch: number
  readonly records: ReadonlyArray<unknown>
}

export class MemorySink implements Sink {
  readonly name: string
  /** The winners, in the order they landed. */
  readonly writes: Array<MemoryWrite> = []
  readonly openings: Array<SinkOpening> = []
  published = 0
  /** Which records the other side will never take, and why; by default it takes all. */
  refuse: (record: unknown) => string | undefined = () => undefined
  /** What becomes of a payload before it is written; throws when it does not fit. */
  encode: (payload: unknown) => unknown = (payload) => payload
  private readonly byKey = new Map<string, MemoryWrite>()
  private readonly through: Through

  constructor(name: string, through: Through) {
    this.name = name
    this.through = through
  }

  /** Every record written, in the order of the winners. */
  get records(): ReadonlyArray<unknown> {
    return this.writes.flatMap((write) => write.records)
  }

  held(key: string): Held | undefined {
    const write = this.byKey.get(key)
    return write === undefined ? undefined : { attempt: write.attempt, records: write.records.length }
  }

  /** As a database does that prunes what it remembers: what was written stays, that it was is not known any more. */
  forget(takes: (key: string) => boolean): void {
    for (const key of [...this.byKey.keys()]) if (takes(key)) this.byKey.delete(key)
  }

  open(opening: SinkOpening): Effect.Effect<SinkWriter, DriverError> {
    const call = <A>(operation: "open" | "held" | "write" | "flush" | "finish" | "publish", act: () => A) =>
      this.through(`sink.${operation}`, this.name, Effect.sync(act))
    const receipt = () => ({ writes: this.writes.length })
    const writer: SinkWriter = {
      base: null,
      held: (keys) => call("held", () => this.heldOf(keys)),
      write: (batch) => call("write", () => this.take(batch, opening.epoch)),
      flush: call("flush", receipt),
      finish: call("finish", receipt),
      publish: call("publish", () => {
        this.published++
      })
    }
    return call("open", () => {
      this.openings.push(opening)
      return writer
    })
  }

  private heldOf(keys: ReadonlyArray<string>): ReadonlyMap<string, Held> {
    const found = new Map<string, Held>()
    for (const key of keys) {
      const held = this.held(key)
      if (held !== undefined) found.set(key, held)
    }
    return found
  }

  private take(batch: SinkBatch, epoch: number): Answer {
    const before = this.held(batch.key)
    if (before !== undefined) return { _tag: "Held", held: before }
    const refused = batch.records.flatMap((record, index) => {
      const message = this.refuse(record)
      return message === undefined ? [] : [{ index, message }]
    })
    if (refused.length > 0) return { _tag: "Refused", refused }
    const { attempt, key, records } = batch
    const write = { key, batch: batch.batch, attempt, epoch, records }
    this.byKey.set(key, write)
    this.writes.push(write)
    return { _tag: "Held", held: { attempt, records: records.length } }
  }
}
