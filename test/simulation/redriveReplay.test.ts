/**
 * A run that is set back after letters of it were redriven: every record is where it was, once.
 *
 * @module
 */
import { mkdirSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { Effect } from "effect"
import { assert, describe, it } from "vitest"
import { awaitRedrive } from "../../src/pipeline/letters/awaitRedrive.ts"
import type { RedriveRequest } from "../../src/pipeline/letters/LetterRequest.ts"
import { requestRedrive } from "../../src/pipeline/letters/requestRedrive.ts"
import type { ReplayRequest } from "../../src/pipeline/replay/ReplayRequest.ts"
import { type Filed, filesOf, withFiles, worldOf } from "./FiledWorld.ts"
import { topologies } from "./topologies.ts"
import { type Life, type LifeOptions, live, rowsOf } from "./World.ts"

const timeout = 240_000
const topology = withFiles(topologies.letters!)

const life = (world: Filed, options: LifeOptions): Promise<Life> =>
  live(world, topology.definition, { ...options, base: world.base })

const redriving =
  (request: RedriveRequest): NonNullable<LifeOptions["bench"]> =>
  (pipeline, log) =>
    Effect.flatMap(requestRedrive(pipeline, log, { ...request, by: "test" }), (requested) =>
      awaitRedrive(pipeline, log, requested)
    )

/** 4 is edited, 6 is taken by now; 8 and 10 stay. */
const redriven = async (): Promise<Filed> => {
  const world = worldOf(topology)
  mkdirSync(world.base)
  writeFileSync(join(world.base, "kept0.ndjson"), '{"id":-1}\n')
  await life(world, {})
  world.watch = () => Effect.void
  world.hub.sink("x").refuse = () => undefined
  const edits = { "0.1.4": { id: 4, size: 4 } }
  await life(world, { bench: redriving({ letters: ["0.1.4", "0.2.6"], edits }) })
  return world
}

const typesOf = (world: Filed): ReadonlyArray<string> => rowsOf(world).map(({ type }) => type)
const startOf = (world: Filed): number => typesOf(world).indexOf("RunStarted") + 1

const idsOf = (lines: string): ReadonlyArray<number> =>
  lines
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line).id)
    .sort((a, b) => a - b)

/** What every file holds, whatever the order: a redriven record may come earlier than it did. */
const held = (world: Filed) =>
  Object.fromEntries(Object.entries(filesOf(world)).map(([name, text]) => [name, idsOf(text)]))

const idsOfSink = (world: Filed, name: string, takes: (key: string) => boolean = () => true) =>
  world.hub
    .sink(name)
    .writes.filter(({ key }) => takes(key))
    .flatMap(({ records }) => records.map((record) => (record as { id: number }).id))
    .sort((a, b) => a - b)

describe("a replay after redrives", () => {
  it("in the same generation gives every sink what it had, from every version", { timeout }, async () => {
    const model = await redriven()
    const files = held(model)
    const sinks = { x: idsOfSink(model, "x"), y: idsOfSink(model, "y") }
    assert.deepStrictEqual(files["made1.ndjson"], [0, 1, 2, 3, 4, 5, 6, 7, 9, 10, 11])
    for (let version = startOf(model); version <= rowsOf(model).length; version++) {
      const world = await redriven()
      await life(world, { replay: { from: { version }, generation: "same" } })
      assert.deepStrictEqual(held(world), files, `from ${version}`)
      assert.deepStrictEqual({ x: idsOfSink(world, "x"), y: idsOfSink(world, "y") }, sinks, `from ${version}`)
    }
  })

  it("in a new generation decides its range anew, and keeps what was redriven before it", {
    timeout
  }, async () => {
    const model = await redriven()
    for (let version = startOf(model); version <= rowsOf(model).length; version += 2) {
      const world = await redriven()
      const replay: ReplayRequest = { from: { version }, generation: "next" }
      await life(world, { replay })
      const files = held(world)
      for (const [name, ids] of Object.entries(files)) {
        assert.strictEqual(new Set(ids).size, ids.length, `from ${version}: ${name} has a record twice`)
        // What of 4 was redriven before stays; else it is a letter of the new generation. Everybody else is there.
        assert.includeMembers([...ids], [0, 1, 2, 3, 5, 6, 7, 9, 10, 11], `from ${version}: ${name}`)
      }
      const setBack = JSON.parse(rowsOf(world).find(({ type }) => type === "RunSetBack")!.payload)
      const isDecidedAnew =
        setBack.sources.in.checkpoint === null || setBack.sources.in.checkpoint.offset <= 4
      assert.strictEqual(files["made1.ndjson"]!.includes(4), !isDecidedAnew, `from ${version}`)
    }
  })

  it("survives a crash at every fifth crossing (same generation)", { timeout }, async () => {
    const model = await redriven()
    const files = held(model)
    for (const from of [
      "start",
      { version: Math.floor((startOf(model) + rowsOf(model).length) / 2) }
    ] as const) {
      const replay: ReplayRequest = { from, generation: "same" }
      const whole = await redriven()
      const ended = await life(whole, { replay })
      const crossings = ended._tag === "Ended" ? ended.crossings.length : 0
      for (let dieAt = 1; dieAt <= crossings; dieAt += 5) {
        const world = await redriven()
        await life(world, { replay, dieAt })
        const asked = typesOf(world).lastIndexOf("RunSetBack")
        if (asked === -1) await life(world, { replay })
        else if (typesOf(world).lastIndexOf("Completed") < asked) await life(world, {})
        assert.deepStrictEqual(held(world), files, `from ${JSON.stringify(from)}, killed at ${dieAt}`)
        assert.strictEqual(new Set(idsOfSink(world, "y")).size, idsOfSink(world, "y").length)
      }
    }
  })
})
