/**
 * Bugs others paid for, as far as they concern what the log holds of batches with a memory.
 *
 * @module
 */
import { assert, describe, it } from "vitest"
import { emptyOutcome } from "../../src/flow/memory/withMade.ts"
import { letters, type Outcome } from "../../src/flow/Outcome.ts"
import { eventsIn, live, makeWorld } from "../simulation/World.ts"

describe("what others paid for", () => {
  it("Dagster #19618: the log grows with the batches, not with records, groups or windows", async () => {
    const world = makeWorld((hub) => {
      hub.source(
        "in",
        Array.from({ length: 900 }, (_, n) => ({ n, at: n * 10, parts: [n, n + 1] }))
      )
    })
    await live(world, {
      name: "grouped",
      stages: {
        in: { source: { use: "memory", name: "in" }, event_time: { field: "at", format: "unix_ms" } },
        parts: { from: "in", explode: { field: "parts", into: "part", limit: 10 } },
        counted: {
          from: "parts",
          aggregate: {
            window: { tumbling: "500ms" },
            by: { part: "record.part % 300" },
            make: { n: "count" }
          }
        },
        out: { from: "counted", sink: { use: "memory", name: "out" } }
      },
      runtime: { batch_size: 100, checkpoint_interval: "0s" }
    })
    const tags = eventsIn(world).map(({ _tag }) => _tag)
    assert.include(tags, "Completed")
    assert.isAbove(world.hub.sink("out").records.length, 900)
    // Nine batches, and the one that closes the last windows.
    assert.strictEqual(tags.filter((tag) => tag === "BatchSealed").length, 10)
    assert.isAtMost(tags.filter((tag) => tag === "StageApplied").length, 10)
  })

  it("Restate sdk-ts #656: whatever a failure says, its letter is the same one", () => {
    const failing = (message: string): Outcome => ({
      ...emptyOutcome(["out"]),
      made: [{ stage: "counted", payload: { n: 1 } }],
      failures: [5, -1].map((index) => ({
        index,
        stage: "checked",
        branches: ["out"],
        reason: { code: message, message }
      }))
    })
    const idsOf = (outcome: Outcome) =>
      letters(outcome, {
        source: "in",
        batch: 3,
        generation: 1,
        offset: 20,
        branches: new Set(["out"]),
        raw: () => ({ encoding: "utf8", data: "{}", size: 2 })
      }).map(({ id }) => id)
    assert.deepStrictEqual(idsOf(failing("socket 4711 closed")), ["1.3.25", "1.3.counted.0"])
    assert.deepStrictEqual(idsOf(failing("socket 4712 closed")), idsOf(failing("socket 4711 closed")))
  })
})
