/**
 * A run that is set back and goes on ends with what it ended with before: from every version of its log, and
 * with a crash at crossings all over the replay.
 *
 * @module
 */
import { appendFileSync, mkdirSync, rmSync, statSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { Effect } from "effect"
import { assert, describe, it } from "vitest"
import type { ReplayFrom, ReplayRequest } from "../../src/pipeline/replay/ReplayRequest.ts"
import { type Filed, filesOf, withFiles, worldOf } from "./FiledWorld.ts"
import { lettersThatCount } from "./lettersThatCount.ts"
import { mergedTopologies } from "./mergedTopologies.ts"
import { type Topology, topologies } from "./topologies.ts"
import { type Life, live, rowsOf, type World } from "./World.ts"

/** Milliseconds: hundreds of lives, on a machine that has other things to do. */
const timeout = 240_000

const run = (world: Filed, topology: Topology, options: Parameters<typeof live>[2] = {}): Promise<Life> =>
  live(world, topology.definition, { ...options, base: world.base })

/** A completed run, on a world of its own; with files that had something in them before it. */
const completed = async (topology: Topology, dieAt?: number): Promise<Filed> => {
  const world = worldOf(topology)
  mkdirSync(world.base)
  for (const [index] of Object.keys(topology.expected).entries()) {
    writeFileSync(join(world.base, `kept${index}.ndjson`), '{"id":-1}\n')
  }
  if (dieAt !== undefined) await run(world, topology, { dieAt })
  if (!typesOf(world).includes("Completed")) await run(world, topology)
  assert.include(typesOf(world), "Completed")
  world.watch = () => Effect.void
  return world
}

const typesOf = (world: World): ReadonlyArray<string> => rowsOf(world).map(({ type }) => type)

/** Goes on until the replay is done: what was not logged is asked again, what was goes on by itself. */
const finishReplay = async (world: Filed, topology: Topology, replay: ReplayRequest): Promise<void> => {
  const types = typesOf(world)
  const asked = types.lastIndexOf("RunSetBack")
  if (asked === -1) await run(world, topology, { replay })
  else if (types.lastIndexOf("Completed") < asked) await run(world, topology)
}

/** Keys confirmed up to a version, as the rows say. */
const confirmedBy = (world: World, version: number): ReadonlySet<string> =>
  new Set(
    rowsOf(world)
      .filter((row) => row.version <= version)
      .map((row) => JSON.parse(row.payload))
      .filter(({ _tag }) => _tag === "StageApplied" || _tag === "DuplicateSuppressed")
      .map(({ key }) => key)
  )

const setBackIn = (world: World): { readonly version: number; readonly generation: number } =>
  rowsOf(world)
    .filter(({ type }) => type === "RunSetBack")
    .map(({ payload }) => JSON.parse(payload))
    .at(-1)

/** The files are byte for byte what they were, and every sink holds what counts, once and in order. */
const check = (
  world: Filed,
  topology: Topology,
  files: Readonly<Record<string, string>>,
  where: string
): void => {
  // A life killed behind its Completed leaves nothing to go on with, only a deployment to take down.
  const takingDown = ["Completed", "DesiredStatusSet", "ShutdownStarted", "ShutDown"]
  assert.include(takingDown, typesOf(world).at(-1), where)
  assert.strictEqual(typesOf(world).filter((type) => type === "Completed").length, 2, where)
  assert.deepStrictEqual(filesOf(world), files, where)
  const { generation, version } = setBackIn(world)
  const before = confirmedBy(world, version)
  const letters = lettersThatCount(world).map(({ branches, offset }) => ({
    offset,
    branches: branches.filter((branch) => !/^(kept|made)/.test(branch))
  }))
  assert.deepStrictEqual(letters, topology.letters, `${where}: letters`)
  for (const [name, expected] of Object.entries(topology.expected)) {
    const counts = world.hub
      .sink(name)
      .writes.filter(
        ({ key }) => generation === 0 || before.has(key) || key.split("/")[1] === `${generation}`
      )
    assert.strictEqual(new Set(counts.map(({ key }) => key)).size, counts.length, `${where}: a key twice`)
    const held = counts.flatMap(({ records }) => records.map((record) => (record as { id: number }).id))
    if (topology.isMerged) {
      assert.deepStrictEqual(held, expected, `${where}: ${name}`)
      continue
    }
    const [near, far] = [held.filter((id) => id < 100), held.filter((id) => id >= 100)]
    assert.deepStrictEqual([...near, ...far], expected, `${where}: ${name}`)
  }
}

const headOf = (world: World): number => rowsOf(world).length
const startOf = (world: World): number => typesOf(world).indexOf("RunStarted") + 1

const some = { linear: topologies.linear!, letters: topologies.letters! }

describe.each(Object.entries(some))("%s", (_, memory) => {
  const topology = withFiles(memory)
  for (const generation of ["next", "same"] as const) {
    it(`gives the same from every version (${generation} generation)`, { timeout }, async () => {
      const model = await completed(topology, 40)
      const [head, files] = [headOf(model), filesOf(model)]
      for (let version = startOf(model); version <= head; version++) {
        const world = await completed(topology, 40)
        await run(world, topology, { replay: { from: { version }, generation } })
        check(world, topology, files, `from ${version} of ${head}`)
      }
    })

    it(`survives a crash at every third crossing of a replay (${generation} generation)`, {
      timeout
    }, async () => {
      const model = await completed(topology)
      const files = filesOf(model)
      for (const from of placesIn(model)) {
        const replay = { from, generation }
        const whole = await completed(topology)
        const life = await run(whole, topology, { replay })
        check(whole, topology, files, `from ${JSON.stringify(from)}`)
        const crossings = life._tag === "Ended" ? life.crossings.length : 0
        for (let dieAt = 1; dieAt <= crossings; dieAt += stride) {
          const world = await completed(topology)
          const killed = await run(world, topology, { replay, dieAt })
          await finishReplay(world, topology, replay)
          const at = killed._tag === "Killed" ? killed.at : "its end"
          check(world, topology, files, `from ${JSON.stringify(from)}, killed at ${at}`)
        }
      }
    })
  }
})

describe("sources read as one", () => {
  const topology = withFiles(mergedTopologies.fanInByTime)

  it.each(["next", "same"] as const)(
    "give the same from every third version (%s generation)",
    {
      timeout
    },
    async (generation) => {
      const model = await completed(topology, 50)
      const [head, files] = [headOf(model), filesOf(model)]
      for (let version = startOf(model); version <= head; version += stride) {
        const world = await completed(topology, 50)
        await run(world, topology, { replay: { from: { version }, generation } })
        check(world, topology, files, `from ${version} of ${head}`)
      }
    }
  )

  it("are read as one also for the sinks of one of them alone", async () => {
    const world = await completed(topology)
    const files = filesOf(world)
    await run(world, topology, { replay: { from: "start", stage: "made1" } })
    assert.strictEqual(typesOf(world).filter((type) => type === "Completed").length, 2)
    assert.deepStrictEqual(filesOf(world), files)
    const seals = rowsOf(world)
      .filter(({ type, version }) => type === "BatchSealed" && version > setBackAt(world))
      .map(({ payload }) => JSON.parse(payload))
    assert.deepStrictEqual([...new Set(seals.map(({ source }) => source))], ["a+b"])
    assert.deepStrictEqual([...new Set(seals.flatMap(({ branches }) => Object.keys(branches)))], ["made1"])
  })

  it("go on from a checkpoint of theirs", async () => {
    const world = await completed(topology)
    const files = filesOf(world)
    const checkpoint = { source: "a+b", offset: 9 }
    await run(world, topology, { replay: { from: { checkpoint }, generation: "next" } })
    check(world, topology, files, "from record 9")
  })
})

describe("a replay from one stage", () => {
  const topology = withFiles(topologies.fanOut!)

  it("leaves the outputs of the other sinks as they are, in place and unread", async () => {
    const world = await completed(topology)
    const files = filesOf(world)
    const others = ["kept0.ndjson", "made0.csv", "kept2.ndjson"].map((name) => join(world.base, name))
    const before = others.map((path) => statSync(path, { bigint: true }))
    const sinks = topology.expected
    const writes = Object.keys(sinks).map((name) => world.hub.sink(name).writes.length)
    const reads = world.hub.calls.length
    await run(world, topology, { replay: { from: "start", stage: "made1" } })
    assert.deepStrictEqual(filesOf(world), files)
    for (const [index, path] of others.entries()) {
      const now = statSync(path, { bigint: true })
      assert.deepInclude(
        { ...now },
        { ino: before[index]!.ino, mtimeNs: before[index]!.mtimeNs, ctimeNs: before[index]!.ctimeNs }
      )
    }
    assert.notStrictEqual(
      statSync(join(world.base, "made1.csv"), { bigint: true }).mtimeNs,
      before[0]!.mtimeNs
    )
    assert.deepStrictEqual(
      Object.keys(sinks).map((name) => world.hub.sink(name).writes.length),
      writes
    )
    assert.notInclude(
      world.hub.calls.slice(reads).map(({ operation }) => operation),
      "sink.open"
    )
  })

  it("takes the letters of its own sinks alone, whatever else happens to the records", async () => {
    const { letters } = topologies
    const world = await completed(withFiles(letters!))
    const before = lettersThatCount(world)
    await run(world, withFiles(letters!), { replay: { from: "start", stage: "shaped" } })
    assert.strictEqual(typesOf(world).filter((type) => type === "Completed").length, 2)
    const seals = rowsOf(world)
      .filter(({ type, version }) => type === "BatchSealed" && version > setBackAt(world))
      .map(({ payload }) => JSON.parse(payload))
    for (const { branches, count, totals } of seals) {
      assert.sameMembers(Object.keys(branches), ["mapped", "kept1", "made1"])
      assert.strictEqual(totals.delivered + totals.filtered + totals.unrouted + totals.lettered, count)
    }
    const mapped = (of: typeof before) =>
      of.filter(({ branches }) => branches.includes("mapped")).map(({ offset }) => offset)
    assert.deepStrictEqual(mapped(lettersThatCount(world)), mapped(before))
  })

  it("survives a crash at every third crossing", { timeout }, async () => {
    const replay: ReplayRequest = { from: "start", stage: "big" }
    const model = await completed(topology)
    const files = filesOf(model)
    const life = await run(model, topology, { replay })
    const crossings = life._tag === "Ended" ? life.crossings.length : 0
    for (let dieAt = 1; dieAt <= crossings; dieAt += stride) {
      const world = await completed(topology)
      await run(world, topology, { replay, dieAt })
      await finishReplay(world, topology, replay)
      assert.deepStrictEqual(filesOf(world), files, `killed at ${dieAt}`)
      assert.strictEqual(typesOf(world).filter((type) => type === "Completed").length, 2)
    }
  })
})

const setBackAt = (world: World): number => typesOf(world).lastIndexOf("RunSetBack") + 1

describe("outputs that are not as they were recorded", () => {
  const topology = withFiles(topologies.linear!)

  it("a finished file somebody wrote to is not cut back: the run fails and says so", async () => {
    const world = await completed(topology)
    appendFileSync(join(world.base, "kept0.ndjson"), '{"mine":1}\n')
    const before = filesOf(world)
    const life = await run(world, topology, { replay: { from: "start" } })
    const state = life._tag === "Ended" ? life.result.state : undefined
    assert.strictEqual(state?.run?.failure?.code, "output_longer_than_recorded")
    assert.strictEqual(state?.lifecycle, "Failed")
    assert.deepStrictEqual(filesOf(world), before)
  })

  it("a target that is gone is needed only for what is kept of it", async () => {
    const gone = async (from: ReplayFrom) => {
      const world = await completed(topology)
      const files = filesOf(world)
      rmSync(join(world.base, "made0.csv"))
      const life = await run(world, topology, { replay: { from } })
      return { files, now: filesOf(world), state: life._tag === "Ended" ? life.result.state : undefined }
    }
    const start = await gone("start")
    assert.deepStrictEqual(start.now, start.files)
    const end = await gone({ time: Number.MAX_SAFE_INTEGER })
    assert.strictEqual(end.state?.run?.failure?.code, "output_shorter_than_recorded")
  })

  it("a source that has changed stops the replay", async () => {
    const world = await completed(topology)
    world.hub.source("a", [{ id: 0, size: 9 }])
    const life = await run(world, topology, { replay: { from: "start", generation: "same" } })
    assert.strictEqual(life._tag === "Ended" && life.result.state.run?.failure?.code, "source_changed")
  })
})

/** Every crossing would take minutes; the places differ, so the strides fall elsewhere each time. */
const stride = 3

const placesIn = (world: World): ReadonlyArray<ReplayFrom> => {
  const middle = Math.floor((startOf(world) + headOf(world)) / 2)
  return ["start", { version: middle }]
}
