/**
 * Bugs others paid for, as far as they concern batches: each is a rule of ours, and each test fails without it.
 *
 * @module
 */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Schema } from "effect"
import { DriverError, End, Millrace, Pipeline, Worker } from "../../src/index.ts"
import { type Interpose, makeMemoryHub } from "../../src/testing/index.ts"
import { broken, lettersOf, watchAcks } from "../simulation/oracles.ts"
import { windowOfOne } from "../simulation/WindowOfOne.ts"
import { eventsIn, live, makeWorld, type World } from "../simulation/World.ts"
import { whileTimePasses } from "../support/whileTimePasses.ts"

const Num = Schema.Struct({ n: Schema.Number })
type Num = typeof Num.Type
const numbers = (count: number): ReadonlyArray<Num> => Array.from({ length: count }, (_, n) => ({ n }))
const memory = (name: string) => ({ use: "memory", name })
const end = (name: string) => End.make(memory(name), Num)
const runtime = { batch_size: 3, in_flight: 2, checkpoint_interval: "0s" }

/** Records of three pieces each, numbered through. */
const triples = (count: number) =>
  Array.from({ length: count }, (_, id) => ({ id, parts: numbers(3).map(({ n }) => ({ n: id * 3 + n })) }))
const inPieces = {
  name: "pieces",
  stages: {
    in: { source: memory("in") },
    parts: { from: "in", explode: { field: "parts" } },
    out: { from: "parts", sink: memory("out") }
  },
  runtime
}

const worldOf = (payloads: ReadonlyArray<unknown>): World => {
  const world = makeWorld((hub) => void hub.source("in", payloads))
  world.watch = watchAcks(world)
  return world
}
const heldBy = (world: World, sink: string) => world.hub.sink(sink).records.map((record) => (record as Num).n)
const upTo = (count: number) => numbers(count).map(({ n }) => n)
const seals = (world: World) =>
  eventsIn(world).flatMap((event) => (event._tag === "BatchSealed" ? [event] : []))
const acks = (world: World) => world.hub.sources.get("in")!.acks.map(Number)

/** Runs a program's pipeline `p`, once for each of `lives`, and tells what the log and the sink hold then. */
const runs = (
  pipeline: Pipeline.Any<never>,
  count: number,
  lives: ReadonlyArray<() => void> = [() => undefined],
  interpose?: Interpose
) => {
  const hub = makeMemoryHub()
  hub.source("in", numbers(count))
  hub.interpose(interpose)
  return Effect.gen(function* () {
    const millrace = yield* Millrace
    yield* millrace.define(pipeline)
    const became: Array<string> = []
    for (const begin of lives) {
      begin()
      const { state } = yield* whileTimePasses(millrace.run("p"))
      became.push(`${state.lifecycle} ${state.run?.failure?.code ?? ""}`.trim())
    }
    const state = yield* millrace.state("p")
    const letters = yield* millrace.deadLetters("p")
    const out = hub.sink("out").records.map((record) => (record as Num).n)
    return { state, became, letters, out }
  }).pipe(Effect.provide(Millrace.layerTest({ drivers: [hub.driver] })))
}
const source = Pipeline.source("in", end("in"))
const sink = Pipeline.sink("out", end("out"))
const withWorker = (work: Worker<Num>["do"], options: Pipeline.PipelineOptions = {}) =>
  Pipeline.make("p", options).pipe(source, Pipeline.custom("mine", Num, Worker.make({ do: work })), sink)

describe("what others paid for", () => {
  it("Conduit #2722: a batch that grew moves the position by the records that were read", async () => {
    const world = worldOf(triples(7))
    await live(world, inPieces)
    assert.deepStrictEqual(broken(world), [])
    assert.deepStrictEqual(heldBy(world, "out"), upTo(21))
    assert.deepStrictEqual(
      seals(world).map(({ branches, count, offset, range }) => [
        range.from,
        range.to,
        offset,
        count,
        branches.out?.records
      ]),
      [
        [null, 3, 0, 3, 9],
        [3, 6, 3, 3, 9],
        [6, 7, 6, 1, 3]
      ]
    )
  })

  it("Conduit #2723: a split record is settled when all its pieces are, and one nack is the record's", async () => {
    const world = worldOf(triples(3))
    const definition = {
      ...inPieces,
      stages: {
        in: inPieces.stages.in,
        parts: inPieces.stages.parts,
        even: { from: { stage: "parts", when: "record.n % 2 == 0" }, sink: memory("even") },
        odd: { from: { stage: "parts", when: "record.n % 2 == 1" }, sink: memory("odd") }
      }
    }
    // 2 is a piece of the first record, like 0: on their branch the whole record is a letter, on the other none of it.
    world.hub.sink("even").refuse = (record) => ((record as Num).n === 2 ? "not two" : undefined)
    const unsettled: Array<number> = []
    world.meddle = (call) =>
      Effect.sync(() => {
        if (call.operation === "sink.write" && call.name === "odd" && call.phase === "before") {
          unsettled.push(...acks(world))
        }
      })
    await live(world, definition)
    assert.deepStrictEqual(broken(world), [])
    assert.deepStrictEqual(unsettled, [], "acknowledged with pieces still on their way")
    assert.deepStrictEqual(
      [heldBy(world, "even"), heldBy(world, "odd")],
      [
        [4, 6, 8],
        [1, 3, 5, 7]
      ]
    )
    assert.deepStrictEqual(
      lettersOf(world).map(({ branches, offset }) => [offset, ...branches]),
      [[0, "even"]]
    )
    const [letter] = seals(world).flatMap(({ letters }) => letters)
    assert.deepStrictEqual(JSON.parse(letter!.raw.data ?? ""), triples(3)[0])
  })

  it.effect("Conduit #2726: a stage that says retry for ever is asked four times, and the run fails", () =>
    Effect.gen(function* () {
      const asked: Array<number> = []
      const { letters, out, state } = yield* runs(
        withWorker((batch) =>
          Effect.sync(() => {
            asked.push(batch.activeRecords.length)
            for (const { at, payload } of batch.activeRecords) if (payload.n > 0) batch.retry(at)
          })
        ),
        1000
      )
      assert.deepStrictEqual(asked, [1000, 999, 999, 999])
      assert.strictEqual(state.lifecycle, "Failed")
      assert.strictEqual(state.run?.failure?.code, "retry_not_converging")
      assert.deepStrictEqual([letters, out], [[], []])
    })
  )

  it.effect("Conduit #2729: marking forward moves no record: the letter is of the one that was meant", () =>
    Effect.gen(function* () {
      const { letters, out } = yield* runs(
        withWorker(
          (batch) =>
            Effect.sync(() => {
              batch.activeRecords.forEach(({ payload }, index) => {
                if (payload.n % 3 === 0) batch.filter(index)
                if (payload.n === 7) batch.nack(index, "no sevens")
              })
            }),
          { runtime: { batchSize: 5 } }
        ),
        10
      )
      assert.deepStrictEqual(out, [1, 2, 4, 5, 8])
      assert.deepStrictEqual(
        letters.map(({ offset, raw }) => [offset, raw.data]),
        [[7, '{"n":7}']]
      )
    })
  )

  it.effect("Conduit #1659: what fails because of a failure does not take its place", () =>
    Effect.gen(function* () {
      const { letters } = yield* runs(
        withWorker((batch) =>
          Effect.suspend(() => {
            batch.nack(1, Pipeline.nack("the root of it", "root"))
            batch.nack(1, Pipeline.nack("only a consequence", "derived"))
            return Effect.fail(Pipeline.nack("the batch is broken", "derived"))
          })
        ),
        2
      )
      assert.deepStrictEqual(
        letters.map(({ offset, reason }) => [offset, reason.code]),
        [
          [0, "derived"],
          [1, "root"]
        ]
      )
    })
  )

  it("Conduit: acknowledged upstream only once every outcome is durable, splits and letters included", async () => {
    const world = worldOf(triples(7))
    world.hub.sink("out").refuse = (record) => ((record as Num).n === 4 ? "not four" : undefined)
    // The oracle reads the log at every acknowledgement; here the sinks' own flush is late besides.
    let flushed = 0
    const early: Array<string> = []
    world.meddle = (call) =>
      Effect.sync(() => {
        if (call.operation === "sink.flush" && call.phase === "after") flushed++
        if (call.operation === "source.ack" && flushed === 0) early.push(`${acks(world).at(-1)}`)
      })
    await live(world, inPieces)
    assert.deepStrictEqual([early, broken(world)], [[], []])
    assert.strictEqual(acks(world).at(-1), 7)
  })

  for (const [what, stage] of Object.entries({
    "is filtered": { filter: "record.parts.size() > 9" },
    "becomes nothing": { explode: { field: "nothing" } },
    "is invalid": { validate: { contract: { parts: "string" }, on_invalid: "drop" } },
    "becomes many": { explode: { field: "parts" } }
  })) {
    it(`Conduit: a source that waits for its acknowledgement gets it, also where a batch ${what}`, async () => {
      const world = worldOf([])
      const waits = windowOfOne(triples(6))
      world.drivers.push(waits)
      const stages = {
        in: { source: { use: "window" } },
        stage: { from: "in", ...stage },
        out: { from: "stage", sink: memory("out") }
      }
      const definition = { name: "waits", stages, runtime: { ...runtime, checkpoint_interval: "1h" } }
      await live(world, definition)
      assert.strictEqual(waits.acknowledged, 6)
    })
  }

  it.effect(
    "Conduit: nobody has to switch the limit on dead letters on, and at 0 it is at its strictest",
    () =>
      Effect.gen(function* () {
        const failing = (options: Pipeline.PipelineOptions) =>
          runs(
            Pipeline.make("p", { runtime: { batchSize: 8 }, ...options }).pipe(
              source,
              Pipeline.map("m", Num, (record) => {
                if (record.n % 2 === 1) throw new Error("odd")
                return record
              }),
              sink
            ),
            100
          )
        const byDefault = yield* failing({})
        assert.strictEqual(byDefault.state.run?.failure?.code, "dead_letter_threshold")
        // The eleventh stops the run behind its record, and is kept with the others.
        assert.deepStrictEqual([byDefault.letters.length, byDefault.out.at(-1)], [11, 20])
        const strict = yield* failing({ deadLetters: { threshold: 0 } })
        assert.strictEqual(strict.state.run?.failure?.code, "dead_letter_threshold")
        assert.deepStrictEqual([strict.letters.length, strict.out], [1, [0]])
      })
  )

  it("Debezium #7945: a batch is cut behind whole records, whichever of their pieces stops the run", async () => {
    const world = worldOf(
      triples(6).map((record) =>
        record.id === 4 ? { ...record, parts: [{ n: 12 }, { n: "?" }, { n: 14 }] } : record
      )
    )
    const definition = {
      ...inPieces,
      stages: {
        ...inPieces.stages,
        valid: { from: "parts", validate: { contract: { n: "number" } } },
        out: { from: "valid", sink: memory("out") }
      },
      dead_letters: { threshold: 0 }
    }
    const life = await live(world, definition)
    assert.strictEqual(life._tag === "Ended" && life.result.state.lifecycle, "Failed")
    assert.deepStrictEqual(heldBy(world, "out"), upTo(12))
    const last = seals(world).at(-1)!
    assert.deepStrictEqual([last.offset, last.count, last.range.to], [3, 2, 5])
    assert.deepStrictEqual([acks(world).at(-1), broken(world)], [5, []])
  })

  it("yugabyte #33126: a batch that is done early does not move the place past one that is not", async () => {
    const world = worldOf(triples(9))
    const definition = {
      ...inPieces,
      stages: {
        in: inPieces.stages.in,
        // Of the later batches nothing is written: their seals settle them.
        some: { from: "in", filter: "record.id < 3" },
        parts: { from: "some", explode: { field: "parts" } },
        out: { from: "parts", sink: memory("out") }
      }
    }
    await live(world, definition, { dieOn: (call) => call.operation === "sink.write" })
    assert.isAtLeast(seals(world).length, 1)
    assert.deepStrictEqual(acks(world), [])
    await live(world, definition)
    assert.deepStrictEqual([heldBy(world, "out"), acks(world).at(-1), broken(world)], [upTo(9), 9, []])
  })

  it("Benthos #415: attempts at a batch are facts, so no restart begins to count anew", async () => {
    const world = worldOf(triples(3))
    for (let life = 0; life < 3; life++) {
      await live(world, inPieces, {
        dieOn: (call) => call.operation === "sink.write" && call.phase === "before"
      })
    }
    await live(world, inPieces)
    assert.deepStrictEqual(
      seals(world).map(({ attempt, batch }) => [batch, attempt]),
      [1, 2, 3, 4].map((attempt) => [0, attempt])
    )
    assert.deepStrictEqual([heldBy(world, "out"), broken(world)], [upTo(9), []])
  })

  const away = new DriverError({
    driver: "shop",
    operation: "ask",
    reason: { _tag: "Unavailable", code: "away", message: "the shop is closed" }
  })

  let isAway = true
  const set = (to: boolean) => () => {
    isAway = to
  }
  const outage = [set(true), set(false)]
  const begun = Pipeline.make("p").pipe(source)
  const ask = <A>(answer: A) => Effect.suspend(() => (isAway ? Effect.fail(away) : Effect.succeed(answer)))
  const asking = {
    "a record function": begun.pipe(Pipeline.mapEffect("ask", Num, ask), sink),
    "a batch function": begun.pipe(Pipeline.mapBatch("ask", Num, ask), sink),
    "a worker": begun.pipe(Pipeline.custom("ask", Num, Worker.make<Num>({ do: () => ask(undefined) })), sink)
  }
  for (const [what, pipeline] of Object.entries(asking)) {
    it.effect(
      `kusto-kafka #130: an outage of what ${what} asks is no dead letter, and the run goes on later`,
      () =>
        Effect.gen(function* () {
          const { became, letters, out } = yield* runs(pipeline, 3, outage)
          assert.deepStrictEqual(became, ["Crashed away", "Completed"])
          assert.deepStrictEqual([letters, out], [[], [0, 1, 2]])
        })
    )
  }

  it.effect("kusto-kafka #130: nor is an outage of a sink", () =>
    Effect.gen(function* () {
      const { became, letters, out } = yield* runs(
        Pipeline.make("p").pipe(source, sink),
        3,
        outage,
        ({ operation, phase }) =>
          operation === "sink.write" && phase === "before" && isAway ? Effect.fail(away) : Effect.void
      )
      assert.deepStrictEqual(became, ["Crashed away", "Completed"])
      assert.deepStrictEqual([letters, out], [[], [0, 1, 2]])
    })
  )

  it("Vector #21031, #12217: what comes in is delivered, filtered, unrouted or a letter, and the log counts it", async () => {
    // 0 has no parts, 1 is dropped as invalid, 2 has one piece too many, 3 goes nowhere, 4 is delivered in pieces.
    const world = worldOf([
      { id: 0, parts: [] },
      { id: 1, parts: "none" },
      { id: 2, parts: numbers(9) },
      { id: 3, parts: [{ n: -1 }] },
      { id: 4, parts: numbers(2) }
    ])
    const definition = {
      ...inPieces,
      on_unrouted: "drop",
      stages: {
        in: inPieces.stages.in,
        valid: { from: "in", validate: { contract: { parts: "array" }, on_invalid: "drop" } },
        parts: { from: "valid", explode: { field: "parts", limit: 5 } },
        out: { from: { stage: "parts", when: "record.n >= 0" }, sink: memory("out") }
      }
    }
    const life = await live(world, definition)
    assert.deepStrictEqual(broken(world), [])
    const counts = life._tag === "Ended" ? life.result.state.run?.counts : undefined
    assert.deepInclude(counts, { read: 5, delivered: 1, filtered: 2, unrouted: 1, lettered: 1 })
    assert.deepStrictEqual(heldBy(world, "out"), [0, 1])
  })
})
