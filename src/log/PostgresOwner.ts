/**
 * One writing process per log: a lock that belongs to a connection of its own and that the server frees
 * with it. The lock is a courtesy, the epochs are the truth: who loses it without noticing is fenced off.
 *
 * @module
 */
import { hostname } from "node:os"
import { Effect, Queue, type Scope } from "effect"
import { failure, type PostgresFailure, unavailable } from "./PostgresFailure.ts"
import { type Line, makeLine } from "./PostgresLine.ts"
import type { Ask } from "./PostgresReads.ts"
import { channelOf, ownerLockOf } from "./PostgresSchema.ts"
import { pause, type Session, type SessionOptions } from "./PostgresSession.ts"

export interface Owner {
  /** Fails with `Locked` when another process has the log now, and `Unavailable` when nobody can say. */
  readonly ensure: Effect.Effect<void, PostgresFailure>
  /** Tells listening readers, soon: of positions that come close together only the last. */
  readonly notify: (position: number) => void
}

/** How often (milliseconds) the connection that holds the lock shows that it is alive. */
const heartbeatMs = 2000

/** The least time (milliseconds) between two notifications: each is a transaction of the server's. */
const notifyMs = 20

/** How all our sessions introduce themselves. Postgres cuts names at 63 bytes. */
export const sessionName = Buffer.from(`millrace ${process.pid} ${hostname()}`).subarray(0, 63).toString()

/** Takes the lock, or fails with the name of its holder; keeps it until the scope closes. */
export const holdLog = Effect.fnUntraced(function* (
  options: SessionOptions,
  schema: string
): Effect.fn.Return<Owner, PostgresFailure, Scope.Scope> {
  let held: number | undefined
  const take = Effect.fnUntraced(function* (session: Session): Effect.fn.Return<void, PostgresFailure> {
    // What is left of our own lost connection may hold it still.
    if (held !== undefined) yield* endBackend(session, held, options.name)
    const [row] = yield* session.query("select pg_try_advisory_lock($1, $2)", ownerLockOf(schema))
    if (row![0] !== true) return yield* Effect.fail(yield* lockedBy(session, schema))
    held = session.backend
  })
  const line = yield* makeLine({ ...options, settings: courtesy }, take)
  yield* line.session
  yield* Effect.forkScoped(beat(line))

  const positions = yield* Queue.sliding<number>(1)
  const tell = Effect.gen(function* () {
    const position = yield* Queue.take(positions)
    yield* Effect.ignore(line.query("select pg_notify($1, $2)", [channelOf(schema), `${position}`]))
    yield* pause(notifyMs)
  })
  yield* Effect.forkScoped(Effect.forever(tell))

  return {
    ensure: Effect.asVoid(line.session),
    notify: (position) => {
      Queue.offerUnsafe(positions, position)
    }
  }
})

/** Ends a session of ours that we have lost, and fails until it is gone: only then does it do nothing more. */
export const endBackend = Effect.fnUntraced(function* (
  { query }: { readonly query: Ask },
  backend: number,
  name: string
): Effect.fn.Return<void, PostgresFailure> {
  const ours = "from pg_stat_activity where pid = $1 and application_name = $2 and pid <> pg_backend_pid()"
  yield* query(`select pg_terminate_backend(pid, 1000) ${ours}`, [backend, name])
  const remaining = yield* query(`select pid ${ours}`, [backend, name])
  if (remaining.length > 0) {
    return yield* Effect.fail(failure(unavailable("A lost session of ours is still running on the server.")))
  }
})

/**
 * Notifying need not reach the disk; and a server that no longer hears from us, because our machine is
 * gone, frees the lock after a dozen seconds rather than hours.
 */
const courtesy = {
  synchronous_commit: "off",
  tcp_keepalives_idle: "5",
  tcp_keepalives_interval: "2",
  tcp_keepalives_count: "3"
}

/** Finds out that the connection is lost, and takes the lock again as soon as possible. */
const beat = (line: Line): Effect.Effect<never> => {
  let wasHeld = true
  return Effect.forever(
    Effect.gen(function* () {
      yield* pause(heartbeatMs)
      const lost = yield* Effect.flip(line.query("select 1")).pipe(Effect.option)
      const isHeld = lost._tag === "None"
      if (!isHeld && wasHeld) yield* Effect.logWarning(`The lock on the log is lost. ${saying(lost.value)}`)
      if (isHeld && !wasHeld) yield* Effect.logInfo("The lock on the log is held again.")
      wasHeld = isHeld
    })
  )
}

const saying = ({ reason }: PostgresFailure): string => {
  if (reason._tag === "Locked") return `${reason.holder} has it now.`
  return "message" in reason ? reason.message : ""
}

const lockedBy = Effect.fnUntraced(function* (
  session: Session,
  schema: string
): Effect.fn.Return<PostgresFailure, PostgresFailure> {
  const [purpose, number] = ownerLockOf(schema)
  const [row] = yield* session.query(
    `select application_name, to_char(backend_start at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"')
      from pg_locks join pg_stat_activity using (pid)
      where locktype = 'advisory' and objsubid = 2 and granted and classid = $1::oid and objid = $2::oid
        and pg_locks.database = (select oid from pg_database where datname = current_database())`,
    [`${purpose}`, `${number >>> 0}`]
  )
  const [name, since] = (row ?? [null, null]) as readonly [string | null, string | null]
  const [, pid, host] = /^millrace (\d+) (.+)$/.exec(name ?? "") ?? []
  const who = pid === undefined ? `another process${name ? ` (${name})` : ""}` : `process ${pid} on ${host}`
  return failure({ _tag: "Locked", holder: since === null ? who : `${who} since ${since}` })
})
