/**
 * Sources that are read as one, in an order between them.
 *
 * Each is read in the background, a unit at a time, and a chooser says whose record is next. It waits for a source
 * that has none yet, but no longer than that source's patience; what is part-filled is handed over in its time. So
 * the order may depend on timing, and is part of the position: a sealed batch is read again by what its position
 * says, never by choosing anew.
 *
 * @module
 */
import { Clock, Deferred, Effect, type Scope } from "effect"
import type { Position } from "../../../events/Checkpoint.ts"
import { own } from "../../../projections/own.ts"
import type { DriverError } from "../../drivers/DriverError.ts"
import type { SourceBatch } from "../../drivers/Record.ts"
import type { ReadLimit, Source, SourceReader } from "../../drivers/Source.ts"
import type { Choose } from "./choose.ts"
import { Gathering } from "./Gathering.ts"
import { groupName, type MergedPosition, mergedPosition } from "./MergedPosition.ts"
import { unpacked } from "./runLengths.ts"
import { changed, named, Side } from "./Side.ts"

/** A source that is read with others; `patienceMs` is how long a silent one holds them up. */
export interface Part {
  readonly stage: string
  readonly source: Source
  readonly patienceMs: number
}

/** The parts in the order of the file. */
export const mergedSource = (parts: ReadonlyArray<Part>, choose: Choose): Source => ({
  open: Effect.fnUntraced(function* (from): Effect.fn.Return<SourceReader, DriverError, Scope.Scope> {
    const names = parts.map(({ stage }) => stage)
    const position = from === null ? undefined : mergedPosition(from, names)
    if (from !== null && position === undefined) {
      return yield* changed(groupName(names), "the recorded place is not one of these sources read as one")
    }
    const sides: Array<Side> = []
    for (const { patienceMs, source, stage } of parts) {
      const place = position?.sources[stage] ?? { at: null, unit: 0, taken: 0, offset: 0 }
      sides.push(new Side(stage, yield* named(stage, source.open(place.at)), patienceMs, place))
    }
    const last = position === undefined ? -1 : (unpacked(position.order).at(-1) ?? -1)
    return new MergedReader(sides, choose, last, yield* Effect.scope)
  })
})

class MergedReader implements SourceReader {
  readonly #sides: ReadonlyArray<Side>
  readonly #choose: Choose
  readonly #scope: Scope.Scope
  /** The source of the last record. */
  #last: number
  /** Survives a failed read and an interrupted wait: what is taken of a side is in here. */
  #gathering: Gathering
  #wake = Deferred.makeUnsafe<void>()

  constructor(sides: ReadonlyArray<Side>, choose: Choose, last: number, scope: Scope.Scope) {
    this.#sides = sides
    this.#choose = choose
    this.#last = last
    this.#scope = scope
    this.#gathering = new Gathering(sides)
  }

  next(limit: ReadLimit): Effect.Effect<SourceBatch | null, DriverError> {
    return limit.along === undefined ? this.#live(limit) : this.#again(limit, limit.along)
  }

  /** A source is acknowledged up to its last whole unit: everything before it has its outcome. */
  ack(position: Position): Effect.Effect<void, DriverError> {
    const places = mergedPosition(position, this.#names)?.sources ?? {}
    return Effect.forEach(
      this.#sides,
      (side) => {
        const at = own(places, side.stage)?.at ?? null
        return at === null ? Effect.void : side.ack(at)
      },
      { discard: true }
    )
  }

  /** Of all together, where they count the same; else in records taken. */
  progress(): ReturnType<SourceReader["progress"]> {
    const all = this.#sides.map(({ reader }) => reader.progress())
    const unit = all[0]!.unit
    if (all.some((each) => each.unit !== unit)) {
      const done = this.#sides.reduce((sum, { place }) => sum + place.offset, 0)
      return { done, total: null, unit: "rows" }
    }
    const total = all.reduce<number | null>(
      (sum, each) => (sum === null || each.total === null ? null : sum + each.total),
      0
    )
    return { done: all.reduce((sum, { done }) => sum + done, 0), total, unit }
  }

  get #names(): ReadonlyArray<string> {
    return this.#sides.map(({ stage }) => stage)
  }

  #live(limit: ReadLimit): Effect.Effect<SourceBatch | null, DriverError> {
    return Effect.gen({ self: this }, function* () {
      while (true) {
        const wake = Deferred.makeUnsafe<void>()
        this.#wake = wake
        const now = yield* Clock.currentTimeMillis
        yield* this.#askAll(limit, now)
        const failed = this.#sides.find(({ failure }) => failure !== undefined)
        if (failed !== undefined) {
          // What stands before the break is handed over; the next call meets the break.
          if (this.#gathering.count > 0) return this.#handOver()
          const failure = failed.failure!
          failed.failure = undefined
          return yield* Effect.failCause(failure)
        }
        this.#takeAll(limit, now)
        if (this.#gathering.isFull(limit)) return this.#handOver()
        if (this.#sides.some(({ isIdle }) => isIdle)) continue
        if (this.#sides.every(({ hasEnded }) => hasEnded)) {
          return this.#gathering.count === 0 ? null : this.#handOver()
        }
        const restMs = this.#restMs(limit, now)
        if (restMs === 0) return this.#handOver()
        const more = Deferred.await(wake)
        yield* Number.isFinite(restMs) ? Effect.timeoutOption(more, restMs) : more
      }
    })
  }

  /** What a source gives is not waited for there: the others may have something meanwhile. */
  #askAll({ bytes, records }: ReadLimit, now: number): Effect.Effect<void> {
    const limit = { records, bytes: Math.max(1, Math.floor(bytes / this.#sides.length)), waitMs: 0 }
    const told = Effect.suspend(() => Deferred.succeed(this.#wake, undefined))
    const idle = this.#sides.filter(({ isIdle }) => isIdle)
    return Effect.forEach(idle, (side) => side.ask(limit, now, this.#scope, told), { discard: true })
  }

  #takeAll(limit: ReadLimit, now: number): void {
    for (const side of this.#sides) if (side.patienceAt(now) === 0) side.isAwaited = side.isIdle
    while (!this.#gathering.isFull(limit)) {
      const source = this.#choose(this.#sides, this.#last)
      if (source === -1) return
      if (this.#gathering.count === 0) this.#gathering.since = now
      this.#gathering.take(source)
      this.#last = source
    }
  }

  /** How long there may be nothing to do but wait, in milliseconds; 0 when what is gathered has waited enough. */
  #restMs({ waitMs = 0 }: ReadLimit, now: number): number {
    const gathered =
      this.#gathering.count === 0
        ? Number.POSITIVE_INFINITY
        : Math.max(0, this.#gathering.since + waitMs - now)
    if (this.#sides.every(({ head }) => head === undefined)) return gathered
    const awaited = this.#sides.filter(({ isAwaited }) => isAwaited)
    return Math.min(gathered, ...awaited.map((side) => side.patienceAt(now)))
  }

  /** The batch that was read before, or its beginning: in its order, of units of the same sizes. */
  #again({ records }: ReadLimit, along: Position): Effect.Effect<SourceBatch | null, DriverError> {
    return Effect.gen({ self: this }, function* () {
      const { order, units } = (mergedPosition(along, this.#names) ?? nothing) as MergedPosition
      const taken = unpacked(order)
      const sizes = units.map(unpacked)
      const count = Math.min(records, taken.length)
      while (this.#gathering.count < count) {
        const source = taken[this.#gathering.count]!
        const side = this.#sides[source]!
        if (side.head === undefined) {
          const size = side.place.unit || sizes[source]![this.#gathering.begunBy(source)]!
          yield* side.readUnit(size)
        }
        this.#gathering.take(source)
        this.#last = source
      }
      return count === 0 ? null : this.#handOver()
    })
  }

  #handOver(): SourceBatch {
    const { batch } = this.#gathering
    this.#gathering = new Gathering(this.#sides)
    return batch
  }
}

const nothing = { order: "", units: [] }
