/**
 * A process that reads a whole stream and folds it, through the log or with bare queries on the same
 * client, and prints `{ ms, version, delivered }`. Arguments: the side and the history, as JSON.
 *
 * @module
 */
import "effect/schema/SchemaJITCompiler/enable"
import { join } from "node:path"
import { DatabaseSync } from "node:sqlite"
import { Effect, Redacted, Result, Stream } from "effect"
import type { StoredEvent } from "../../../events/StoredEvent.ts"
import { decodePipelineEvent } from "../../../events/upcast.ts"
import * as PipelineState from "../../../projections/PipelineState.ts"
import { EventLog } from "../../../src/log/EventLog.ts"
import type { History } from "../history.ts"

type Row = Pick<StoredEvent, "version" | "type" | "schemaVersion" | "payload">

let state = PipelineState.initial
let version = 0

const take = (row: Row): void => {
  // Only these four are looked at.
  state = PipelineState.evolve(state, Result.getOrThrow(decodePipelineEvent(row as StoredEvent)))
  version = row.version
}

const throughLog = async ({ place, stream }: History): Promise<void> => {
  const layer =
    "url" in place
      ? (await import("../../../src/log/Postgres.ts")).layerPostgresReader({ url: Redacted.make(place.url) })
      : (await import("../../../src/log/Sqlite.ts")).layerSqliteReader(place)
  const all = EventLog.use((log) =>
    Stream.runForEachArray(log.read(stream), (rows) =>
      Effect.sync(() => {
        for (const row of rows) take(row)
      })
    )
  )
  await Effect.runPromise(Effect.provide(all, layer))
}

const sqlitePage = 1000
const postgresPage = 10_000

const bare = async ({ place, stream }: History): Promise<void> => {
  if ("url" in place) return bareOnPostgres(place.url, stream)
  const database = new DatabaseSync(join(place.directory, "millrace.db"), { readOnly: true })
  const page = database.prepare(
    "select version, type, schemaVersion, payload from events where stream = ? and version > ? order by version limit ?"
  )
  page.setReturnArrays(true)
  for (;;) {
    const rows = page.all(stream, version, sqlitePage) as unknown as ReadonlyArray<Values>
    for (const row of rows) take(rowOf(row))
    if (rows.length < sqlitePage) return database.close()
  }
}

const bareOnPostgres = async (url: string, stream: string): Promise<void> => {
  const connection = await (await import("../Postgres.ts")).connect(url)
  const page = `select version, type, schema_version, payload from millrace.events
    where stream = $1 and version > $2::int4 order by version limit ${postgresPage}`
  for (;;) {
    const rows = (await connection.query(page, [stream, version])) as unknown as ReadonlyArray<Values>
    for (const row of rows) take(rowOf(row))
    if (rows.length < postgresPage) return connection.close()
  }
}

type Values = readonly [number, string, number, string]
const rowOf = ([version, type, schemaVersion, payload]: Values): Row => ({
  version,
  type,
  schemaVersion,
  payload
})

const [side, history] = [process.argv[2], JSON.parse(process.argv[3]!) as History]
const began = performance.now()
await (side === "log" ? throughLog : bare)(history)
const ms = performance.now() - began
process.stdout.write(`${JSON.stringify({ ms, version, delivered: state.run?.counts.delivered })}\n`)
