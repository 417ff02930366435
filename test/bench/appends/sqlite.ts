/**
 * On SQLite: the log, and a table of the same columns, keys and durability on the same client.
 *
 * @module
 */
import { join } from "node:path"
import { DatabaseSync } from "node:sqlite"
import { ManagedRuntime } from "effect"
import { layerSqlite } from "../../../src/log/Sqlite.ts"
import { newRow, streamNames } from "./event.ts"
import type { Store } from "./Store.ts"
import { throughLog } from "./throughLog.ts"

export const sqlite = (folder: string): Store => {
  const runtime = ManagedRuntime.make(layerSqlite({ directory: join(folder, "log") }))
  const database = new DatabaseSync(join(folder, "bare.db"))
  database.exec(`
    pragma journal_mode = wal;
    pragma synchronous = full;
    create table events (
      position integer primary key, stream text not null, version integer not null, type text not null,
      schemaVersion integer not null, payload text not null, at integer not null, eventId text not null unique,
      causationId text, correlationId text, "by" text not null, epoch integer not null, hash text not null,
      unique (stream, version)
    ) strict;
  `)
  const insert = database.prepare(`insert into events values (null, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`)
  let version = 0

  return {
    appends: (writers) => throughLog(runtime, writers),
    // The client is synchronous: several writers are one loop that takes turns.
    inserts: (writers) =>
      Promise.resolve((ms) => {
        const streams = streamNames(writers)
        let count = 0
        const began = performance.now()
        while (performance.now() < began + ms) {
          version += 1
          const row = newRow(streams[version % writers]!, version)
          insert.run(
            row.stream,
            row.version,
            row.type,
            row.schemaVersion,
            row.payload,
            row.at,
            row.eventId,
            row.causationId,
            row.correlationId,
            row.by,
            row.epoch,
            row.hash
          )
          count += 1
        }
        return Promise.resolve((count / (performance.now() - began)) * 1000)
      }),
    close: async () => {
      database.close()
      await runtime.dispose()
    }
  }
}
