/**
 * Runs of sources that are read as one, where something goes wrong.
 *
 * @module
 */
import { Effect } from "effect"
import { assert, describe, it } from "vitest"
import { failOnce } from "../../src/drivers/memory/MemoryHub.ts"
import { broken, readLog, watchAcks } from "./oracles.ts"
import { windowOfOne } from "./WindowOfOne.ts"
import { eventsIn, live, makeWorld, type World } from "./World.ts"

const items = (count: number, from = 0) => Array.from({ length: count }, (_, n) => ({ id: from + n }))
const memory = (name: string) => ({ use: "memory", name })
const runtime = { batch_size: 4, in_flight: 2, checkpoint_interval: "0s", max_buffering: "5ms" }
const turns = {
  name: "turns",
  stages: {
    a: { source: memory("a") },
    b: { source: memory("b") },
    out: { from: ["a", "b"], sink: memory("out") }
  },
  merge: "round_robin",
  runtime
}

const worldOf = (a: number, b: number): World => {
  const world = makeWorld((hub) => {
    hub.source("a", items(a))
    hub.source("b", items(b, 100))
  })
  world.watch = watchAcks(world)
  return world
}

// Longer than a source is waited for, less, and not at all.
const late = (call: number) => Effect.sleep([0, 12, 3][call % 3]!)

const held = (world: World, sink = "out") =>
  world.hub.sink(sink).records.map((record) => (record as { id: number }).id)
const inTurns = (count: number) => items(count).flatMap(({ id }) => [id, 100 + id])
const atRest = (world: World) => {
  assert.deepStrictEqual(broken(world), [])
  assert.isTrue(readLog(world).types.includes("Completed"))
}
const lettersIn = (world: World) =>
  eventsIn(world).flatMap((event) => (event._tag === "BatchSealed" ? event.letters : []))

describe("a source that waits for its acknowledgement", () => {
  const waiting = {
    ...turns,
    stages: { ...turns.stages, a: { source: { use: "window" } } },
    runtime: { ...runtime, checkpoint_interval: "1h" }
  }
  const own = (world: World, isNear: boolean) => held(world).filter((id) => id < 100 === isNear)

  it("C12: is not waited for by the others until it hangs", async () => {
    const world = worldOf(0, 12)
    const source = windowOfOne(items(12))
    world.drivers.push(source)
    await live(world, waiting)
    atRest(world)
    assert.strictEqual(source.acknowledged, 12)
    assert.deepStrictEqual(
      [own(world, true), own(world, false)],
      [items(12), items(12, 100)].map((of) => of.map(({ id }) => id))
    )
  })

  it("C12: nor is a silent one that the order of times is waiting for", async () => {
    const timed = (n: number) => Array.from({ length: n }, (_, id) => ({ id, at: id }))
    const world = worldOf(0, 0)
    world.hub.source("b", timed(40))
    const source = windowOfOne(timed(12))
    world.drivers.push(source)
    const event_time = { field: "at", format: "unix_s" }
    await live(world, {
      ...waiting,
      stages: {
        a: { source: { use: "window" }, event_time },
        b: { source: memory("b"), event_time },
        out: waiting.stages.out
      },
      merge: "event_time"
    })
    atRest(world)
    assert.deepStrictEqual(
      held(world),
      Array.from({ length: 40 }, (_, id) => (id < 12 ? [id, id] : [id])).flat()
    )
  })

  it("C7: is acknowledged again by a resumed run", async () => {
    const world = worldOf(0, 12)
    const source = windowOfOne(items(12))
    world.drivers.push(source)
    await live(world, waiting, {
      dieOnAppend: (types, moment) => moment === "after" && types.includes("StageApplied")
    })
    assert.strictEqual(source.acknowledged, 0)
    await live(world, waiting)
    atRest(world)
    assert.strictEqual(source.acknowledged, 12)
    assert.lengthOf(held(world), 24)
  })
})

it("a source that is away for a while is tried again, and takes no record of the others with it", async () => {
  const world = worldOf(9, 9)
  world.meddle = failOnce({ operation: "source.next", nth: 1, phase: "before", name: "b" })
  await live(world, turns)
  atRest(world)
  assert.deepStrictEqual(held(world), inTurns(9))
  const retried = eventsIn(world).flatMap((event) => (event._tag === "Retried" ? [event] : []))
  assert.deepStrictEqual(
    retried.map(({ reason, stage }) => [stage, reason.message]),
    [["a+b", "b: source.next failed as told"]]
  )
})

it("a source that has changed stops the run, and is named", async () => {
  const world = worldOf(9, 9)
  await live(world, turns, {
    dieOnAppend: (types, moment) => moment === "after" && types.includes("BatchSealed")
  })
  world.hub.source("b", items(1, 100))
  const life = await live(world, turns)
  const failure = life._tag === "Ended" ? life.result.state.run?.failure : null
  assert.strictEqual(failure?.code, "source_changed")
  assert.include(failure?.message, "a+b: b: ")
})

describe("dead letters", () => {
  const strict = {
    ...turns,
    stages: {
      ...turns.stages,
      out: { ...turns.stages.out, from: ["a", "fits"] },
      fits: { from: "b", map: { id: "record.id + record.more" } }
    },
    dead_letters: { window: 100, threshold: 3 }
  }

  it("name the source they are of and its ordinal there, beside the place in the whole", async () => {
    const world = worldOf(4, 2)
    await live(world, strict)
    atRest(world)
    assert.deepStrictEqual(
      lettersIn(world).map(({ offset, origin, source, stage }) => ({ source, offset, stage, origin })),
      [1, 3].map((offset, n) => ({
        source: "a+b",
        offset,
        stage: "fits",
        origin: { source: "b", offset: n }
      }))
    )
  })

  it("too many of them stop the run in the middle of a batch, and it goes on right behind", async () => {
    const world = worldOf(12, 12)
    const wide = { ...strict, runtime: { ...runtime, batch_size: 6 } }
    const first = await live(world, wide)
    assert.strictEqual(first._tag === "Ended" && first.result.state.lifecycle, "Failed")
    assert.lengthOf(lettersIn(world), 4)
    assert.deepStrictEqual(held(world), [0, 1, 2, 3])
    const offsets = () =>
      eventsIn(world).flatMap((event) => (event._tag === "BatchSealed" ? [event.offset + event.count] : []))
    assert.deepStrictEqual(offsets(), [6, 8])
    while (!readLog(world).types.includes("Completed")) await live(world, wide)
    atRest(world)
    assert.deepStrictEqual(
      held(world),
      items(12).map(({ id }) => id)
    )
    assert.deepStrictEqual(
      lettersIn(world).map(({ origin }) => origin?.offset),
      items(12).map(({ id }) => id)
    )
  })
})

it("invariant 4: whatever the timing was, a resumed run writes what was sealed, in the order it was sealed", async () => {
  for (let dieAt = 20; dieAt < 60; dieAt += 3) {
    const world = worldOf(12, 12)
    let calls = 0
    // Answers come late by turns, so that whose turn it is depends on the clock.
    world.meddle = ({ operation, phase }) =>
      operation === "source.next" && phase === "before" ? late(calls++) : Effect.void
    await live(world, turns, { dieAt })
    world.meddle = () => Effect.void
    if (!readLog(world).types.includes("Completed")) await live(world, turns)
    atRest(world)
    const ids = held(world)
    for (const from of [0, 100]) {
      const own = ids.filter((id) => Math.floor(id / 100) * 100 === from)
      assert.deepStrictEqual(
        own,
        items(12, from).map(({ id }) => id),
        `killed at ${dieAt}`
      )
    }
  }
})
