/**
 * A dead-letter sink that is a file, of either mode: crashes at crossings all over a run, and replays of it in both
 * generations, leave the lines of an undisturbed run.
 *
 * @module
 */
import { mkdirSync, readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { assert, describe, it } from "vitest"
import { type Filed, filesOf, withFiles, worldOf } from "./FiledWorld.ts"
import { withLetterSink } from "./letterSinks.ts"
import { broken } from "./oracles.ts"
import { type Topology, topologies } from "./topologies.ts"
import { type LifeOptions, live, rowsOf } from "./World.ts"

/** Milliseconds: hundreds of lives, on a machine that has other things to do. */
const timeout = 240_000
const path = "dead.ndjson"
const mine = '{"offset":-1,"branches":[]}\n'

const run = (world: Filed, topology: Topology, options: LifeOptions = {}) =>
  live(world, topology.definition, { ...options, base: world.base })

const fresh = (topology: Topology): Filed => {
  const world = worldOf(topology)
  mkdirSync(world.base)
  writeFileSync(join(world.base, path), mine)
  return world
}

const completed = async (topology: Topology, options: LifeOptions = {}): Promise<Filed> => {
  const world = fresh(topology)
  await run(world, topology, options)
  if (completions(world) === 0) await run(world, topology)
  assert.strictEqual(completions(world), 1)
  return world
}

const completions = (world: Filed): number => rowsOf(world).filter(({ type }) => type === "Completed").length

interface Line {
  readonly offset: number
  readonly branches: ReadonlyArray<string>
}

/**
 * A new generation gives letters new ids, and a crash more attempts: the rest is the same in every life. Of a record
 * that was decided in one generation for some sinks, in the next for the others, there are two letters.
 */
const linesOf = (world: Filed): ReadonlyArray<Line> =>
  readFileSync(join(world.base, path), "utf8")
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line))
    .map(({ branches, offset, raw, reason, source }) => ({ branches, offset, raw, reason, source }))

const byRecord = (lines: ReadonlyArray<Line>): ReadonlyArray<Line> => {
  const found = new Map<number, Line>()
  for (const line of lines) {
    const branches = [...(found.get(line.offset)?.branches ?? []), ...line.branches].toSorted()
    assert.strictEqual(new Set(branches).size, branches.length, "a record twice for a branch")
    found.set(line.offset, { ...line, branches })
  }
  return [...found.values()]
}

const others = (world: Filed): Readonly<Record<string, string>> => {
  const { [path]: _, ...files } = filesOf(world)
  return files
}

describe.each(["replace", "append"])("to a file that is to %s", (mode) => {
  const topology = withLetterSink(withFiles(topologies.letters!), { use: "file", path, mode })

  it("writes the letters once each, in order, behind what an appended file held", async () => {
    const world = await completed(topology)
    const letters = topology.letters.map(({ offset }) => offset)
    assert.deepStrictEqual(
      linesOf(world).map(({ offset }) => offset),
      mode === "append" ? [-1, ...letters] : letters
    )
    const branches = linesOf(world).find(({ offset }) => offset === 4)?.branches
    assert.deepStrictEqual(branches, ["mapped", "kept1", "made1"])
  })

  it("survives a crash at every second crossing", { timeout }, async () => {
    const model = fresh(topology)
    const life = await run(model, topology)
    const lines = linesOf(model)
    const crossings = life._tag === "Ended" ? life.crossings.length : 0
    for (let dieAt = 1; dieAt <= crossings; dieAt += 2) {
      const world = await completed(topology, { dieAt })
      assert.deepStrictEqual(linesOf(world), lines, `killed at ${dieAt}`)
      assert.deepStrictEqual(broken(world), [], `killed at ${dieAt}`)
    }
  })

  it("holds the letters of a run that was stopped as far as it came, and then the rest", async () => {
    const lines = linesOf(await completed(topology))
    for (let stopAt = 20; stopAt <= 140; stopAt += 20) {
      const world = await completed(topology, { stopAt })
      assert.deepStrictEqual(linesOf(world), lines, `stopped at ${stopAt}`)
    }
  })

  it.each(["next", "same"] as const)(
    "holds the same after a replay from every fifth version (%s generation)",
    { timeout },
    async (generation) => {
      const model = await completed(topology, { dieAt: 60 })
      const [head, lines, files] = [rowsOf(model).length, byRecord(linesOf(model)), others(model)]
      const start = rowsOf(model).findIndex(({ type }) => type === "RunStarted") + 1
      for (let version = start; version <= head; version += 5) {
        const world = await completed(topology, { dieAt: 60 })
        await run(world, topology, { replay: { from: { version }, generation } })
        assert.strictEqual(completions(world), 2, `from ${version} of ${head}`)
        assert.deepStrictEqual(byRecord(linesOf(world)), lines, `from ${version} of ${head}`)
        assert.deepStrictEqual(others(world), files, `from ${version} of ${head}`)
      }
    }
  )

  it("stays as it is when the run is replayed for some sinks alone", async () => {
    const world = await completed(topology)
    const lines = linesOf(world)
    await run(world, topology, { replay: { from: "start", stage: "shaped" } })
    assert.strictEqual(completions(world), 2)
    assert.deepStrictEqual(linesOf(world), lines)
  })
})
