/**
 * Logs that outlive the processes of a world, and show an oracle what they hold.
 *
 * @module
 */
import { Effect, Redacted, type Scope } from "effect"
import type { StoredEvent } from "../../events/StoredEvent.ts"
import type { EventLog, LogError } from "../../src/log/EventLog.ts"
import { layerMemoryOn, makeMemoryStore } from "../../src/log/Memory.ts"
import { layerPostgres } from "../../src/log/Postgres.ts"
import type { Session } from "../../src/log/PostgresSession.ts"
import { eventually } from "../log/postgres.ts"
import { open } from "../log/temporary.ts"

export interface WorldLog {
  /** Opens it as a process does; the process ends with the scope. */
  readonly open: Effect.Effect<EventLog["Service"], LogError, Scope.Scope>
  /** The rows as they were when somebody last looked, in the order they were stored. */
  readonly rows: () => ReadonlyArray<StoredEvent>
  readonly look: Effect.Effect<void>
}

/** An empty log in memory: its rows can be seen at any time. */
export const inMemory = (): WorldLog => {
  const store = makeMemoryStore()
  return { open: open(layerMemoryOn(store)), rows: () => store.events, look: Effect.void }
}

/** An empty log on a server, in a schema nobody has used; an open session looks at it, with SQL of its own. */
export const onPostgres = (url: string, schema: string, session: Session): WorldLog => {
  let rows: ReadonlyArray<StoredEvent> = []
  const columns = `position::float8, stream, version, type, schema_version, payload, at::float8, event_id,
    causation_id, correlation_id, by, epoch, hash`
  const look = Effect.gen(function* () {
    const [known] = yield* session.query("select to_regclass($1) is not null", [`${schema}.events`])
    if (known?.[0] !== true) return
    const found = yield* session.query(`select ${columns} from ${schema}.events order by position`)
    rows = found.map(toStored)
  })
  return {
    // The lock of the process before is free once the server has noticed that its connections are closed.
    open: eventually(open(layerPostgres({ url: Redacted.make(url), schema }))),
    rows: () => rows,
    look: Effect.orDie(look)
  }
}

// biome-ignore lint/suspicious/noExplicitAny: a row by position, as SQL gives it
const toStored = (row: ReadonlyArray<any>): StoredEvent => ({
  position: row[0],
  stream: row[1],
  version: row[2],
  type: row[3],
  schemaVersion: row[4],
  payload: row[5],
  at: row[6],
  eventId: row[7],
  causationId: row[8],
  correlationId: row[9],
  by: row[10],
  epoch: row[11],
  hash: row[12]
})
