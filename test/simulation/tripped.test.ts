/**
 * Too many dead letters of one source end the run, whatever its other sources are doing.
 *
 * @module
 */
import { Effect, Schema } from "effect"
import { assert, it } from "vitest"
import type { Driver } from "../../src/drivers/Driver.ts"
import { broken } from "./oracles.ts"
import { eventsIn, live, makeWorld } from "./World.ts"

/** A source that waits for records, and none ever come. */
const silent: Driver = {
  name: "silent",
  class: "memory",
  guarantee: "at_least_once",
  source: {
    config: Schema.Struct({}),
    make: () =>
      Effect.succeed({
        open: () =>
          Effect.succeed({
            next: () => Effect.never,
            ack: () => Effect.void,
            progress: () => ({ done: 0, total: null, unit: "rows" as const })
          })
      })
  }
}

const definition = {
  name: "tripped",
  stages: {
    in: { source: { use: "memory", name: "a" } },
    checked: { from: "in", map: { set: { twice: "record.n * 2" } } },
    out: { from: "checked", sink: { use: "memory", name: "x" } },
    open: { source: { use: "silent" } },
    other: { from: "open", sink: { use: "memory", name: "y" } }
  },
  dead_letters: { window: 10, threshold: 1 },
  runtime: { batch_size: 2 }
}

it("a source that has no end does not keep the run from failing", { timeout: 20_000 }, async () => {
  const world = makeWorld((hub) => void hub.source("a", [{ n: 1 }, { n: "a" }, { n: "b" }, { n: 2 }]))
  world.drivers.push(silent)
  await live(world, definition)
  const failed = eventsIn(world).flatMap((event) => (event._tag === "Failed" ? [event.reason.code] : []))
  assert.deepStrictEqual(failed, ["dead_letter_threshold"])
  assert.deepStrictEqual(broken(world), [])
  assert.deepStrictEqual(world.hub.sink("x").records, [{ n: 1, twice: 2 }])
})
