/**
 * What every source and every sink must do, whatever it stands on.
 *
 * @module
 */
import { assert, it } from "@effect/vitest"
import { Effect, type Scope } from "effect"
import type { Position } from "../../events/Checkpoint.ts"
import type { DriverError } from "../../src/drivers/DriverError.ts"
import type { SourceBatch, SourceRecord } from "../../src/drivers/Record.ts"
import type { Receipt, Sink, SinkBatch, SinkWriter } from "../../src/drivers/Sink.ts"
import type { ReadLimit, Source } from "../../src/drivers/Source.ts"

type Make<A> = Effect.Effect<A, DriverError, Scope.Scope>

/** What a batch is compared by. */
export const essence = (batch: SourceBatch) => ({
  records: batch.records,
  to: batch.to,
  digest: batch.digest,
  raw: batch.records.map((_, index) => batch.raw(index))
})

export interface ReadBatch extends ReturnType<typeof essence> {
  readonly from: Position | null
}

/** Everything from a position on, in batches of at most `limit`. */
export const readAll = Effect.fnUntraced(function* (
  source: Source,
  limit: ReadLimit,
  from: Position | null = null
) {
  const reader = yield* source.open(from)
  const batches: Array<ReadBatch> = []
  for (let at = from; ; ) {
    const batch = yield* reader.next(limit)
    if (batch === null) return batches
    batches.push({ from: at, ...essence(batch) })
    at = batch.to
  }
})

export const recordsOf = (batches: ReadonlyArray<ReadBatch>): ReadonlyArray<SourceRecord> =>
  batches.flatMap((batch) => batch.records)

const noByteLimit = Number.MAX_SAFE_INTEGER
/** Small batches, batches cut by bytes, and one that takes it all. */
const limits: ReadonlyArray<ReadLimit> = [
  { records: 1, bytes: noByteLimit },
  { records: 7, bytes: 100 },
  { records: 1000, bytes: 1 },
  { records: 1_000_000, bytes: noByteLimit }
]

/** A source resumes from every position it gives, and reads a sealed range again to the byte. */
export const sourceSuite = (name: string, make: Make<Source>, expected?: number): void => {
  it.effect(`${name}: every way of cutting it gives the same records`, () =>
    Effect.gen(function* () {
      const source = yield* make
      const whole = recordsOf(yield* readAll(source, limits[3]!))
      assert.isAbove(whole.length, 0)
      if (expected !== undefined) assert.strictEqual(whole.length, expected)
      for (const limit of limits) {
        const batches = yield* readAll(source, limit)
        assert.deepStrictEqual(recordsOf(batches), whole)
        assert.isTrue(batches.every((batch) => batch.records.length <= limit.records))
      }
    })
  )

  it.effect(`${name}: resumes at every position it gave`, () =>
    Effect.gen(function* () {
      const source = yield* make
      const batches = yield* readAll(source, { records: 1, bytes: noByteLimit })
      const step = Math.max(1, Math.floor(batches.length / 40))
      for (let cut = 0; cut < batches.length; cut += step) {
        const rest = yield* Effect.scoped(readAll(source, limits[3]!, asStored(batches[cut]!.to)))
        assert.deepStrictEqual(recordsOf(rest), recordsOf(batches.slice(cut + 1)))
      }
    })
  )

  it.effect(`${name}: reads a sealed range again exactly`, () =>
    Effect.gen(function* () {
      const source = yield* make
      for (const limit of limits.slice(1)) {
        const batches = yield* readAll(source, limit)
        const step = Math.max(1, Math.floor(batches.length / 20))
        for (const sealed of batches.filter((_, index) => index % step === 0)) {
          const { from, ...first } = sealed
          const again = yield* Effect.scoped(
            Effect.gen(function* () {
              const reader = yield* source.open(asStored(from))
              return yield* reader.next({ records: first.records.length, bytes: 1, exactly: true })
            })
          )
          assert.deepStrictEqual(again === null ? null : essence(again), first)
        }
      }
    })
  )

  it.effect(`${name}: acknowledges again and again, and knows how far it is`, () =>
    Effect.gen(function* () {
      const source = yield* make
      const reader = yield* source.open(null)
      const batch = yield* reader.next(limits[3]!)
      yield* reader.ack(batch!.to)
      yield* reader.ack(batch!.to)
      const { done, total } = reader.progress()
      assert.isAtMost(done, total ?? done)
      // A source of several files gives a batch of each.
      for (let more = batch; more !== null; ) more = yield* reader.next(limits[3]!)
      assert.isNull(yield* reader.next(limits[3]!))
    })
  )
}

/** A position comes back from the log as JSON. */
const asStored = (position: Position | null): Position | null => JSON.parse(JSON.stringify(position))

export interface SinkUnderTest {
  /** A new instance over the same output, as a restarted process has it. */
  readonly sink: Make<Sink>
  /** What a reader of the output sees of the run once it is published. */
  readonly visible: Effect.Effect<ReadonlyArray<unknown>>
}

const keyOf = (batch: number): string => `pipeline/0/${batch}/store`

/** Payloads of batch `n`. */
const payloadsOf = (n: number): ReadonlyArray<unknown> => [
  { id: n * 2, text: `a${n}` },
  { id: n * 2 + 1, text: `ü "${n}",\n` }
]

const batchOf = (sink: Sink, n: number, attempt: number): SinkBatch => ({
  key: keyOf(n),
  batch: n,
  attempt,
  records: payloadsOf(n).map((payload) => sink.encode(payload))
})

const batchCount = 4

/**
 * Kills the writer after every step of a run (k-th write, flush, finish, publish) and resumes it from
 * what the log would know by then: the output holds every record once.
 */
export const sinkSuite = (name: string, make: Make<SinkUnderTest>): void => {
  const expected = Array.from({ length: batchCount }, (_, n) => payloadsOf(n)).flat()
  for (let dies = 0; dies <= batchCount * 2 + 2; dies++) {
    it.effect(`${name}: killed after step ${dies}, every record is there once`, () =>
      Effect.gen(function* () {
        const under = yield* make
        const log: KnownByLog = { receipt: null, base: null, applied: 0, finished: false }
        yield* Effect.scoped(attemptRun(yield* under.sink, 1, log, dies))
        yield* Effect.scoped(attemptRun(yield* under.sink, 2, log, Number.POSITIVE_INFINITY))
        assert.deepStrictEqual(yield* under.visible, expected)
      })
    )
  }

  it.effect(`${name}: a key is taken once`, () =>
    Effect.gen(function* () {
      const { sink: open, visible } = yield* make
      const sink = yield* open
      const writer = yield* sink.open({
        epoch: 1,
        run: "run",
        receipt: null,
        leftover: null,
        finished: false
      })
      const first = yield* writer.write(batchOf(sink, 0, 1))
      assert.deepStrictEqual(first, { _tag: "Held", held: { attempt: 1, records: 2 } })
      assert.deepStrictEqual(yield* writer.write(batchOf(sink, 0, 2)), first)
      yield* writer.finish
      yield* writer.publish
      yield* writer.publish
      assert.deepStrictEqual(yield* visible, payloadsOf(0))
    })
  )
}

interface KnownByLog {
  receipt: Receipt | null
  base: Receipt | null
  applied: number
  finished: boolean
}

/** The engine's side of the protocol, in small: one flush after every second batch. */
const attemptRun = Effect.fnUntraced(function* (sink: Sink, epoch: number, log: KnownByLog, dies: number) {
  let steps = 0
  const dead = () => steps++ >= dies
  const receipt = log.receipt ?? log.base
  const writer = yield* sink.open({ epoch, run: "run", receipt, leftover: null, finished: log.finished })
  log.base ??= asStored(writer.base)
  if (!log.finished) {
    const held = yield* writer.held(Array.from({ length: batchCount }, (_, n) => keyOf(n)))
    for (let n = log.applied; n < batchCount; n++) {
      if (dead()) return
      if (!held.has(keyOf(n))) yield* writer.write(batchOf(sink, n, epoch))
      if (n % 2 === 0) continue
      if (dead()) return
      const flushed = asStored(yield* writer.flush)
      if (dead()) return
      log.receipt = flushed
      log.applied = n + 1
    }
    if (dead()) return
    const finished = asStored(yield* writer.finish)
    if (dead()) return
    log.receipt = finished
    log.finished = true
  }
  if (dead()) return
  yield* publish(writer)
})

const publish = (writer: SinkWriter) => writer.publish
