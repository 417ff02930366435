/**
 * Letters are redriven once, whatever crashes where: several at a time, edited, refused, nacked again, discarded, into
 * sinks that name the winner and into files that are cut back.
 *
 * @module
 */
import { mkdirSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { Effect } from "effect"
import { assert, describe, it } from "vitest"
import * as Bench from "../../projections/Bench.ts"
import { awaitState } from "../../src/pipeline/awaitState.ts"
import { awaitRedrive } from "../../src/pipeline/letters/awaitRedrive.ts"
import { discardLetters } from "../../src/pipeline/letters/discardLetters.ts"
import type { RedriveRequest } from "../../src/pipeline/letters/LetterRequest.ts"
import { requestRedrive } from "../../src/pipeline/letters/requestRedrive.ts"
import { type Filed, filesOf, withFiles, worldOf } from "./FiledWorld.ts"
import { broken, lettersOf } from "./oracles.ts"
import { topologies } from "./topologies.ts"
import { type Life, type LifeOptions, live, rowsOf } from "./World.ts"

/** Milliseconds: hundreds of lives, on a machine that has other things to do. */
const timeout = 240_000

/** A map that fails (4), a sink that refuses (6), a record that was not read (8), one that cannot be encoded (10). */
const topology = withFiles(topologies.letters!)

const life = (world: Filed, options: LifeOptions): Promise<Life> =>
  live(world, topology.definition, { ...options, base: world.base })

/** A completed run with its four letters; what was wrong with two of them is right by now. */
const lettered = async (): Promise<Filed> => {
  const world = worldOf(topology)
  mkdirSync(world.base)
  writeFileSync(join(world.base, "kept0.ndjson"), '{"id":-1}\n')
  await life(world, {})
  world.watch = () => Effect.void
  world.hub.sink("x").refuse = (record) => ((record as { id: number }).id === 8 ? "not this one" : undefined)
  return world
}

/** 4 and 8 get payloads; 8 is refused by the sink `x`; 10 still does not fit into `y`. */
const edited: RedriveRequest = {
  letters: "all",
  edits: { "0.1.4": { id: 4, size: 4 }, "0.2.8": { id: 8, size: 8 } },
  reason: "mended"
}

const redriving =
  (request: RedriveRequest): NonNullable<LifeOptions["bench"]> =>
  (pipeline, log) =>
    Effect.flatMap(requestRedrive(pipeline, log, { ...request, by: "test" }), (requested) =>
      awaitRedrive(pipeline, log, requested)
    )

/** What a next process does by itself: nothing is asked for. */
const goingOn: NonNullable<LifeOptions["bench"]> = ({ actor, redrive }) =>
  Effect.andThen(
    redrive,
    awaitState(actor, ({ bench }) => !Bench.isOwed(bench))
  )

const typesOf = (world: Filed): ReadonlyArray<string> => rowsOf(world).map(({ type }) => type)

const finish = async (world: Filed, request: RedriveRequest, requests: number): Promise<void> => {
  const asked = typesOf(world).filter((type) => type === "RedriveRequested").length
  await life(world, { bench: asked < requests ? redriving(request) : goingOn })
}

const idsOf = (lines: string): ReadonlyArray<number> =>
  lines
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line).id)

const held = (world: Filed): Readonly<Record<string, ReadonlyArray<number>>> => ({
  x: world.hub.sink("x").records.map((record) => (record as { id: number }).id),
  y: world.hub.sink("y").records.map((record) => (record as { id: number }).id),
  ...Object.fromEntries(Object.entries(filesOf(world)).map(([name, text]) => [name, idsOf(text)]))
})

const before = {
  x: [0, 1, 2, 3, 4, 5, 7, 9, 10, 11],
  y: [0, 1, 2, 3, 5, 6, 7, 9, 11],
  "kept0.ndjson": [-1, 0, 1, 2, 3, 4, 5, 6, 7, 9, 10, 11],
  "kept1.ndjson": [0, 1, 2, 3, 5, 6, 7, 9, 10, 11],
  "made0.ndjson": [0, 1, 2, 3, 4, 5, 6, 7, 9, 10, 11],
  "made1.ndjson": [0, 1, 2, 3, 5, 6, 7, 9, 10, 11]
}

/** In the order of the letters, which are redriven one behind the other. */
const after = {
  x: [...before.x, 6],
  y: [...before.y, 4, 8],
  "kept0.ndjson": [...before["kept0.ndjson"], 8],
  "kept1.ndjson": [...before["kept1.ndjson"], 4, 8],
  "made0.ndjson": [...before["made0.ndjson"], 8],
  "made1.ndjson": [...before["made1.ndjson"], 4, 8]
}

const check = (world: Filed, expected: object, where: string): void => {
  assert.deepStrictEqual(broken(world), [], where)
  assert.deepStrictEqual(held(world), expected, where)
  assert.notInclude(typesOf(world).slice(-1), "OutputFinished", `${where}: what is finished is made visible`)
}

const letters = (world: Filed) => lettersOf(world).map(({ branches, id }) => [id, branches])

/** Every crossing would take minutes; the strides of the parts differ. */
const strides = { first: 2, twice: 11 }

describe("redriving beside no run", () => {
  it("applies, nacks again and keeps what is left", async () => {
    const world = await lettered()
    assert.deepStrictEqual(held(world), before)
    await life(world, { bench: redriving(edited) })
    check(world, after, "undisturbed")
    assert.deepStrictEqual(letters(world), [
      ["0.2.8", ["plain"]],
      ["0.3.10", ["mapped"]]
    ])
    // Again, with what was refused taken and what did not fit made to; one letter is given up.
    world.hub.sink("y").encode = (payload) => payload
    await life(world, {
      bench: (pipeline, log) =>
        discardLetters(pipeline, log, { letters: ["0.2.8"], reason: "not worth it", by: "test" })
    })
    await life(world, { bench: redriving({ letters: "all" }) })
    check(world, { ...after, y: [...after.y, 10] }, "the second time")
    assert.deepStrictEqual(letters(world), [])
  })

  it("survives a crash at every second crossing", { timeout }, async () => {
    const model = await life(await lettered(), { bench: redriving(edited) })
    const crossings = model._tag === "Ended" ? model.crossings : []
    for (const what of ["append", "sink.write", "file.write", "file.flush", "file.publish", "sink.held"]) {
      assert.isTrue(crossings.some((at) => at.includes(what)) || what === "sink.held", what)
    }
    for (let dieAt = 1; dieAt <= crossings.length; dieAt += strides.first) {
      const world = await lettered()
      const killed = await life(world, { bench: redriving(edited), dieAt })
      await finish(world, edited, 1)
      const where = killed._tag === "Killed" ? `killed at ${killed.at}` : `not killed (${dieAt})`
      check(world, after, where)
      assert.deepStrictEqual(
        letters(world),
        [
          ["0.2.8", ["plain"]],
          ["0.3.10", ["mapped"]]
        ],
        where
      )
    }
  })

  it("survives two crashes in a row", { timeout }, async () => {
    const model = await life(await lettered(), { bench: redriving(edited) })
    const crossings = model._tag === "Ended" ? model.crossings.length : 0
    for (let dieAt = 5; dieAt <= crossings; dieAt += strides.twice) {
      for (let again = 3; again <= 60; again += strides.twice) {
        const world = await lettered()
        const first = await life(world, { bench: redriving(edited), dieAt })
        if (first._tag === "Ended" || !typesOf(world).includes("RedriveRequested")) continue
        const second = await life(world, { bench: goingOn, dieAt: again })
        await finish(world, edited, 1)
        const at = second._tag === "Killed" ? second.at : "its end"
        check(world, after, `killed at ${first.at}, then at ${at}`)
      }
    }
  })

  it("leaves nothing doubled when a run begins behind a crash", { timeout }, async () => {
    const model = await life(await lettered(), { bench: redriving(edited) })
    const crossings = model._tag === "Ended" ? model.crossings.length : 0
    for (let dieAt = 3; dieAt <= crossings; dieAt += strides.first * 2 + 1) {
      const world = await lettered()
      const killed = await life(world, { bench: redriving(edited), dieAt })
      if (!typesOf(world).includes("RedriveRequested")) continue
      await life(world, {})
      await life(world, { bench: goingOn })
      const where = killed._tag === "Killed" ? killed.at : "its end"
      // A second run reads its source from the beginning.
      const wrong = broken(world).filter((sentence) => !sentence.startsWith("the checkpoint of"))
      assert.deepStrictEqual(wrong, [], where)
      const now = held(world)
      const times = (of: ReadonlyArray<number>, id: number) => of.filter((each) => each === id).length
      for (const id of [0, 1, 2, 3, 5, 7, 9, 11]) {
        assert.strictEqual(
          times(now["kept0.ndjson"]!, id),
          2,
          `${where}: ${id} of the second run, and the first`
        )
      }
      // The second run lets 4 and 8 fail once more: what there is of them was redriven.
      assert.deepStrictEqual([times(now["kept0.ndjson"]!, 8), times(now["kept1.ndjson"]!, 4)], [1, 1], where)
      assert.deepStrictEqual([times(now.y!, 4), times(now.y!, 8), times(now.x!, 8)], [1, 1, 0], where)
      assert.isAtMost(times(now["made1.ndjson"]!, 4), 1, where)
    }
  })
})
