/**
 * Everything read from the tables, in SQL. Reads share one connection with claims and snapshots.
 *
 * @module
 */
import { Effect, Option, Semaphore, Stream } from "effect"
import type { StoredEvent } from "../../events/StoredEvent.ts"
import { storable } from "./Append.ts"
import type { EventLog, Head, Snapshot } from "./EventLog.ts"
import { isMissing, type PostgresFailure, toLogError } from "./PostgresFailure.ts"
import type { Rows } from "./PostgresSession.ts"
import { fromText, fromTextOrNull, toText } from "./PostgresText.ts"

/** Asks with a statement; the answer is rows by position. */
export type Ask = (sql: string, params?: ReadonlyArray<unknown>) => Effect.Effect<Rows, PostgresFailure>

/** A page ends after this many events, or with the one that makes this many bytes of payload full. */
const pageEvents = 2000
const pageBytes = 4 * 1024 * 1024

/** Positions looked through for one page of a read by types, so that a rare one meets its deadline. */
const scanPositions = 100_000

/** Statements on the wire at once; the others wait here, where no deadline runs yet. */
const readsAtOnce = 8

/** 64-bit integers come as doubles, which is what they become: exact up to 2^53. */
const columns = `position::float8, stream, version, type, schema_version, payload, at::float8, event_id,
  causation_id, correlation_id, by, epoch, hash`

/** The server looks for the next page while this one is folded. */
const ahead = <A, E>(pages: Stream.Stream<A, E>): Stream.Stream<A, E> =>
  Stream.bufferArray(pages, { capacity: 1 })

export const makeReads = Effect.fnUntraced(function* (schema: string, line: Ask) {
  const permits = yield* Semaphore.make(readsAtOnce)
  const ask = (operation: string, sql: string, params?: ReadonlyArray<unknown>) =>
    permits.withPermit(line(sql, params)).pipe(
      // Before the first writer there are no tables: the log is empty.
      Effect.catchIf(isMissing, () => Effect.succeed<Rows>([])),
      Effect.mapError(toLogError(operation))
    )
  const page = (where: string, order: string) => `
    select ${columns} from (
      select *, sum(octet_length(payload)) over (order by ${order}) - octet_length(payload) as bytes_before
      from (select * from ${schema}.events where ${where} order by ${order} limit $3) as found
    ) as page where bytes_before < ${pageBytes} order by page.${order}`
  const ofStream = page("stream = $1 and version > $2", "version")
  const ofAll = page("position > $1 and position <= $2", "position")
  const ofTypes = page("position > $1 and position <= $2 and type = any($4)", "position")
  const position = Effect.map(
    ask("readAll", `select max(position)::float8 from ${schema}.events`),
    (rows) => (rows[0]?.[0] as number | null | undefined) ?? 0
  )

  const allPage = Effect.fnUntraced(function* (
    after: number,
    until: number,
    types: ReadonlyArray<string> | undefined
  ) {
    const end = types === undefined ? until : Math.min(after + scanPositions, until)
    const rows = yield* types === undefined
      ? ask("readAll", ofAll, [BigInt(after), BigInt(end), pageEvents])
      : ask("readAll", ofTypes, [BigInt(after), BigInt(end), pageEvents, types.map(toText)])
    const events = rows.map(toEvent)
    // A page that is not full may have ended at its bytes: only an empty one is the end of its range.
    const next = events.at(-1)?.position ?? end
    return [events, next < until ? Option.some(next) : Option.none<number>()] as const
  })

  return {
    position,
    read: (stream, { after = 0, limit = Number.POSITIVE_INFINITY } = {}) =>
      ahead(
        Stream.paginate(
          { after, limit },
          Effect.fnUntraced(function* (from) {
            const rows = yield* ask("read", ofStream, [
              toText(storable(stream)),
              from.after,
              Math.min(from.limit, pageEvents)
            ])
            const events = rows.map(toEvent)
            const last = events.at(-1)
            const rest = from.limit - events.length
            return [
              events,
              last && rest > 0 ? Option.some({ after: last.version, limit: rest }) : Option.none()
            ] as const
          })
        )
      ),
    readAll: ({ after = 0, types } = {}) =>
      position.pipe(
        Effect.map((until) =>
          until > after && types?.length !== 0
            ? ahead(Stream.paginate(after, (from) => allPage(from, until, types)))
            : Stream.empty
        ),
        Stream.unwrap
      ),
    heads: Effect.map(
      ask("heads", `select stream, version, epoch, hash from ${schema}.streams order by stream`),
      (rows) => rows.map(toHead)
    ),
    loadSnapshot: (stream, fold, foldVersion) =>
      Effect.map(
        ask(
          "loadSnapshot",
          `select version::float8, state from ${schema}.snapshots where stream = $1 and fold = $2 and fold_version = $3`,
          [toText(storable(stream)), toText(fold), foldVersion]
        ),
        ([row]) =>
          row === undefined
            ? Option.none()
            : Option.some({
                stream,
                fold,
                foldVersion,
                version: row[0] as number,
                state: fromText(row[1] as string)
              } satisfies Snapshot)
      )
  } satisfies Partial<EventLog["Service"]> & { readonly position: unknown }
})

/** Of a row of `stream, version, epoch, hash`. */
export const toHead = (row: ReadonlyArray<unknown>): Head => ({
  stream: fromText(row[0] as string),
  version: row[1] as number,
  epoch: row[2] as number,
  hash: row[3] as string
})

const toEvent = (row: ReadonlyArray<unknown>): StoredEvent => ({
  position: row[0] as number,
  stream: fromText(row[1] as string),
  version: row[2] as number,
  type: fromText(row[3] as string),
  schemaVersion: row[4] as number,
  payload: fromText(row[5] as string),
  at: row[6] as number,
  eventId: fromText(row[7] as string),
  causationId: fromTextOrNull(row[8] as string | null),
  correlationId: fromTextOrNull(row[9] as string | null),
  by: fromText(row[10] as string),
  epoch: row[11] as number,
  hash: row[12] as string
})
