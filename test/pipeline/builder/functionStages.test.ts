/**
 * Stages whose work is a program's: one to many, asked again, or a worker of its own; run as the engine runs them.
 *
 * @module
 */
import { assert, describe, it } from "@effect/vitest"
import { Context, Effect, Schema, Stream } from "effect"
import { DriverError, End, Millrace, Pipeline, Worker } from "../../../src/index.ts"
import { makeMemoryHub } from "../../../src/testing/index.ts"
import { whileTimePasses } from "../../support/whileTimePasses.ts"

const Num = Schema.Struct({ n: Schema.Number })
type Num = typeof Num.Type
const Text = Schema.Struct({ text: Schema.String })
const source = Pipeline.source("in", End.make({ use: "memory", name: "in" }, Num))
const sink = Pipeline.sink("out", End.make({ use: "memory", name: "out" }, Num))
const numbers = (count: number): ReadonlyArray<Num> => Array.from({ length: count }, (_, n) => ({ n }))

const runWith = <R>(pipeline: Pipeline.Any<R>, payloads: ReadonlyArray<unknown>) => {
  const hub = makeMemoryHub()
  hub.source("in", payloads)
  return Effect.gen(function* () {
    const millrace = yield* Millrace
    yield* millrace.define(pipeline)
    const { state } = yield* whileTimePasses(millrace.run("p"))
    const letters = yield* millrace.deadLetters("p")
    const told = yield* millrace.events("p").pipe(
      Stream.takeUntil(({ event }) => event._tag === "ShutDown"),
      Stream.runCollect
    )
    const retried = told.flatMap(({ event }) => (event._tag === "Retried" ? [event.reason.code] : []))
    return { state, letters, retried, out: hub.sink("out").records }
  }).pipe(Effect.provide(Millrace.layerTest({ drivers: [hub.driver] })))
}
const codes = (
  letters: ReadonlyArray<{ readonly offset: number; readonly reason: { readonly code: string } }>
) => letters.map(({ offset, reason }) => [offset, reason.code])

describe("explode", () => {
  const exploded = (f: (record: Num) => Iterable<Num>, limit?: number) =>
    Pipeline.make("p", { deadLetters: { window: 0 } }).pipe(
      source,
      Pipeline.explode("pieces", Num, f, limit === undefined ? {} : { limit }),
      sink
    )

  it.effect("makes many of one, and the sums count the records", () =>
    Effect.gen(function* () {
      const { letters, out, state } = yield* runWith(
        exploded(({ n }) => numbers(n)),
        numbers(4)
      )
      assert.deepStrictEqual(
        out,
        [0, 0, 1, 0, 1, 2].map((n) => ({ n }))
      )
      assert.deepStrictEqual(letters, [])
      assert.deepInclude(state.run?.counts, { read: 4, delivered: 3, filtered: 1, lettered: 0 })
    })
  )

  it.effect("takes no more from a function than a record may become", () =>
    Effect.gen(function* () {
      const { letters, out } = yield* runWith(
        exploded(function* ({ n }) {
          for (let more = 0; n === 1 || more < 2; more++) yield { n: more }
        }, 1000),
        numbers(3)
      )
      assert.strictEqual(out.length, 4)
      assert.deepStrictEqual(codes(letters), [[1, "too_many_items"]])
    })
  )
})

describe("validate", () => {
  const Few = Schema.Struct({ n: Schema.Number.check(Schema.makeFilter((n: number) => n < 2)) })
  const validated = (onInvalid: "drop" | "dead_letter") =>
    Pipeline.make("p").pipe(source, Pipeline.validate("few", Few, { onInvalid }), sink)

  it.effect("checks by the program's schema, of which the contract in the log cannot say everything", () =>
    Effect.gen(function* () {
      const dropped = yield* runWith(validated("drop"), numbers(4))
      assert.deepStrictEqual([dropped.out, dropped.letters], [numbers(2), []])
      const lettered = yield* runWith(validated("dead_letter"), numbers(4))
      assert.deepStrictEqual(codes(lettered.letters), [
        [2, "contract_violation"],
        [3, "contract_violation"]
      ])
    })
  )
})

describe("a function that asks to be asked again", () => {
  it.effect("is asked about those records alone, of a batch", () =>
    Effect.gen(function* () {
      const asked: Array<ReadonlyArray<number>> = []
      const { letters, out } = yield* runWith(
        Pipeline.make("p").pipe(
          source,
          Pipeline.mapBatch("priced", Num, (records) =>
            Effect.sync(() => {
              asked.push(records.map(({ n }) => n))
              return records.map(({ n }) => {
                if (n === 2) return Pipeline.nack("no twos", "two")
                return n % 2 === 1 && asked.length < 3 ? Pipeline.retry("not yet") : { n: n * 10 }
              })
            })
          ),
          sink
        ),
        numbers(5)
      )
      assert.deepStrictEqual(asked, [
        [0, 1, 2, 3, 4],
        [1, 3],
        [1, 3]
      ])
      assert.deepStrictEqual(
        out,
        [0, 10, 30, 40].map((n) => ({ n }))
      )
      assert.deepStrictEqual(codes(letters), [[2, "two"]])
    })
  )

  it.effect("and of a record; its nack has the code it gives", () =>
    Effect.gen(function* () {
      let calls = 0
      const { letters, out } = yield* runWith(
        Pipeline.make("p").pipe(
          source,
          Pipeline.mapEffect("priced", Num, (record) => {
            calls++
            if (record.n === 1) return Effect.fail(Pipeline.nack("no ones", "one"))
            return record.n === 2 && calls < 6 ? Effect.fail(Pipeline.retry("soon")) : Effect.succeed(record)
          }),
          sink
        ),
        numbers(4)
      )
      assert.strictEqual(calls, 6)
      assert.deepStrictEqual(
        out,
        [0, 2, 3].map((n) => ({ n }))
      )
      assert.deepStrictEqual(codes(letters), [[1, "one"]])
    })
  )

  it.effect("and never has another answer fails the run, with its reason and without a letter", () =>
    Effect.gen(function* () {
      const { letters, out, state } = yield* runWith(
        Pipeline.make("p").pipe(
          source,
          Pipeline.mapEffect("stuck", Num, () => Effect.fail(Pipeline.retry("out of stock"))),
          sink
        ),
        numbers(2)
      )
      assert.strictEqual(state.lifecycle, "Failed")
      assert.strictEqual(state.run?.failure?.code, "retry_not_converging")
      assert.match(state.run?.failure?.message ?? "", /stuck.*out of stock/)
      assert.deepStrictEqual([out, letters], [[], []])
    })
  )

  it.effect("a function may throw what it could have failed with", () =>
    Effect.gen(function* () {
      const { letters } = yield* runWith(
        Pipeline.make("p").pipe(
          source,
          Pipeline.map("m", Num, (record) => {
            if (record.n === 1) throw Pipeline.nack("no ones", "one")
            return record
          }),
          sink
        ),
        numbers(2)
      )
      assert.deepStrictEqual(codes(letters), [[1, "one"]])
    })
  )
})

class Prefix extends Context.Service<Prefix, { readonly text: string }>()("test/Prefix") {}

describe("a custom stage", () => {
  /** Drops zeros, splits twos, refuses threes, and writes the rest with what the program provides. */
  const told: Array<string> = []
  const worker = Worker.make<Num, typeof Text.Type, Prefix>({
    open: Effect.sync(() => void told.push("open")),
    do: (batch) =>
      Effect.gen(function* () {
        const { text } = yield* Prefix
        for (const { at, offset, payload } of batch.activeRecords) {
          if (payload.n === 0) batch.filter(at)
          else if (payload.n === 2) batch.split(at, [{ text: "a" }, { text: "b" }])
          else if (payload.n === 3) batch.nack(at, Pipeline.nack("no threes", "three"))
          else batch.setRecords(at, [{ text: `${text}${offset}` }])
        }
        told.push("do")
      }),
    stop: Effect.sync(() => void told.push("stop")),
    close: Effect.sync(() => void told.push("close"))
  })
  const written = Pipeline.make("p", { runtime: { batchSize: 3 } }).pipe(
    source,
    Pipeline.custom("mine", Text, worker),
    Pipeline.sink("out", End.make({ use: "memory", name: "out" }, Text))
  )

  it.effect("is opened with the run, given its batches, stopped and closed", () =>
    Effect.gen(function* () {
      const { letters, out, state } = yield* runWith(written, numbers(5))
      assert.deepStrictEqual(told, ["open", "do", "do", "stop", "close"])
      assert.deepStrictEqual(
        out,
        ["#1", "a", "b", "#4"].map((text) => ({ text }))
      )
      assert.deepStrictEqual(codes(letters), [[3, "three"]])
      assert.deepInclude(state.run?.counts, { read: 5, delivered: 3, filtered: 1, lettered: 1 })
    }).pipe(Effect.provideService(Prefix, { text: "#" }))
  )

  it("does not compile where its records do not fit", () => {
    const text = Pipeline.make("p").pipe(Pipeline.source("in", End.make({ use: "memory" }, Text)))
    // @ts-expect-error the worker takes numbers
    text.pipe(Pipeline.custom("mine", Text, worker))
    // @ts-expect-error the worker makes texts
    Pipeline.make("p").pipe(source, Pipeline.custom("mine", Num, worker))
  })

  const failing = (error: unknown, times: number) => {
    let left = times
    return Pipeline.make("p").pipe(
      source,
      Pipeline.custom(
        "mine",
        Num,
        Worker.make<Num>({
          do: (batch) => {
            batch.filter(0)
            return left-- > 0 ? Effect.fail(error) : Effect.void
          }
        })
      ),
      sink
    )
  }
  const away = new DriverError({
    driver: "shop",
    operation: "ask",
    reason: { _tag: "Unavailable", code: "away", message: "the shop is closed" }
  })

  it.effect("that fails fails for what it has not marked", () =>
    Effect.gen(function* () {
      const { letters, out } = yield* runWith(failing(new Error("all wrong"), 1), numbers(3))
      assert.deepStrictEqual(out, [])
      assert.deepStrictEqual(codes(letters), [
        [1, "stage_failed"],
        [2, "stage_failed"]
      ])
    })
  )

  it.effect("that has lost its system is asked again, with a batch nobody has marked", () =>
    Effect.gen(function* () {
      const { letters, out, retried } = yield* runWith(failing(away, 2), numbers(3))
      assert.deepStrictEqual(retried, ["away", "away"], "the log tells of it")
      assert.deepStrictEqual([out, letters], [[{ n: 1 }, { n: 2 }], []])
    })
  )
})
