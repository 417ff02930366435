/**
 * The traces that break a batch protocol with one rule left out, each by its number. Every one was found
 * by an exhaustive model; here the engine meets it and the rule holds.
 *
 * @module
 */
import { Effect } from "effect"
import { assert, describe, it } from "vitest"
import * as Bench from "../../projections/Bench.ts"
import { DriverError } from "../../src/drivers/DriverError.ts"
import type { MemoryCall } from "../../src/drivers/memory/MemoryHub.ts"
import { awaitState } from "../../src/pipeline/awaitState.ts"
import { awaitRedrive } from "../../src/pipeline/letters/awaitRedrive.ts"
import type { RedriveRequest } from "../../src/pipeline/letters/LetterRequest.ts"
import { requestRedrive } from "../../src/pipeline/letters/requestRedrive.ts"
import { broken, lettersOf, readLog, watchAcks } from "./oracles.ts"
import { windowOfOne } from "./WindowOfOne.ts"
import { eventsIn, live, makeWorld, rowsOf, type World } from "./World.ts"

const items = (count: number) => Array.from({ length: count }, (_, id) => ({ id }))
const runtime = { batch_size: 4, in_flight: 2, checkpoint_interval: "0s" }
const memory = (name: string) => ({ use: "memory", name })

const twoSinks = {
  name: "two-sinks",
  stages: {
    in: { source: memory("in") },
    a: { from: "in", sink: memory("a") },
    b: { from: "in", sink: memory("b") }
  },
  runtime
}
const oneSink = {
  name: "one-sink",
  stages: { in: { source: memory("in") }, a: { from: "in", sink: memory("a") } },
  runtime
}

const worldOf = (count: number): World => {
  const world = makeWorld((hub) => void hub.source("in", items(count)))
  world.watch = watchAcks(world)
  return world
}

const held = (world: World, sink: string) =>
  world.hub.sink(sink).records.map((record) => (record as { id: number }).id)
const afterSeal = (types: ReadonlyArray<string>, moment: string) =>
  moment === "after" && types.includes("BatchSealed")
const failsOn = (id: number) => (payload: unknown) => {
  if ((payload as { id: number }).id === id) throw new Error("does not fit today")
  return payload
}
const takesAll = (payload: unknown) => payload

const atRest = (world: World) => {
  assert.deepStrictEqual(broken(world), [])
  assert.isTrue(readLog(world).types.includes("Completed"))
}

describe("counterexamples", () => {
  it("C1: a letter names its branches, so the other branch keeps the record", async () => {
    const world = worldOf(4)
    world.hub.sink("b").encode = failsOn(2)
    await live(world, twoSinks, { dieOnAppend: afterSeal })
    await live(world, twoSinks)
    atRest(world)
    assert.deepStrictEqual(held(world, "a"), [0, 1, 2, 3])
    assert.deepStrictEqual(held(world, "b"), [0, 1, 3])
    assert.deepStrictEqual(
      lettersOf(world).map(({ branches }) => branches),
      [["b"]]
    )
  })

  it("C2: the winner's seal decides: what a lost attempt dead-lettered is not dead-lettered", async () => {
    const world = worldOf(4)
    await live(world, oneSink, { dieOnAppend: afterSeal })
    world.hub.sink("a").encode = failsOn(2)
    await live(world, oneSink, { dieOnAppend: afterSeal })
    world.hub.sink("a").encode = takesAll
    await live(world, oneSink)
    atRest(world)
    assert.deepStrictEqual(held(world, "a"), [0, 1, 2, 3])
    assert.deepStrictEqual(lettersOf(world), [])
    const winner = eventsIn(world).find((event) => event._tag === "StageApplied")
    assert.strictEqual(winner?._tag === "StageApplied" && winner.attempt, 3)
  })

  it("C3: the sink keeps the attempt, and the counts are the winner's", async () => {
    const definition = {
      name: "c3",
      stages: {
        in: { source: memory("in") },
        known: {
          from: "in",
          lookup: { ...memory("known"), match: { id: "id" }, into: "row", on_miss: "drop" }
        },
        b: { from: "known", sink: memory("b") }
      },
      runtime
    }
    const world = worldOf(4)
    world.hub.lookup("known", [{ id: 0 }])
    await live(world, definition, { dieOnAppend: afterSeal })
    world.hub.lookup("known", [{ id: 0 }, { id: 2 }])
    await live(world, definition, {
      dieOn: (call) => call.operation === "sink.write" && call.phase === "after"
    })
    world.hub.lookup("known", [])
    const life = await live(world, definition)
    atRest(world)
    assert.deepStrictEqual(held(world, "b"), [0, 2])
    assert.deepStrictEqual(life._tag === "Ended" && life.result.state.run?.counts.applied, { b: 2 })
  })

  it("C4: an old request that lands after the sink was asked wins, and the new letter is void", async () => {
    const world = worldOf(4)
    await live(world, oneSink, {
      dieOn: (call) => call.operation === "sink.write" && call.phase === "before"
    })
    world.hub.sink("a").encode = failsOn(2)
    let landed = false
    world.meddle = (call) => {
      if (landed || call.operation !== "sink.write" || call.phase !== "before") return Effect.void
      landed = true
      return lateRequest(world)
    }
    await live(world, oneSink)
    atRest(world)
    assert.isTrue(landed)
    assert.deepStrictEqual(held(world, "a"), [0, 1, 2, 3])
    assert.deepStrictEqual(lettersOf(world), [])
  })

  it("an empty later attempt still takes the key, so that no older request can land", async () => {
    const definition = {
      name: "emptied",
      stages: {
        in: { source: memory("in") },
        known: {
          from: "in",
          lookup: { ...memory("known"), match: { id: "id" }, into: "row", on_miss: "drop" }
        },
        a: { from: "known", sink: memory("a") }
      },
      runtime
    }
    const world = worldOf(4)
    world.hub.lookup("known", [{ id: 0 }])
    await live(world, definition, {
      dieOn: (call) => call.operation === "sink.write" && call.phase === "before"
    })
    world.hub.lookup("known", [])
    await live(world, definition)
    await Effect.runPromise(Effect.ignore(lateRequest(world)))
    atRest(world)
    assert.deepStrictEqual(held(world, "a"), [])
  })

  it("C5: a refusal on the second try does not outlive the first try that lands late", async () => {
    const world = worldOf(4)
    let writes = 0
    world.meddle = (call) => {
      if (call.operation !== "sink.write" || call.phase !== "before") return Effect.void
      writes++
      if (writes === 1) return Effect.fail(timeout(call))
      if (writes === 2) {
        world.hub.sink("a").refuse = (record) => ((record as { id: number }).id === 2 ? "no" : undefined)
        return Effect.void
      }
      world.hub.sink("a").refuse = () => undefined
      return lateRequest(world)
    }
    await live(world, oneSink)
    atRest(world)
    assert.strictEqual(writes, 3)
    assert.deepStrictEqual(held(world, "a"), [0, 1, 2, 3])
    assert.deepStrictEqual(lettersOf(world), [])
  })

  it("C6: a batch that settles early does not carry the acknowledgement past the one before it", async () => {
    const definition = {
      ...oneSink,
      stages: {
        in: { source: memory("in") },
        first: { from: "in", filter: "record.id < 4" },
        a: { from: "first", sink: memory("a") }
      }
    }
    const world = worldOf(8)
    let acksAtWrite = -1
    world.meddle = (call) => {
      if (call.operation !== "sink.write" || call.phase !== "before") return Effect.void
      // The write of batch 0 waits until batch 1, which has nothing to write, is settled by its seal.
      return Effect.promise(async () => {
        while (readLog(world).batches.size < 2) await new Promise((resolve) => setImmediate(resolve))
        for (let turn = 0; turn < 5; turn++) await new Promise((resolve) => setImmediate(resolve))
        acksAtWrite = world.hub.sources.get("in")!.acks.length
      })
    }
    await live(world, definition)
    atRest(world)
    assert.strictEqual(acksAtWrite, 0)
    assert.strictEqual(world.hub.sources.get("in")!.acks.at(-1), 8)
  })

  it("two sinks that refuse records of one batch at the same moment each have an attempt of their own", async () => {
    const world = worldOf(4)
    const refuses = (id: number) => (record: unknown) =>
      (record as { id: number }).id === id ? "not this one" : undefined
    world.hub.sink("a").refuse = refuses(1)
    world.hub.sink("b").refuse = refuses(2)
    const life = await live(world, twoSinks)
    assert.strictEqual(life._tag === "Ended" && life.result.state.lifecycle, "Completed")
    atRest(world)
    assert.deepStrictEqual(held(world, "a"), [0, 2, 3])
    assert.deepStrictEqual(held(world, "b"), [0, 1, 3])
    const letters = lettersOf(world).map(({ branches, offset }) => ({ branches, offset }))
    assert.deepStrictEqual(letters, [
      { branches: ["a"], offset: 1 },
      { branches: ["b"], offset: 2 }
    ])
    const attempts = ["a", "b"].map((sink) => world.hub.sink(sink).writes[0]!.attempt)
    assert.deepStrictEqual(attempts.toSorted(), [2, 3])
  })

  it("C7: a resumed run acknowledges its checkpoint again, for a source that waits for it", async () => {
    const world = worldOf(0)
    const source = windowOfOne(items(12))
    world.drivers.push(source)
    const definition = { ...oneSink, stages: { ...oneSink.stages, in: { source: { use: "window" } } } }
    await live(world, definition, {
      dieOnAppend: (types, moment) => moment === "after" && types.includes("StageApplied")
    })
    assert.strictEqual(source.acknowledged, 0)
    await live(world, definition)
    atRest(world)
    assert.deepStrictEqual(
      held(world, "a"),
      items(12).map(({ id }) => id)
    )
    assert.strictEqual(source.acknowledged, 12)
  })

  it("C8: writes into one sink land in batch order, however slow each of them is", async () => {
    const world = worldOf(40)
    let calls = 0
    world.meddle = (call) =>
      call.operation === "sink.write"
        ? Effect.promise(async () => {
            for (let turn = (calls++ * 7) % 5; turn > 0; turn--)
              await new Promise((resolve) => setImmediate(resolve))
          })
        : Effect.void
    await live(world, oneSink)
    atRest(world)
    assert.deepStrictEqual(
      held(world, "a"),
      items(40).map(({ id }) => id)
    )
  })

  it("C9: a letter has one redrive at a time, and its key stays until that is settled", async () => {
    const world = await refused()
    const again = { letters: ["0.0.2"] }
    await live(world, oneSink, {
      bench: redriving(again),
      dieOn: (call) => call.operation === "sink.write" && call.phase === "after"
    })
    assert.deepStrictEqual(held(world, "a"), [0, 1, 3, 2])
    let refusal = ""
    await live(world, oneSink, {
      bench: (pipeline, log) =>
        Effect.andThen(
          Effect.catch(requestRedrive(pipeline, log, { ...again, by: "test" }), (error) =>
            Effect.sync(() => {
              refusal = "code" in error ? String(error.code) : error._tag
            })
          ),
          goingOn(pipeline, log)
        )
    })
    assert.strictEqual(refusal, "redrive_open")
    assert.deepStrictEqual(broken(world), [])
    assert.deepStrictEqual(held(world, "a"), [0, 1, 3, 2])
    assert.deepStrictEqual(lettersOf(world), [])
  })

  it("C10: what a new generation has decided anew cannot be redriven any more", async () => {
    const world = await refused()
    await live(world, oneSink, { replay: { from: "start", generation: "next" } })
    assert.deepStrictEqual(held(world, "a"), [0, 1, 3, 0, 1, 2, 3])
    await expectRefused(world, oneSink, { letters: ["0.0.2"] }, "unknown_letter")
    assert.deepStrictEqual(held(world, "a"), [0, 1, 3, 0, 1, 2, 3])
  })

  it("C11: a record that was redriven is left out when its batch is written again", async () => {
    const world = await refused()
    await live(world, oneSink, { bench: redriving({ letters: "all" }) })
    assert.deepStrictEqual(held(world, "a"), [0, 1, 3, 2])
    // The sink remembers the redrive and has forgotten the batch; by now it would take every record of it.
    world.hub.sink("a").forget((key) => !key.split("/")[1]!.includes("."))
    await live(world, oneSink, { replay: { from: "start", generation: "same" } })
    assert.deepStrictEqual(held(world, "a"), [0, 1, 3, 2, 0, 1, 3])
    await expectRefused(world, oneSink, { letters: ["0.0.2"] }, "unknown_letter")
  })

  it("C12: what is applied is flushed when nothing can be sealed: a window of one does not get stuck", async () => {
    const world = worldOf(0)
    const source = windowOfOne(items(12))
    world.drivers.push(source)
    const definition = {
      ...oneSink,
      stages: { ...oneSink.stages, in: { source: { use: "window" } } },
      runtime: { ...runtime, checkpoint_interval: "1h" }
    }
    await live(world, definition)
    atRest(world)
    assert.strictEqual(source.acknowledged, 12)
  })
})

/** A completed run whose sink has refused the record 2, and takes it by now. */
const refused = async (): Promise<World> => {
  const world = worldOf(4)
  world.hub.sink("a").refuse = (record) => ((record as { id: number }).id === 2 ? "no" : undefined)
  await live(world, oneSink)
  atRest(world)
  world.watch = () => Effect.void
  world.hub.sink("a").refuse = () => undefined
  return world
}

type AtBench = NonNullable<Parameters<typeof live>[2]>["bench"] & {}

const redriving =
  (request: RedriveRequest): AtBench =>
  (pipeline, log) =>
    Effect.flatMap(requestRedrive(pipeline, log, { ...request, by: "test" }), (requested) =>
      awaitRedrive(pipeline, log, requested)
    )

const goingOn: AtBench = ({ actor, redrive }) =>
  Effect.andThen(
    redrive,
    awaitState(actor, ({ bench }) => !Bench.isOwed(bench))
  )

const expectRefused = async (
  world: World,
  definition: unknown,
  request: RedriveRequest,
  code: string
): Promise<void> => {
  let refusal = "none"
  await live(world, definition, {
    bench: (pipeline, log) =>
      Effect.catch(redriving(request)(pipeline, log), (error) =>
        Effect.sync(() => {
          refusal = "code" in error ? String(error.code) : error.message
        })
      )
  })
  assert.strictEqual(refusal, code)
}

/** The first attempt's request, which was on its way when its process died. */
const lateRequest = (world: World): Effect.Effect<void, DriverError> =>
  Effect.gen(function* () {
    const [seal] = eventsIn(world).filter((event) => event._tag === "BatchSealed")
    const id = rowsOf(world)[0]!.stream.slice("pipeline/".length)
    assert.strictEqual(seal?.attempt, 1)
    const { meddle } = world
    world.meddle = () => Effect.void
    const zombie = yield* Effect.scoped(
      world.hub.sink("a").open({ epoch: 1, run: seal!.run, receipt: null, leftover: null, finished: false })
    )
    yield* zombie.write({ key: `${id}/0/0/a`, batch: 0, attempt: 1, records: items(4) })
    world.meddle = meddle
  })

const timeout = (call: MemoryCall): DriverError =>
  new DriverError({
    driver: "memory",
    operation: call.operation,
    reason: { _tag: "Timeout", code: "timeout", message: "no answer" }
  })
