/**
 * Crash enumeration, on any log: every crossing of a fault-free run is numbered, then for each number a
 * life is killed there, another one finishes, and the oracles look at what is left.
 *
 * @module
 */
import { assert, describe, it } from "vitest"
import { checkLetterSink } from "./letterSinks.ts"
import { broken, lettersOf, readLog, watchAcks } from "./oracles.ts"
import type { Topology } from "./topologies.ts"
import { live, makeWorld, type World } from "./World.ts"
import type { WorldLog } from "./WorldLog.ts"

/** Milliseconds: a server opens hundreds of logs meanwhile. */
const timeout = 240_000

/** Makes an empty log for each world. */
export type NewLog = () => WorldLog

/** Declares a crash at every crossing of a life, and two crashes in a row at a selection of them. */
export const survivesCrashes = (
  topologies: Readonly<Record<string, Topology>>,
  newLog: NewLog,
  twice: Twice = everySeventh
): void => {
  describe.each(Object.entries(topologies))("%s", (_, topology) => {
    it("runs undisturbed", async () => {
      const world = worldOf(topology, newLog)
      const life = await live(world, topology.definition)
      assert.strictEqual(life._tag === "Ended" && life.result.state.lifecycle, "Completed")
      check(world, topology, "undisturbed")
    })

    it("survives a crash at every crossing", { timeout }, async () => {
      const crossings = await crossingsOf(topology, newLog)
      assertEveryKind(crossings)
      for (let dieAt = 1; dieAt <= crossings.length; dieAt++) {
        const world = worldOf(topology, newLog)
        const first = await live(world, topology.definition, { dieAt })
        const where = first._tag === "Killed" ? `killed at ${first.at}` : `not killed (${dieAt})`
        await finish(world, topology)
        check(world, topology, where)
      }
    })

    it("survives two crashes in a row", { timeout }, async () => {
      const crossings = await crossingsOf(topology, newLog)
      for (let dieAt = 3; dieAt <= crossings.length; dieAt += twice.first) {
        for (let again = 2; again <= 60; again += twice.second) {
          const world = worldOf(topology, newLog)
          const first = await live(world, topology.definition, { dieAt })
          if (first._tag === "Ended" || readLog(world).types.includes("Completed")) continue
          const second = await live(world, topology.definition, { dieAt: again })
          await finish(world, topology)
          const at = second._tag === "Killed" ? second.at : "its end"
          check(world, topology, `killed at ${first.at}, then at ${at}`)
        }
      }
    })
  })
}

/** How many crossings lie between two first crashes, and between the second ones that follow each. */
interface Twice {
  readonly first: number
  readonly second: number
}
const everySeventh: Twice = { first: 7, second: 9 }

/** A life killed behind its Completed leaves nothing to resume: the pipeline would run anew. */
const finish = async (world: World, topology: Topology): Promise<void> => {
  if (!readLog(world).types.includes("Completed")) await live(world, topology.definition)
}

const worldOf = (topology: Topology, newLog: NewLog): World => {
  const world = makeWorld((hub) => topology.fill(hub), newLog())
  world.watch = watchAcks(world)
  return world
}

const check = (world: World, topology: Topology, where: string): void => {
  assert.deepStrictEqual(broken(world), [], where)
  for (const [name, expected] of Object.entries(topology.expected)) {
    const { records } = world.hub.sink(name)
    const told = topology.told?.[name]
    if (told !== undefined) {
      assert.deepStrictEqual(records.map(told).toSorted(), expected.toSorted(), `${where}: ${name}`)
      continue
    }
    const held = records.map((record) => (record as { id: number }).id)
    if (topology.isMerged) {
      assert.deepStrictEqual(held, expected, `${where}: ${name}`)
      continue
    }
    // Sources that meet in one sink keep their own order, not one between them.
    const near = held.filter((id) => id < 100)
    const far = held.filter((id) => id >= 100)
    assert.deepStrictEqual([...near, ...far], expected, `${where}: ${name}`)
  }
  if (topology.letterSink !== undefined) checkLetterSink(world, topology, where)
  const letters = lettersOf(world).map(({ branches, offset }) => ({ offset, branches }))
  assert.deepStrictEqual(letters, topology.letters, `${where}: dead letters`)
  assert.lengthOf(
    readLog(world).types.filter((type) => type === "Completed"),
    1,
    where
  )
}

const crossingsOf = async (topology: Topology, newLog: NewLog): Promise<ReadonlyArray<string>> => {
  const life = await live(worldOf(topology, newLog), topology.definition)
  return life._tag === "Ended" ? life.crossings : []
}

/** An enumeration proves nothing about a border that no life of it crosses. */
const assertEveryKind = (crossings: ReadonlyArray<string>): void => {
  const kinds = new Set(crossings.map((at) => at.split(" ").slice(0, 2).join(" ")))
  const operations = [
    ...["claim", "read", "loadSnapshot", "append"],
    ...["source.open", "source.next", "source.ack", "sink.open", "sink.write", "sink.flush", "sink.finish"]
  ]
  for (const operation of operations) {
    for (const moment of ["before", "after"]) assert.include([...kinds], `${moment} ${operation}`)
  }
}
