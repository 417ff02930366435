import { Effect } from "effect"
import { assert, describe, it } from "vitest"
import { survivesCrashes } from "./crashes.ts"
import { letterSinkTopologies } from "./letterSinks.ts"
import { runtime, sink, source } from "./topologies.ts"
import { live, makeWorld } from "./World.ts"
import { inMemory } from "./WorldLog.ts"

survivesCrashes(letterSinkTopologies, inMemory)

/** Turns of the event loop: as slow as a sink gets in a world of memory. */
const aWhile = async (): Promise<void> => {
  for (let turn = 0; turn < 2000; turn++) await new Promise((resolve) => setImmediate(resolve))
}

describe("letters of a batch that is settled early", () => {
  const definition = {
    name: "slow",
    stages: {
      in: source("a"),
      plain: { from: "in", sink: sink("x") },
      first: { from: { stage: "in", when: "record.id < 3" }, sink: sink("y") }
    },
    dead_letters: { sink: sink("dead") },
    runtime
  }

  it("wait for those of the batches before it, whose sink is slow", async () => {
    const world = makeWorld((hub) => {
      hub.source(
        "a",
        Array.from({ length: 6 }, (_, id) => ({ id }))
      )
      hub.sink("x").refuse = (record) => ((record as { id: number }).id % 3 === 1 ? "no" : undefined)
    })
    world.meddle = ({ name, operation, phase }) =>
      name === "y" && operation === "sink.write" && phase === "before" ? Effect.promise(aWhile) : Effect.void
    await live(world, definition)
    const sent = world.hub.sink("dead").records.map((letter) => (letter as { offset: number }).offset)
    assert.deepStrictEqual(sent, [1, 4])
  })
})
