/**
 * A group of appends as one statement, and what came of each.
 *
 * @module
 */
import { genesisHash } from "../../events/StoredEvent.ts"
import { type Append, link, type Row } from "./Append.ts"
import type { Head } from "./EventLog.ts"
import { appendLockOf } from "./PostgresSchema.ts"
import { toText, toTextOrNull } from "./PostgresText.ts"

/** An append that may be written, as far as we know: the head we believe its stream has. */
export interface Candidate {
  readonly append: Append
  readonly head: Head
}

/**
 * Invariant 5, as one statement and so one transaction: a head moves only from the version, the epoch and
 * the hash that the append was made for, and only events whose head moved are inserted. An append whose
 * head did not move drops out alone.
 *
 * The lock makes one group commit after the other, so that positions become visible in their order and
 * nobody who reads up to a position ever misses a smaller one. It is held from before the first position
 * is drawn until after the commit can be seen.
 */
const groupStatement = (schema: string): string => `
  with turn as materialized (select pg_advisory_xact_lock(${appendLockOf(schema).join()})),
  asked as (
    select * from unnest($1::text[], $2::int4[], $3::int4[], $4::text[], $5::int4[], $6::text[])
      with ordinality as asked (stream, version, epoch, hash, next_version, next_hash, n)
  ), moved as (
    update ${schema}.streams as head set version = asked.next_version, hash = asked.next_hash
    from asked, turn
    where head.stream = asked.stream and head.version = asked.version
      and head.epoch = asked.epoch and head.hash = asked.hash
    returning asked.n, head.stream, head.epoch
  ), added as (
    insert into ${schema}.events (stream, version, type, schema_version, payload, at, event_id,
      causation_id, correlation_id, by, epoch, hash)
    select moved.stream, row.version, row.type, row.schema_version, row.payload, row.at, row.event_id,
      row.causation_id, row.correlation_id, row.by, moved.epoch, row.hash
    from unnest($7::int4[], $8::int4[], $9::text[], $10::int4[], $11::text[], $12::int8[], $13::text[],
        $14::text[], $15::text[], $16::text[], $17::text[])
      with ordinality as row (n, version, type, schema_version, payload, at, event_id,
        causation_id, correlation_id, by, hash, place)
      join moved on moved.n = row.n
    order by row.place
    returning position
  )
  select n::int4, (select max(position) from added)::float8 from moved`

/**
 * The same for an append that comes alone with few events. Arrays cost the server more than everything
 * else does, and an actor that works alone waits for each answer. Nothing is said twice, for that reason.
 */
const loneStatement = (schema: string, events: number): string => {
  const places = Array.from({ length: events }, (_, row) =>
    Array.from({ length: loneColumns }, (_, column) => `$${5 + row * loneColumns + column}`)
  )
  const lastHash = places.at(-1)!.at(-1)
  const values = places.map(
    ([type, schemaVersion, payload, at, ...texts], row) =>
      `(${row + 1}, ${type}, ${schemaVersion}::int4, ${payload}, ${at}::int8, ${texts.join()})`
  )
  return `
  with moved as (
    update ${schema}.streams as head set version = head.version + ${events}, hash = ${lastHash}
    from (select pg_advisory_xact_lock(${appendLockOf(schema).join()})) as turn
    where head.stream = $1 and head.version = $2::int4 and head.epoch = $3::int4 and head.hash = $4
    returning head.stream, head.epoch
  )
  insert into ${schema}.events (stream, epoch, version, type, schema_version, payload, at, event_id,
    causation_id, correlation_id, by, hash)
  select moved.stream, moved.epoch, $2::int4 + row.n, type, schema_version, payload, at, event_id,
    causation_id, correlation_id, by, row.hash
  from moved, (values ${values.join()})
    as row (n, type, schema_version, payload, at, event_id, causation_id, correlation_id, by, hash)
  returning 1, position::float8`
}

/** Of a row, as it is given for `loneStatement`. */
const loneColumns = 9

/** The most events of an append that is written without arrays. */
const loneEvents = 4

export interface AppendCall {
  readonly sql: string
  readonly parameters: ReadonlyArray<unknown>
  /** The head that each append leaves if it is written. */
  readonly next: ReadonlyArray<Head>
}

/**
 * The call that writes these appends. It answers rows of which append (counted from 1) was written, and
 * a position; that of the last row is the last position given.
 */
export const makeAppendCalls = (schema: string) => {
  const many = groupStatement(schema)
  const lone = Array.from({ length: loneEvents }, (_, i) => loneStatement(schema, i + 1))
  return (candidates: ReadonlyArray<Candidate>): AppendCall => {
    const [first] = candidates
    const sql = candidates.length === 1 ? lone[first!.append.events.length - 1] : undefined
    return sql === undefined
      ? { sql: many, ...groupParameters(candidates) }
      : { sql, ...loneParameters(first!) }
  }
}

const loneParameters = ({ append, head }: Candidate): Omit<AppendCall, "sql"> => {
  const rows = link(head, append.events)
  const parameters: Array<unknown> = [toText(head.stream), head.version, head.epoch, head.hash]
  for (const row of rows) {
    parameters.push(
      toText(row.type),
      row.schemaVersion,
      toText(row.payload),
      `${row.at}`,
      toText(row.eventId),
      toTextOrNull(row.causationId),
      toTextOrNull(row.correlationId),
      toText(row.by),
      row.hash
    )
  }
  return { parameters, next: [headAfter(head, rows)] }
}

const headAfter = (head: Head, rows: ReadonlyArray<Row>): Head => {
  const last = rows.at(-1)
  return last === undefined ? head : { ...head, version: last.version, hash: last.hash }
}

const groupParameters = (candidates: ReadonlyArray<Candidate>): Omit<AppendCall, "sql"> => {
  const linked = candidates.map(({ append, head }) => link(head, append.events))
  const next = candidates.map(({ head }, i) => headAfter(head, linked[i]!))
  const rows = linked.flat()
  const heads = candidates.map(({ head }) => head)
  const parameters = [
    heads.map(({ stream }) => toText(stream)),
    integers(heads.map(({ version }) => version)),
    integers(heads.map(({ epoch }) => epoch)),
    heads.map(({ hash }) => hash),
    integers(next.map(({ version }) => version)),
    next.map(({ hash }) => hash),
    integers(linked.flatMap((own, i) => own.map(() => i + 1))),
    ...columnsOf(rows)
  ]
  return { parameters, next }
}

/**
 * As arrays of a statement: version, type, schema version, payload, time, the three ids, who asked, hash.
 */
export const columnsOf = (rows: ReadonlyArray<Row>): ReadonlyArray<unknown> => [
  integers(rows.map(({ version }) => version)),
  rows.map(({ type }) => toText(type)),
  integers(rows.map(({ schemaVersion }) => schemaVersion)),
  rows.map(({ payload }) => toText(payload)),
  integers(rows.map(({ at }) => at)),
  rows.map(({ eventId }) => toText(eventId)),
  nullableTexts(rows.map(({ causationId }) => toTextOrNull(causationId))),
  nullableTexts(rows.map(({ correlationId }) => toTextOrNull(correlationId))),
  rows.map(({ by }) => toText(by)),
  rows.map(({ hash }) => hash)
]

/** Makes the heads of streams nobody has claimed, so that there is something to move. */
export const makeHeadsStatement = (schema: string): string => `
  insert into ${schema}.streams select stream, 0, 0, '${genesisHash}' from unnest($1::text[]) as stream
  on conflict (stream) do nothing`

export const claimStatement = (schema: string): string => `
  insert into ${schema}.streams as head values ($1, 0, 1, '${genesisHash}')
  on conflict (stream) do update set epoch = head.epoch + 1
  returning stream, version, epoch, hash`

/** An older snapshot of the same fold version never replaces a newer one. */
export const saveSnapshotStatement = (schema: string): string => `
  insert into ${schema}.snapshots as old values ($1, $2, $3, $4, $5)
  on conflict (stream, fold) do update
  set fold_version = excluded.fold_version, version = excluded.version, state = excluded.state
  where old.fold_version <> excluded.fold_version or old.version <= excluded.version`

/** As a literal that the server reads: the client takes no mixture of small and large integers. */
export const integers = (values: ReadonlyArray<number>): string => `{${values.join()}}`

/** The client cannot guess the type of nulls alone. */
const nullableTexts = (values: ReadonlyArray<string | null>): ReadonlyArray<string | null> | string =>
  values.every((value) => value === null) ? `{${values.map(() => "null").join()}}` : values
