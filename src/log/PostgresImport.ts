/**
 * A log on Postgres, open for an import.
 *
 * @module
 */
import { Effect, type Scope, Stream } from "effect"
import { genesisHash } from "../../events/StoredEvent.ts"
import type { Head, LogError } from "./EventLog.ts"
import { duplicateRow, type ImportStore } from "./importStream.ts"
import { type PostgresOptions, settle } from "./Postgres.ts"
import { columnsOf, integers } from "./PostgresAppend.ts"
import { failure, type PostgresFailure, toLogError, unavailable } from "./PostgresFailure.ts"
import { makeLine } from "./PostgresLine.ts"
import { endBackend, holdLog } from "./PostgresOwner.ts"
import { type Ask, makeReads, toHead } from "./PostgresReads.ts"
import { appendLockOf, migrate, requireDurable } from "./PostgresSchema.ts"
import { toText } from "./PostgresText.ts"

/** How long (milliseconds) one page, or the commit of all, may take: more than an append has. */
const importDeadlineMs = 60_000

/** Makes the tables where there are none, and takes the lock that the one writer has. */
export const openPostgresImport = (
  options: PostgresOptions
): Effect.Effect<ImportStore, LogError, Scope.Scope> => Effect.mapError(open(options), toLogError("open"))

const open = Effect.fnUntraced(function* (
  options: PostgresOptions
): Effect.fn.Return<ImportStore, PostgresFailure, Scope.Scope> {
  const { schema, session: hasty } = yield* settle(options)
  yield* holdLog(hasty, schema)
  const line = yield* makeLine({ ...hasty, deadlineMs: options.deadlineMs ?? importDeadlineMs }, (opened) =>
    Effect.andThen(requireDurable(opened), migrate(opened, schema))
  )
  // This one and no other: a transaction does not survive its connection.
  const session = yield* line.session
  const ask = (sql: string, params?: ReadonlyArray<unknown>) =>
    Effect.mapError(session.query(sql, params), toLogError("import"))
  const reads = yield* makeReads(schema, session.query)
  const headOf = (query: Ask, stream: string) =>
    Effect.map(
      query(`select stream, version, epoch, hash from ${schema}.streams where stream = $1`, [toText(stream)]),
      ([row]) => (row === undefined ? { stream, version: 0, epoch: 0, hash: genesisHash } : toHead(row))
    )
  let moved: Head | undefined

  /** What became of a commit without an answer. Once the lost session is gone nothing is committed late. */
  const settleCommit = Effect.gen(function* () {
    yield* endBackend(line, session.backend, hasty.name)
    return moved !== undefined && (yield* headOf(line.query, moved.stream)).hash === moved.hash
  }).pipe(
    Effect.mapError(() => notKnown),
    Effect.flatMap((isWritten) => (isWritten ? Effect.void : Effect.fail(lost)))
  )
  const commit = Effect.asVoid(session.query("commit")).pipe(
    Effect.catchIf(
      ({ isAmbiguous }) => isAmbiguous,
      () => settleCommit
    ),
    Effect.mapError(toLogError("import"))
  )

  return {
    head: (stream) => Effect.mapError(headOf(session.query, stream), toLogError("import")),
    events: (stream) => Stream.runCollect(reads.read(stream)),
    transact: (write) =>
      ask("begin").pipe(
        // As with an append: no position is drawn before every smaller one can be seen.
        Effect.andThen(ask(`select pg_advisory_xact_lock(${appendLockOf(schema).join()})`)),
        Effect.andThen(write),
        Effect.tap(() => commit),
        Effect.onError(() => Effect.ignore(session.query("rollback")))
      ),
    insert: Effect.fnUntraced(function* (rows) {
      if (rows.length === 0) return
      const ids = rows.map(({ eventId }) => toText(eventId))
      const found = yield* ask(`select event_id from ${schema}.events where event_id = any($1::text[])`, [
        ids
      ])
      const taken = new Set(found.map(([id]) => id))
      for (const [i, row] of rows.entries()) {
        if (taken.has(ids[i]!)) return yield* duplicateRow(row)
        taken.add(ids[i]!)
      }
      yield* ask(insertStatement(schema), [
        toText(rows[0]!.stream),
        integers(rows.map(({ epoch }) => epoch)),
        ...columnsOf(rows)
      ])
    }),
    moveHead: Effect.fnUntraced(function* (from, to) {
      const answer = yield* ask(moveStatement(schema), [
        toText(to.stream),
        to.version,
        to.epoch,
        to.hash,
        from.version,
        from.epoch,
        from.hash
      ])
      if (answer.length === 0) return yield* Effect.fail(toLogError("import")(contended))
      moved = to
    })
  }
})

const insertStatement = (schema: string): string => `
  insert into ${schema}.events (stream, epoch, version, type, schema_version, payload, at, event_id,
    causation_id, correlation_id, by, hash)
  select $1, row.epoch, row.version, row.type, row.schema_version, row.payload, row.at, row.event_id,
    row.causation_id, row.correlation_id, row.by, row.hash
  from unnest($2::int4[], $3::int4[], $4::text[], $5::int4[], $6::text[], $7::int8[], $8::text[],
      $9::text[], $10::text[], $11::text[], $12::text[])
    with ordinality as row (epoch, version, type, schema_version, payload, at, event_id,
      causation_id, correlation_id, by, hash, place)
  order by row.place`

const moveStatement = (schema: string): string => `
  insert into ${schema}.streams as head values ($1, $2::int4, $3::int4, $4)
  on conflict (stream) do update
  set version = excluded.version, epoch = excluded.epoch, hash = excluded.hash
  where head.version = $5::int4 and head.epoch = $6::int4 and head.hash = $7
  returning 1`

const contended = failure(
  unavailable("A stream was claimed or appended to meanwhile. Nothing was imported; try again.")
)

const lost = failure(unavailable("The connection to Postgres was lost. Nothing was imported."))

const notKnown = failure(
  unavailable(
    "The connection to Postgres was lost while it committed. It is not known whether the log was imported; look with `millrace list`."
  )
)
