/**
 * Sources read as one: what of their order is kept, what waits for whom, and that a batch reads the same again.
 *
 * @module
 */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber, Schema } from "effect"
import { TestClock } from "effect/testing"
import type { Position } from "../../../events/Checkpoint.ts"
import type { SourceBatch, SourceRecord } from "../../../src/drivers/Record.ts"
import type { SourceReader } from "../../../src/drivers/Source.ts"
import { firstByTime, inTurns } from "../../../src/flow/merge/choose.ts"
import { mergedSource } from "../../../src/flow/merge/mergedSource.ts"
import { type Scripted, type Step, scripted } from "./scripted.ts"

const Small = Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 20 }))
const StepOf = Schema.Struct({
  records: Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 5 })),
  afterMs: Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 60 }))
})
const SideOf = Schema.Struct({
  times: Schema.Array(Small),
  steps: Schema.Array(StepOf).check(Schema.isMinLength(1))
})
const Sides = Schema.Array(SideOf).check(Schema.isMinLength(2), Schema.isMaxLength(4))
const Limits = Schema.Array(Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 7 }))).check(
  Schema.isMinLength(1)
)

const recordsOf = (name: string, times: ReadonlyArray<number>): ReadonlyArray<SourceRecord> =>
  times.map((eventTime, n) => ({ payload: { name, n }, eventTime, metadata: {} }))

const patienceMs = 40
const waitMs = 25

const world = (sides: ReadonlyArray<typeof SideOf.Type>, merge: "event_time" | "round_robin") => {
  const parts = sides.map(({ steps, times }, index) => ({
    stage: `s${index}`,
    source: scripted(recordsOf(`s${index}`, times), steps),
    patienceMs
  }))
  return mergedSource(parts, merge === "event_time" ? firstByTime : inTurns)
}

interface Read {
  readonly from: Position | null
  readonly batch: SourceBatch
}

/** Every batch, each of at most as many records as the limits say in turn. */
const readAll = Effect.fnUntraced(function* (
  reader: SourceReader,
  limits: ReadonlyArray<number>,
  start: Position | null = null
) {
  const reads: Array<Read> = []
  let from = start
  while (true) {
    const records = limits[reads.length % limits.length]!
    const batch = yield* reader.next({ records, bytes: 1e6, waitMs })
    if (batch === null) return reads
    reads.push({ from, batch })
    from = batch.to
  }
})

/** Runs an effect to its end, however much virtual time it takes. */
const timePasses = Effect.fnUntraced(function* <A, E, R>(effect: Effect.Effect<A, E, R>) {
  const fiber = yield* Effect.forkChild(effect)
  while (fiber.pollUnsafe() === undefined) yield* TestClock.adjust(1000)
  return yield* Fiber.join(fiber)
})

const payloadsOf = (reads: ReadonlyArray<Read>) =>
  reads.flatMap(({ batch }) => batch.records.map(({ payload }) => payload as { name: string; n: number }))
const told = ({ digest, origin, raw, records, to }: SourceBatch) => ({
  digest,
  to,
  records,
  raw: records.map((_, index) => raw(index).data),
  origin: records.map((_, index) => origin?.(index))
})

describe.each(["event_time", "round_robin"] as const)("merged by %s", (merge) => {
  it.effect.prop(
    "every record comes once, and each source keeps its own order",
    [Sides, Limits],
    ([sides, limits]) =>
      Effect.gen(function* () {
        const reader = yield* world(sides, merge).open(null)
        const reads = yield* timePasses(readAll(reader, limits))
        const all = payloadsOf(reads)
        for (const [index, { times }] of sides.entries()) {
          const own = all.filter(({ name }) => name === `s${index}`).map(({ n }) => n)
          assert.deepStrictEqual(own, [...times.keys()])
        }
        for (const { batch } of reads) {
          for (const [index, { payload }] of batch.records.entries()) {
            const { name, n } = payload as { name: string; n: number }
            assert.deepStrictEqual(batch.origin?.(index), { source: name, offset: n })
            assert.strictEqual(batch.raw(index).data, JSON.stringify(payload))
          }
        }
      }).pipe(Effect.scoped),
    { arbitrary: { runs: 150, size: 12 } }
  )

  it.effect.prop(
    "a batch reads the same again from any cut, and so does any beginning of it; new ones go on behind it",
    [Sides, Limits, Small, Small],
    ([sides, limits, which, cut]) =>
      Effect.gen(function* () {
        const source = world(sides, merge)
        const reads = yield* timePasses(
          Effect.flatMap(source.open(null), (reader) => readAll(reader, limits))
        )
        if (reads.length === 0) return
        const { batch, from } = reads[which % reads.length]!
        const rest = reads.slice(which % reads.length)
        const limit = { bytes: Number.POSITIVE_INFINITY, exactly: true, along: batch.to }
        const again = yield* source.open(from)
        for (const { batch } of rest) {
          const { records, to } = batch
          const second = yield* again.next({ ...limit, records: records.length, along: to })
          assert.deepStrictEqual(told(second!), told(batch))
        }
        const count = 1 + (cut % batch.records.length)
        const beginning = (yield* (yield* source.open(from)).next({ ...limit, records: count }))!
        assert.deepStrictEqual(beginning.records, batch.records.slice(0, count))
        const behind = yield* timePasses(
          Effect.flatMap(source.open(beginning.to), (reader) => readAll(reader, limits, beginning.to))
        )
        const names = sides.map((_, index) => `s${index}`)
        const own = (of: ReadonlyArray<{ name: string; n: number }>) =>
          names.map((name) => of.filter((each) => each.name === name).map(({ n }) => n))
        const expected = payloadsOf(rest).slice(count)
        assert.deepStrictEqual(own(payloadsOf(behind)), own(expected))
      }).pipe(Effect.scoped),
    { arbitrary: { runs: 150, size: 12 } }
  )
})

it.effect.prop(
  "sources in the order of their times come out in the order of all times, ties in the order of the file",
  [Schema.Array(Schema.Array(Small)).check(Schema.isMinLength(2), Schema.isMaxLength(4)), Limits],
  ([sides, limits]) =>
    Effect.gen(function* () {
      const sorted = sides.map((times) => times.toSorted((a, b) => a - b))
      const steps = [{ records: 2, afterMs: 5 }]
      const reader = yield* world(
        sorted.map((times) => ({ times, steps })),
        "event_time"
      ).open(null)
      const reads = yield* timePasses(readAll(reader, limits))
      const came = reads.flatMap(({ batch }) =>
        batch.records.map(({ eventTime }, index) => [eventTime!, batch.origin!(index).source] as const)
      )
      const order = (a: (typeof came)[number], b: (typeof came)[number]) =>
        a[0] - b[0] || a[1].localeCompare(b[1])
      assert.deepStrictEqual(came, came.toSorted(order))
    }).pipe(Effect.scoped),
  { arbitrary: { runs: 150, size: 12 } }
)

const two = (busy: Scripted, quiet: Scripted, choose = firstByTime, patience = 30_000) =>
  mergedSource(
    [
      { stage: "busy", source: busy, patienceMs: patience },
      { stage: "quiet", source: quiet, patienceMs: patience }
    ],
    choose
  ).open(null)

const ticking = (count: number, from = 0) =>
  recordsOf(
    "r",
    Array.from({ length: count }, (_, n) => from + n)
  )
const limit = { records: 10, bytes: 1e6, waitMs: 1000 }
const countOf = (batch: SourceBatch | null) => batch?.records.length

describe("a source that is silent", () => {
  it.effect("holds the others up for its idle timeout, and they hold one unit meanwhile", () =>
    Effect.gen(function* () {
      const busy = scripted(ticking(1000), [{ records: 10 }])
      const quiet = scripted(ticking(1, 5), [{ afterMs: 100_000 }])
      const reader = yield* two(busy, quiet)
      const first = yield* Effect.forkChild(reader.next(limit))
      yield* TestClock.adjust(29_999)
      assert.isUndefined(first.pollUnsafe())
      assert.strictEqual(busy.handedOut, 10)
      yield* TestClock.adjust(1)
      assert.strictEqual(countOf(yield* Fiber.join(first)), 10)
      // It is silent until it says something: nobody waits for it a second time.
      for (let batch = 1; batch < 50; batch++) assert.strictEqual(countOf(yield* reader.next(limit)), 10)
      assert.strictEqual(busy.handedOut, 500)
      yield* TestClock.adjust(100_000)
      const { records } = (yield* timePasses(reader.next(limit)))!
      assert.deepStrictEqual(
        records.map(({ eventTime }) => eventTime),
        [5]
      )
    }).pipe(Effect.scoped)
  )

  it.effect("holds up nobody whose turn it is for longer than a batch may wait, and the order says so", () =>
    Effect.gen(function* () {
      const reader = yield* two(
        scripted(ticking(30)),
        scripted(ticking(2, 900), [{ records: 1, afterMs: 1500 }]),
        inTurns,
        1000
      )
      const reading = yield* Effect.forkChild(reader.next(limit))
      yield* TestClock.adjust(999)
      assert.isUndefined(reading.pollUnsafe())
      yield* TestClock.adjust(1)
      const first = (yield* Fiber.join(reading))!
      assert.strictEqual((first.to as { order: string }).order, "0x10")
      const second = (yield* reader.next(limit))!
      assert.strictEqual((second.to as { order: string }).order, "0x10")
      yield* TestClock.adjust(500)
      const third = (yield* timePasses(reader.next(limit)))!
      assert.strictEqual((third.to as { order: string }).order, "1 0x9")
    }).pipe(Effect.scoped)
  )

  it.effect("what is gathered is handed over in its time, while a record is awaited", () =>
    Effect.gen(function* () {
      const reader = yield* two(
        scripted(ticking(3), [{ afterMs: 1 }]),
        scripted(ticking(3), [{ records: 3 }, { afterMs: 60_000 }])
      )
      const reading = yield* Effect.forkChild(reader.next(limit))
      yield* TestClock.adjust(1000)
      assert.isUndefined(reading.pollUnsafe())
      yield* TestClock.adjust(1)
      assert.strictEqual(countOf(yield* Fiber.join(reading)), 6)
    }).pipe(Effect.scoped)
  )
})

describe("positions", () => {
  it.effect(
    "Debezium #7945: an acknowledgement stands between whole units of a source, never inside one",
    () =>
      Effect.gen(function* () {
        const units = scripted(ticking(10), [{ records: 4 }])
        const other = scripted(ticking(10))
        const reader = yield* two(units, other)
        const acked: Array<Position | undefined> = []
        for (let batch = 0; batch < 6; batch++) {
          yield* reader.ack((yield* reader.next({ ...limit, bytes: 30 }))!.to)
          acked.push(units.acks.at(-1))
        }
        // After 2, 3, 5, 6, 8 and 9 of its records.
        assert.deepStrictEqual(acked, [undefined, undefined, 4, 4, 8, 8])
        assert.deepStrictEqual(units.acks, [4, 8])
      }).pipe(Effect.scoped)
  )

  it.effect("C7: a resumed reader acknowledges again", () =>
    Effect.gen(function* () {
      const units = scripted(ticking(4), [{ records: 2 }])
      const source = mergedSource(
        [
          { stage: "a", source: units, patienceMs: 0 },
          { stage: "b", source: scripted([]), patienceMs: 0 }
        ],
        firstByTime
      )
      const { to } = (yield* (yield* source.open(null)).next({ ...limit, records: 2 }))!
      for (let life = 0; life < 2; life++) yield* (yield* source.open(to)).ack(to)
      assert.deepStrictEqual(units.acks, [2, 2])
    }).pipe(Effect.scoped)
  )

  it.effect("a unit that no longer reads the same is refused, and so is the place of other sources", () =>
    Effect.gen(function* () {
      const [a, b] = [scripted(ticking(10), [{ records: 4 }]), scripted(ticking(10))]
      const { to } = (yield* (yield* two(a, b)).next({ ...limit, bytes: 30 }))!
      const shorter = mergedSource(
        [
          { stage: "busy", source: scripted(ticking(3)), patienceMs: 0 },
          { stage: "quiet", source: b, patienceMs: 0 }
        ],
        firstByTime
      )
      const gone = yield* Effect.flip(Effect.flatMap(shorter.open(to), (reader) => reader.next(limit)))
      assert.deepStrictEqual([gone.reason.code, gone.isRetryable], ["source_changed", false])
      assert.match(gone.message, /^busy: /)
      const others = mergedSource([{ stage: "x", source: a, patienceMs: 0 }], firstByTime)
      assert.strictEqual((yield* Effect.flip(others.open(to))).reason.code, "source_changed")
    }).pipe(Effect.scoped)
  )
})

it.effect(
  "a read that fails is told once, with its source, after what was gathered; then it is tried again",
  () =>
    Effect.gen(function* () {
      const steps: ReadonlyArray<Step> = [{ records: 2 }, { fails: true }, { records: 8 }, {}]
      const reader = yield* two(scripted(ticking(6), steps), scripted(ticking(2)))
      assert.strictEqual(countOf(yield* reader.next(limit)), 3)
      const error = yield* Effect.flip(reader.next(limit))
      assert.deepStrictEqual([error.message, error.isRetryable], ["busy: it is away", true])
      assert.strictEqual(countOf(yield* reader.next(limit)), 5)
      assert.isNull(yield* reader.next(limit))
    }).pipe(Effect.scoped)
)

it.effect("a read that fails while a batch is read again takes nothing from it", () =>
  Effect.gen(function* () {
    let away = 0
    const broken = scripted([], [{ fails: true }])
    const parts = ["a", "b"].map((stage) => ({ stage, source: scripted(ticking(4)), patienceMs: 0 }))
    const whole = (yield* (yield* mergedSource(parts, inTurns).open(null)).next({ ...limit, records: 6 }))!
    const flaky = parts.map((part) => ({
      ...part,
      source: {
        open: (from: Position | null) =>
          Effect.map(part.source.open(from), (reader) => ({
            ...reader,
            next: (each: Parameters<SourceReader["next"]>[0]) =>
              part.stage === "b" && away++ === 0
                ? Effect.scoped(Effect.flatMap(broken.open(null), (reader) => reader.next(limit)))
                : reader.next(each)
          }))
      }
    }))
    const again = yield* mergedSource(flaky, inTurns).open(null)
    const exactly = { records: 6, bytes: 1, exactly: true, along: whole.to }
    assert.isTrue((yield* Effect.flip(again.next(exactly))).isRetryable)
    assert.deepStrictEqual(told((yield* again.next(exactly))!), told(whole))
  }).pipe(Effect.scoped)
)

it.effect("progress is that of all sources together, and a batch says whose end has come", () =>
  Effect.gen(function* () {
    const reader = yield* two(scripted(ticking(6), [{ records: 2 }]), scripted(ticking(2)))
    assert.deepStrictEqual(reader.progress(), { done: 0, total: 8, unit: "rows" })
    const { ended } = (yield* reader.next({ ...limit, bytes: 50 }))!
    assert.deepStrictEqual(ended, ["quiet"])
    assert.deepStrictEqual(reader.progress(), { done: 6, total: 8, unit: "rows" })
  }).pipe(Effect.scoped)
)
