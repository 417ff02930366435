/**
 * How small batches are where records are split.
 *
 * @module
 */
import { assert, describe, it } from "@effect/vitest"
import type { RouteStage } from "../../../src/flow/route/RouteStage.ts"
import { recordsMost } from "../../../src/flow/route/recordsMost.ts"
import { eventsIn, live, makeWorld } from "../../simulation/World.ts"

const stages = (
  edges: Readonly<Record<string, ReadonlyArray<string>>>,
  into: Readonly<Record<string, number>>
) =>
  new Map(
    Object.entries(edges).map(([name, to]): [string, RouteStage] => [
      name,
      {
        name,
        reaches: [],
        step: undefined,
        waiting: undefined,
        encode: undefined,
        check: undefined,
        splitsInto: into[name],
        edges: to.map((each) => ({ to: each, when: undefined }))
      }
    ])
  )

describe("a batch", () => {
  it("has no limit of its own where nothing is split", () => {
    assert.strictEqual(recordsMost("in", stages({ in: ["out"], out: [] }, {})), Number.POSITIVE_INFINITY)
  })
  it("cannot become more than a million, by the way that makes the most", () => {
    const graph = { in: ["a", "b"], a: ["c"], b: ["c"], c: ["out"], out: [] }
    assert.strictEqual(recordsMost("in", stages(graph, { a: 10, b: 20, c: 100 })), 500)
    assert.strictEqual(recordsMost("in", stages(graph, { a: 1e6, c: 1e6 })), 1)
  })
})

it("a source is read so (invariant 7)", async () => {
  const lists = Array.from({ length: 250 }, (_, id) => ({ id, list: [1, 2] }))
  const world = makeWorld((hub) => void hub.source("in", lists))
  await live(world, {
    name: "wide",
    stages: {
      in: { source: { use: "memory", name: "in" } },
      each: { from: "in", explode: { field: "list" } },
      out: { from: "each", sink: { use: "memory", name: "out" } }
    }
  })
  const counts = eventsIn(world).flatMap((event) => (event._tag === "BatchSealed" ? [event.count] : []))
  assert.deepStrictEqual(counts, [100, 100, 50])
  assert.strictEqual(world.hub.sink("out").records.length, 500)
})
