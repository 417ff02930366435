/**
 * Small durable units of work: a run of three confirmed effects against a workflow of three steps.
 *
 * @module
 */
import { alternate } from "../alternate.ts"
import { rowOf } from "../comparison.ts"
import type { Given, Part, Row, Section } from "../Part.ts"
import { newDatabase } from "../Postgres.ts"
import { dbosName, versioned } from "../peers.ts"
import { reasonOf } from "../reasonOf.ts"
import { openDbos } from "./dbosUnits.ts"
import { openMillrace } from "./millraceUnits.ts"

const lanes = [1, 16]

interface Units {
  readonly run: (lane: number) => Promise<void>
  readonly done: () => ReadonlyArray<number>
  readonly close: () => Promise<void>
}

const run = async (given: Given): Promise<Section> => {
  const text = `A unit of work with three effects, each recorded on the same Postgres server before the unit is over. Theirs is a workflow of three steps in ${versioned(dbosName)}; ours is a run of a pipeline: triggered, one record through a map, sealed, written to three sinks, confirmed, completed. Both sides' effects are counters in memory. Ours writes its three sinks in one go and is made for batches of records, theirs runs its steps one after the other and can wait for days between two of them: it is a comparison of what a small durable unit costs, not of what both can do.`
  if ("missing" in given.postgres) return { text, tables: [], notes: [given.postgres.missing] }
  const server = given.postgres.url
  const notes: Array<string> = []
  const ours = await openMillrace(await newDatabase(server, "units"), Math.max(...lanes))
  const theirs = await openPeer(server, given).catch((error: unknown) => {
    notes.push(`${versioned(dbosName)} could not be run: ${reasonOf(error)}`)
    return undefined
  })
  const rows: Array<Row> = []
  for (const atOnce of lanes) rows.push(await compare(atOnce, ours, theirs, given))
  for (const units of [ours, theirs]) {
    if (new Set(units?.done()).size > 1) throw new Error("some steps were done more often than others")
    await units?.close()
  }
  return { text, tables: [{ caption: "Units a second (more is better)", rows }], notes }
}

const openPeer = async (server: string, { peersMissing }: Given): Promise<Units> => {
  if (peersMissing !== null) throw new Error(peersMissing)
  return openDbos(await newDatabase(server, "workflows"))
}

const compare = async (
  atOnce: number,
  ours: Units,
  theirs: Units | undefined,
  { quick }: Given
): Promise<Row> => {
  const ms = quick ? 200 : 1500
  const side = (units: Units) => () => rateOf(units, atOnce, ms)
  const options = { rounds: quick ? 1 : 5 }
  const what = `${atOnce} at once`
  if (theirs === undefined) {
    const alone = await alternate({ ours: side(ours), again: side(ours) }, options)
    return rowOf({ what, ours: alone.ours, control: [alone.again, alone.ours] })
  }
  const samples = await alternate({ ours: side(ours), theirs: side(theirs), again: side(ours) }, options)
  const asked = atOnce === 16 ? { asked: "ratio ≥ 5" } : {}
  return rowOf({ what, ...samples, control: [samples.again, samples.ours], ...asked })
}

/** Every lane begins its next unit when its last one is over. */
const rateOf = async ({ run }: Units, atOnce: number, ms: number): Promise<number> => {
  let count = 0
  const began = performance.now()
  await Promise.all(
    Array.from({ length: atOnce }, async (_, lane) => {
      while (performance.now() - began < ms) {
        await run(lane)
        count += 1
      }
    })
  )
  return (count / (performance.now() - began)) * 1000
}

export default { title: "Durable units of work", run } satisfies Part
