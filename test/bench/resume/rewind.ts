/**
 * Puts a log back to where it stood, so that every round of a measurement finds the same. Nothing that runs
 * may do this: it is the benchmark's right because the log is the benchmark's own.
 *
 * @module
 */
import { join } from "node:path"
import { DatabaseSync } from "node:sqlite"
import type { History } from "../history.ts"
import { connect } from "../Postgres.ts"

/** Remembers where the log stands; the answer brings it back there. */
export const rewinding = async ({ place, stream }: History): Promise<() => Promise<void>> => {
  if ("url" in place) return onPostgres(place.url, stream)
  const open = (): DatabaseSync => new DatabaseSync(join(place.directory, "millrace.db"))
  const database = open()
  const head = database.prepare("select version, epoch, hash from streams where stream = ?").get(stream)!
  const saved = database.prepare("select version, state from snapshots where stream = ?").get(stream)!
  database.close()
  return () => {
    const database = open()
    database.exec("begin")
    database.prepare("delete from events where stream = ? and version > ?").run(stream, head.version!)
    database
      .prepare("update streams set version = ?, epoch = ?, hash = ? where stream = ?")
      .run(head.version!, head.epoch!, head.hash!, stream)
    database
      .prepare("update snapshots set version = ?, state = ? where stream = ?")
      .run(saved.version!, saved.state!, stream)
    database.exec("commit; pragma wal_checkpoint(truncate)")
    database.close()
    return Promise.resolve()
  }
}

const onPostgres = async (url: string, stream: string): Promise<() => Promise<void>> => {
  const before = await connect(url)
  const [head] = await before.query("select version, epoch, hash from millrace.streams where stream = $1", [
    stream
  ])
  const [saved] = await before.query("select version, state from millrace.snapshots where stream = $1", [
    stream
  ])
  await before.close()
  return async () => {
    const connection = await connect(url)
    // The killed process may still have a session on the server, with a lock that the next one wants.
    await connection.query(
      `select pg_terminate_backend(pid, 5000) from pg_stat_activity
       where datname = current_database() and pid <> pg_backend_pid() and backend_type = 'client backend'`
    )
    await connection.query("delete from millrace.events where stream = $1 and version > $2::int4", [
      stream,
      head![0]
    ])
    await connection.query(
      "update millrace.streams set version = $2::int4, epoch = $3::int4, hash = $4 where stream = $1",
      [stream, ...head!]
    )
    await connection.query("update millrace.snapshots set version = $2::int4, state = $3 where stream = $1", [
      stream,
      ...saved!
    ])
    await connection.close()
  }
}
