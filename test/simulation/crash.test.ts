/**
 * Crash enumeration: every crossing of a fault-free run is numbered, then for each number a life is
 * killed there, another one finishes, and the oracles look at what is left.
 *
 * @module
 */
import { assert, describe, it } from "vitest"
import { broken, lettersOf, readLog, watchAcks } from "./oracles.ts"
import { type Topology, topologies } from "./topologies.ts"
import { live, makeWorld, type World } from "./World.ts"

const worldOf = (topology: Topology): World => {
  const world = makeWorld((hub) => topology.fill(hub))
  world.watch = watchAcks(world)
  return world
}

const check = (world: World, topology: Topology, where: string): void => {
  assert.deepStrictEqual(broken(world), [], where)
  for (const [name, expected] of Object.entries(topology.expected)) {
    const held = world.hub.sink(name).records.map((record) => (record as { id: number }).id)
    // Sources that meet in one sink keep their own order, not one between them.
    const near = held.filter((id) => id < 100)
    const far = held.filter((id) => id >= 100)
    assert.deepStrictEqual([...near, ...far], expected, `${where}: ${name}`)
  }
  const letters = lettersOf(world).map(({ branches, offset }) => ({ offset, branches }))
  assert.deepStrictEqual(letters, topology.letters, `${where}: dead letters`)
  assert.lengthOf(
    readLog(world).types.filter((type) => type === "Completed"),
    1,
    where
  )
}

describe.each(Object.entries(topologies))("%s", (_, topology) => {
  it("runs undisturbed", async () => {
    const world = worldOf(topology)
    const life = await live(world, topology.definition)
    assert.strictEqual(life._tag === "Ended" && life.result.state.lifecycle, "Completed")
    check(world, topology, "undisturbed")
  })

  it("survives a crash at every crossing", async () => {
    const crossings = await crossingsOf(topology)
    assert.isAbove(crossings, 20)
    for (let dieAt = 1; dieAt <= crossings; dieAt++) {
      const world = worldOf(topology)
      const first = await live(world, topology.definition, { dieAt })
      const where = first._tag === "Killed" ? `killed at ${first.at}` : `not killed (${dieAt})`
      // A life killed behind its Completed leaves nothing to resume: the pipeline would run anew.
      if (!readLog(world).types.includes("Completed")) await live(world, topology.definition)
      check(world, topology, where)
    }
  })

  it("survives two crashes in a row", async () => {
    const crossings = await crossingsOf(topology)
    for (let dieAt = 3; dieAt <= crossings; dieAt += 7) {
      for (let again = 2; again <= 60; again += 9) {
        const world = worldOf(topology)
        const first = await live(world, topology.definition, { dieAt })
        if (first._tag === "Ended" || readLog(world).types.includes("Completed")) continue
        const second = await live(world, topology.definition, { dieAt: again })
        if (!readLog(world).types.includes("Completed")) await live(world, topology.definition)
        const at = second._tag === "Killed" ? second.at : "its end"
        check(world, topology, `killed at ${first.at}, then at ${at}`)
      }
    }
  })
})

const crossingsOf = async (topology: Topology): Promise<number> => {
  const life = await live(worldOf(topology), topology.definition)
  return life._tag === "Ended" ? life.crossings : 0
}
