/**
 * A run with a memory that is set back finds the memory of that moment, and ends with what it ended with before:
 * from every version of its log, in either generation, with a crash on the way.
 *
 * @module
 */
import { assert, describe, it } from "vitest"
import type { ReplayRequest } from "../../src/pipeline/replay/ReplayRequest.ts"
import { lettersThatCount } from "./lettersThatCount.ts"
import { timedTopologies } from "./timedTopologies.ts"
import type { Topology } from "./topologies.ts"
import { live, makeWorld, rowsOf, type World } from "./World.ts"

/** Milliseconds: hundreds of lives, on a machine that has other things to do. */
const timeout = 240_000
const { dedupe, late, windows, within } = timedTopologies

const typesOf = (world: World): ReadonlyArray<string> => rowsOf(world).map(({ type }) => type)

/** A completed run that was killed once on its way. */
const completed = async ({ definition, fill }: Topology): Promise<World> => {
  const world = makeWorld(fill)
  await live(world, definition, { dieAt: 40 })
  await live(world, definition)
  assert.include(typesOf(world), "Completed")
  return world
}

/** What counts at a sink: of this generation, or confirmed by the version the run went back to. */
const countingAt = (world: World, name: string): ReadonlyArray<unknown> => {
  const events = rowsOf(world).map(({ payload, version }) => ({ version, event: JSON.parse(payload) }))
  const { event } = events.findLast(({ event }) => event._tag === "RunSetBack")!
  const confirmed = new Set(
    events.flatMap(({ event: { _tag, key }, version }) =>
      version <= event.version && (_tag === "StageApplied" || _tag === "DuplicateSuppressed") ? [key] : []
    )
  )
  return world.hub
    .sink(name)
    .writes.filter(
      ({ key }) => event.generation === 0 || confirmed.has(key) || key.split("/")[1] === `${event.generation}`
    )
    .flatMap(({ records }) => records)
}

const check = (world: World, { expected, letters, told = {} }: Topology, where: string): void => {
  for (const [name, wanted] of Object.entries(expected)) {
    const text = told[name] ?? ((record) => `${(record as { id: number }).id}`)
    const held = countingAt(world, name).map(text)
    assert.deepStrictEqual(held.toSorted(), wanted.map(String).toSorted(), `${where}: ${name}`)
  }
  const byOffset = lettersThatCount(world).map(({ branches, offset }) => ({
    offset,
    branches: branches.toSorted()
  }))
  const wanted = letters.map(({ branches, offset }) => ({ offset, branches: branches.toSorted() }))
  assert.deepStrictEqual(byOffset, wanted, `${where}: letters`)
}

const replayed = async (topology: Topology, replay: ReplayRequest, dieAt?: number): Promise<World> => {
  const world = await completed(topology)
  await live(world, topology.definition, dieAt === undefined ? { replay } : { replay, dieAt })
  const types = typesOf(world)
  if (!types.includes("RunSetBack")) await live(world, topology.definition, { replay })
  else if (types.lastIndexOf("Completed") < types.lastIndexOf("RunSetBack"))
    await live(world, topology.definition)
  return world
}

describe.each(Object.entries({ windows, late, dedupe, within }))("%s", (_, topology) => {
  for (const generation of ["next", "same"] as const) {
    it(`gives the same from every version (${generation} generation)`, { timeout }, async () => {
      const model = await completed(topology)
      for (
        let version = typesOf(model).indexOf("RunStarted") + 1;
        version <= rowsOf(model).length;
        version++
      ) {
        const world = await replayed(topology, { from: { version }, generation })
        check(world, topology, `from ${version}`)
      }
    })

    it(`survives crashes on the way (${generation} generation)`, { timeout }, async () => {
      const model = await completed(topology)
      const version = Math.floor((typesOf(model).indexOf("RunStarted") + rowsOf(model).length) / 2)
      for (let dieAt = 1; dieAt <= 90; dieAt += 4) {
        const world = await replayed(topology, { from: { version }, generation }, dieAt)
        check(world, topology, `from ${version}, killed at ${dieAt}`)
      }
    })
  }
})
