/**
 * A table that changes its mind between two attempts at a batch: whatever it says, every record ends once,
 * and what counts is what the winner was told.
 *
 * @module
 */
import { Effect } from "effect"
import { assert, it } from "vitest"
import { broken, lettersOf, readLog, watchAcks } from "./oracles.ts"
import { live, makeWorld, type World } from "./World.ts"

const ids = Array.from({ length: 8 }, (_, id) => id)
const definition = {
  name: "fickle",
  stages: {
    in: { source: { use: "memory", name: "a" } },
    named: {
      from: "in",
      lookup: {
        ...{ use: "memory", name: "table", match: { id: "id" }, into: "row", on_miss: "dead_letter" },
        cache: { size: 0 }
      }
    },
    out: { from: "named", sink: { use: "memory", name: "x" } },
    again: { from: "named", sink: { use: "memory", name: "y" } }
  },
  runtime: { batch_size: 3, in_flight: 2, checkpoint_interval: "0s" },
  dead_letters: { window: 0, threshold: 0 }
}

/** Knows the even numbers in one call and the odd ones in the next. */
const fickleWorld = (): World => {
  const world = makeWorld(
    (hub) =>
      void hub.source(
        "a",
        ids.map((id) => ({ id }))
      )
  )
  const table = world.hub.remoteLookup("table", [])
  world.watch = watchAcks(world)
  world.meddle = ({ operation, ordinal, phase }) => {
    if (operation === "lookup.find" && phase === "before") {
      table.rows = ids.filter((id) => id % 2 === ordinal % 2).map((id) => ({ id }))
    }
    return Effect.void
  }
  return world
}

const check = (world: World, where: string): void => {
  assert.deepStrictEqual(broken(world), [], where)
  for (const [stage, name] of [
    ["out", "x"],
    ["again", "y"]
  ] as const) {
    const delivered = world.hub.sink(name).records.map((record) => (record as { id: number }).id)
    const letters = lettersOf(world).flatMap(({ branches, offset }) =>
      branches.includes(stage) ? [offset] : []
    )
    assert.deepStrictEqual(
      [...delivered, ...letters].toSorted((a, b) => a - b),
      ids,
      `${where}: ${name}`
    )
    assert.deepStrictEqual(
      delivered.toSorted((a, b) => a - b),
      delivered,
      `${where}: the order of ${name}`
    )
  }
}

it("every record is delivered or a letter that counts, on each branch, wherever a life ends", async () => {
  const life = await live(fickleWorld(), definition)
  const crossings = life._tag === "Ended" ? life.crossings.length : 0
  let differed = 0
  for (let dieAt = 1; dieAt <= crossings; dieAt++) {
    const world = fickleWorld()
    const first = await live(world, definition, { dieAt })
    if (!readLog(world).types.includes("Completed")) await live(world, definition)
    check(world, first._tag === "Killed" ? first.at : "its end")
    if (lettersOf(world).some(({ branches }) => branches.length === 1)) differed++
  }
  // Some crash comes between two branches, and then they were told different things.
  assert.isAbove(differed, 0)
}, 120_000)
