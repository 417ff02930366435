/**
 * Stages that remember, at work: late records, windows behind windows, and a batch that is cut.
 *
 * @module
 */
import { assert, describe, it } from "vitest"
import type { MemoryHub } from "../../src/drivers/memory/MemoryHub.ts"
import { eventsIn, live, makeWorld } from "../simulation/World.ts"

const runtime = { batch_size: 4, checkpoint_interval: "0s" }
const timed = (of: object = {}) => ({
  source: { use: "memory", name: "a" },
  event_time: { field: "at", format: "unix_ms", ...of }
})
const counted = (from: string, every: string) => ({
  from,
  aggregate: { window: { tumbling: every }, make: { n: "count" } }
})
const to = (from: string, name: string) => ({ from, sink: { use: "memory", name } })

const ran = async (stages: object, fill: (hub: MemoryHub) => void, of: object = {}) => {
  const world = makeWorld(fill)
  const definition = { name: "timed", stages, runtime, ...of }
  const life = await live(world, definition)
  const seals = eventsIn(world).flatMap((event) => (event._tag === "BatchSealed" ? [event] : []))
  return {
    world,
    definition,
    seals,
    state: life._tag === "Ended" ? life.result.state : undefined,
    letters: seals.flatMap(({ letters }) =>
      letters.map(({ offset, reason, stage }) => `${offset} ${stage} ${reason.code}`)
    ),
    held: (name: string) => world.hub.sink(name).records
  }
}

const records = (...times: ReadonlyArray<number>) => times.map((at, id) => ({ id, at }))
const ids = (of: ReadonlyArray<unknown>) => of.map((record) => (record as { id: number }).id)
const counts = (of: ReadonlyArray<unknown>) => of.map((record) => (record as { n: number }).n)

describe("late records", () => {
  // 300 is late behind 500, and allowed to be: 300 ms. 100 is later than that.
  const fill = (hub: MemoryHub) => void hub.source("a", records(100, 500, 300, 100, 600))
  const stages = (onLate: string) => ({
    in: timed({ allowed_lateness: "300ms", on_late: onLate }),
    counted: counted("in", "100ms"),
    all: to("in", "x"),
    out: to("counted", "y")
  })

  it("are dead letters of their source", async () => {
    const { held, letters } = await ran(stages("dead_letter"), fill)
    assert.deepStrictEqual(letters, ["3 in late"])
    assert.deepStrictEqual(ids(held("x")), [0, 1, 2, 4])
  })

  it("are dropped, and count as filtered", async () => {
    const { held, letters, state } = await ran(stages("drop"), fill)
    assert.deepStrictEqual(letters, [])
    assert.deepStrictEqual(ids(held("x")), [0, 1, 2, 4])
    assert.deepInclude(state?.run?.counts, { read: 5, delivered: 4, filtered: 1 })
  })

  it("are kept, and the windows they belong to may be closed by then", async () => {
    // The first batch closes the window of 100; the record of the second one comes too late for it.
    const late = (hub: MemoryHub) => void hub.source("a", records(100, 500, 510, 520, 110, 300))
    const { held, letters } = await ran(stages("keep"), late)
    assert.deepStrictEqual(letters, ["4 counted late"])
    assert.deepStrictEqual(ids(held("x")), [0, 1, 2, 3, 4, 5])
    assert.deepStrictEqual(counts(held("y")), [1, 1, 3])
  })
})

it("a record without event time belongs to no window", async () => {
  const stages = {
    in: timed(),
    other: { source: { use: "memory", name: "b" } },
    counted: { ...counted("in", "100ms"), from: ["in", "other"] },
    out: to("counted", "x")
  }
  const { held, letters } = await ran(stages, (hub) => {
    hub.source("a", records(100, 110))
    hub.source("b", [{ id: 9 }])
  })
  assert.deepStrictEqual(letters, ["0 counted no_event_time"])
  assert.deepStrictEqual(counts(held("x")), [2])
})

it("windows of windows: what an aggregate makes happened at the end of its window", async () => {
  const stages = {
    in: timed(),
    small: counted("in", "100ms"),
    large: {
      from: "small",
      aggregate: { window: { tumbling: "200ms" }, make: { n: { sum: "record.n" }, of: "count" } }
    },
    out: to("large", "x"),
    part: to("small", "y")
  }
  const { held, state } = await ran(stages, (hub) =>
    hub.source("a", records(0, 10, 120, 130, 140, 199, 200, 390, 400))
  )
  assert.deepStrictEqual(counts(held("y")), [2, 4, 1, 1, 1])
  assert.deepStrictEqual(
    held("x").map((record) => [(record as { n: number }).n, (record as { of: number }).of]),
    [
      [6, 2],
      [2, 2],
      [1, 1]
    ]
  )
  assert.deepInclude(state?.run?.counts, { read: 9, delivered: 0, filtered: 0, aggregated: 9 })
  assert.strictEqual(state?.lifecycle, "Completed")
})

it("a batch that the threshold cuts has taught nothing beyond the cut", async () => {
  const stages = {
    in: { source: { use: "memory", name: "a" } },
    once: { from: "in", dedupe: { key: "record.key" } },
    out: to("once", "x")
  }
  const fill = (hub: MemoryHub) =>
    void hub.source("a", [{ id: 0, key: 0 }, { id: 1 }, { id: 2, key: 2 }, { id: 3, key: 3 }])
  const { definition, held, letters, state, world } = await ran(stages, fill, {
    dead_letters: { window: 10, threshold: 0 }
  })
  assert.deepStrictEqual(letters, ["1 once expression_failed"])
  assert.strictEqual(state?.lifecycle, "Failed")
  assert.deepStrictEqual(ids(held("x")), [0])
  await live(world, definition)
  assert.deepStrictEqual(ids(held("x")), [0, 2, 3])
})

it("a source's end closes windows with a batch of no records, for the sinks they lead to", async () => {
  const stages = { in: timed(), counted: counted("in", "100ms"), out: to("counted", "x"), raw: to("in", "y") }
  const { held, seals } = await ran(stages, (hub) => hub.source("a", records(100, 110)))
  assert.deepStrictEqual(counts(held("x")), [2])
  assert.deepInclude(seals.at(-1), { count: 0, range: { from: 2, to: 2 }, offset: 2 })
  assert.deepStrictEqual(seals.at(-1)?.time?.combined, 8.64e15)
  assert.deepStrictEqual(seals.at(-1)?.memory, { counted: { close: 8.64e15 } })
})

it("a plan without event time and memory seals neither", async () => {
  const { seals, state } = await ran(
    { in: { source: { use: "memory", name: "a" } }, out: to("in", "x") },
    (hub) => hub.source("a", records(1, 2))
  )
  assert.notProperty(seals[0], "time")
  assert.notProperty(seals[0], "memory")
  assert.notProperty(state?.run, "memory")
})
