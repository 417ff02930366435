/**
 * What a batch leaves behind is what its first seal says, whatever its records teach when it is made again.
 *
 * @module
 */
import { assert, it } from "vitest"
import { eventsIn, live, makeWorld } from "./World.ts"

const definition = {
  name: "weighed",
  stages: {
    in: { source: { use: "memory", name: "a" }, event_time: { field: "at", format: "unix_ms" } },
    weighed: { from: "in", lookup: { use: "memory", name: "weights", match: { kind: "kind" }, into: "of" } },
    summed: {
      from: "weighed",
      aggregate: { window: { tumbling: "100ms" }, make: { sum: { sum: "record.of.weight" } } }
    },
    out: { from: "summed", sink: { use: "memory", name: "x" } }
  },
  runtime: { batch_size: 3, in_flight: 4, checkpoint_interval: "0s" }
}
const times = [10, 20, 30, 40, 110, 120, 130, 210, 220, 310]

for (const nth of [1, 2]) {
  it(`a table that changes between two lives changes nothing that was sealed (append ${nth})`, async () => {
    const world = makeWorld((hub) => {
      hub.source(
        "a",
        times.map((at) => ({ at, kind: "k" }))
      )
      hub.lookup("weights", [{ kind: "k", weight: 1 }])
    })
    let appends = 0
    const first = await live(world, definition, {
      dieOnAppend: (types, moment) => moment === "after" && types.includes("BatchSealed") && ++appends === nth
    })
    assert.strictEqual(first._tag, "Killed")
    const sealed = eventsIn(world).reduce(
      (end, event) => (event._tag === "BatchSealed" ? Math.max(end, event.offset + event.count) : end),
      0
    )
    world.hub.lookup("weights", [{ kind: "k", weight: 1000 }])
    await live(world, definition)
    const sums = new Map<number, number>()
    for (const [offset, at] of times.entries()) {
      const window = Math.floor(at / 100)
      sums.set(window, (sums.get(window) ?? 0) + (offset < sealed ? 1 : 1000))
    }
    const held = world.hub.sink("x").records.map((record) => (record as { sum: number }).sum)
    assert.deepStrictEqual(held, [...sums.values()])
  })
}
