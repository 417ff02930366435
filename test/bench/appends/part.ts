/**
 * What it costs to make an event durable, alone and in company.
 *
 * @module
 */
import { mkdirSync } from "node:fs"
import { join } from "node:path"
import { alternate } from "../alternate.ts"
import { rowOf } from "../comparison.ts"
import type { Given, Part, Row, Section } from "../Part.ts"
import { newDatabase } from "../Postgres.ts"
import { emmettName, versioned } from "../peers.ts"
import { reasonOf } from "../reasonOf.ts"
import { openEmmett } from "./emmett.ts"
import { memory } from "./memory.ts"
import { connectionsMost, postgres } from "./postgres.ts"
import type { Store, Trial } from "./Store.ts"
import { sqlite } from "./sqlite.ts"

const writerCounts = [1, 16, 1000]

const run = async (given: Given): Promise<Section> => {
  const folder = join(given.folder, "appends")
  mkdirSync(folder)
  const notes: Array<string> = []
  const rows = [
    ...(await rowsOf("memory", memory, given)),
    ...(await using(sqlite(folder), (store) => rowsOf("SQLite", store, given)))
  ]
  const peer: Array<Row> = []
  if ("missing" in given.postgres) notes.push(given.postgres.missing)
  else {
    const url = await newDatabase(given.postgres.url, "appends")
    await using(await postgres(url), async (store) => {
      rows.push(...(await rowsOf("Postgres", store, given)))
      try {
        peer.push(...(await rowsOfPeer(store, url, given)))
      } catch (error) {
        notes.push(`${versioned(emmettName)} could not be run: ${reasonOf(error)}`)
      }
    })
  }
  const tables = [
    { caption: "Events a second, against a bare insert loop (more is better)", rows },
    {
      caption: `Events a second on Postgres, against ${versioned(emmettName)}, \`appendToStream\` with the expected version (more is better)`,
      rows: peer
    }
  ]
  return {
    text: `One event an append; each actor owns a stream and waits for each answer. Ours checks version and epoch, chains a hash, and answers when the event is durable; appends of many actors share commits. The bare loop inserts the same row through the same client with the same durability, one commit each: in memory it pushes to an array, on SQLite it is one loop (the client is synchronous), on Postgres it is as many connections as actors, at most ${connectionsMost}.`,
    tables: tables.filter((table) => table.rows.length > 0),
    notes
  }
}

const using = async <A>(store: Store, use: (store: Store) => Promise<A>): Promise<A> => {
  try {
    return await use(store)
  } finally {
    await store.close()
  }
}

const rowsOf = async (name: string, store: Store, given: Given): Promise<ReadonlyArray<Row>> => {
  const rows: Array<Row> = []
  for (const writers of writerCounts) {
    const [ours, theirs] = [await store.appends(writers), await store.inserts(writers)]
    rows.push(await compare(labelOf(name, writers), ours, theirs, given))
  }
  return rows
}

const rowsOfPeer = async (store: Store, url: string, given: Given): Promise<ReadonlyArray<Row>> => {
  if (given.peersMissing !== null) throw new Error(given.peersMissing)
  const emmett = await openEmmett(url)
  try {
    const rows: Array<Row> = []
    for (const writers of [1, 16]) {
      const ours = await store.appends(writers)
      rows.push(await compare(labelOf("Postgres", writers), ours, emmett.appends(writers), given))
    }
    return rows
  } finally {
    await emmett.close()
  }
}

const compare = async (what: string, ours: Trial, theirs: Trial, { quick }: Given): Promise<Row> => {
  const ms = quick ? 100 : 500
  const samples = await alternate(
    { ours: () => ours(ms), theirs: () => theirs(ms), again: () => ours(ms) },
    { rounds: quick ? 1 : 7 }
  )
  return rowOf({ what, ...samples, control: [samples.again, samples.ours] })
}

const labelOf = (name: string, writers: number): string =>
  `${name}, ${writers.toLocaleString("en")} ${writers === 1 ? "actor" : "actors"}`

export default { title: "Appends", run } satisfies Part
