/**
 * Everything said to SQLite in SQL, synchronously; callers wrap it in `attempt`.
 *
 * @module
 */
import type { DatabaseSync, StatementSync } from "node:sqlite"
import { Exit, Result } from "effect"
import { genesisHash, type StoredEvent } from "../../events/StoredEvent.ts"
import { type Append, type Appended, admit, duplicateId, link, type Row } from "./Append.ts"
import { type Head, LogError, type Snapshot } from "./EventLog.ts"
import { isConstraint, isUniqueViolation } from "./SqliteFailure.ts"

/** A page ends after this many events or this many characters of payload, whichever comes first. */
const pageEvents = 1000
const pageCharacters = 4 * 1024 * 1024

/** Positions looked through for one page of a read by types: it bounds how long a rare type stops the world. */
const scanPositions = 20_000

const columns = `position, stream, version, type, schemaVersion, payload, at, eventId, causationId, correlationId, "by", epoch, hash`

/** The statements that only read. A page is read whole: no statement stays open and keeps the WAL from shrinking. */
export const makeReads = (database: DatabaseSync) => {
  const head = database.prepare("select stream, version, epoch, hash from streams where stream = ?")
  const heads = database.prepare("select stream, version, epoch, hash from streams order by stream")
  const position = database.prepare("select coalesce(max(position), 0) as position from events")
  const snapshot = database.prepare(
    "select stream, fold, foldVersion, version, state from snapshots where stream = ? and fold = ? and foldVersion = ?"
  )
  const ids = database.prepare(
    "select eventId, hash from events where stream = ? and version > ? order by version limit ?"
  )
  const ofStream = pageStatement(database, "stream = ? and version > ? order by version limit ?")
  const ofAll = pageStatement(database, "position > ? and position <= ? order by position")
  const ofTypes = pageStatement(
    database,
    "position > ? and position <= ? and type in (select value from json_each(?)) order by position"
  )
  return {
    head: (stream: string): Head =>
      (head.get(stream) as Head | undefined) ?? { stream, version: 0, epoch: 0, hash: genesisHash },
    heads: (): ReadonlyArray<Head> => heads.all().map((row) => ({ ...row }) as unknown as Head),
    position: (): number => position.get()?.position as number,
    snapshot: (stream: string, fold: string, foldVersion: number): Snapshot | undefined => {
      const row = snapshot.get(stream, fold, foldVersion)
      return row && ({ ...row } as unknown as Snapshot)
    },
    /** Ids and hashes only: what recognises a repeated append. */
    storedIds: (stream: string, after: number, limit: number) =>
      ids.all(stream, after, limit) as unknown as ReadonlyArray<Pick<StoredEvent, "eventId" | "hash">>,
    /** A page of one stream; empty at its end. */
    streamPage: (stream: string, after: number, limit: number): ReadonlyArray<StoredEvent> =>
      page(ofStream.iterate(stream, after, Math.min(limit, pageEvents))).events,
    /** A page of all streams up to a position, and the position after which the next one starts. */
    allPage: (after: number, until: number, types: ReadonlyArray<string> | undefined) => {
      const end = types === undefined ? until : Math.min(after + scanPositions, until)
      const { events, isWhole } = page(
        types === undefined ? ofAll.iterate(after, end) : ofTypes.iterate(after, end, JSON.stringify(types))
      )
      return { events, after: isWhole ? end : events.at(-1)!.position }
    }
  }
}

/** The statements of the one writer. */
export const makeWrites = (database: DatabaseSync) => {
  const reads = makeReads(database)
  const transact = makeTransact(database)
  const claim = database.prepare(
    `insert into streams values (?, 0, 1, '${genesisHash}') on conflict (stream) do update set epoch = epoch + 1`
  )
  const advance = database.prepare(
    "insert into streams values (?, ?, ?, ?) on conflict (stream) do update set version = excluded.version, hash = excluded.hash"
  )
  const settle = database.prepare(
    `insert into streams values (?, ?, ?, ?) on conflict (stream) do update
     set version = excluded.version, epoch = excluded.epoch, hash = excluded.hash`
  )
  const insert = database.prepare(
    `insert into events (${columns}) values (null, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`
  )
  const save = database.prepare(
    `insert into snapshots values (?, ?, ?, ?, ?) on conflict (stream, fold) do update
     set foldVersion = excluded.foldVersion, version = excluded.version, state = excluded.state
     where foldVersion <> excluded.foldVersion or version <= excluded.version`
  )
  const savepoint = ["savepoint one", "release one", "rollback to one"].map((sql) => database.prepare(sql))

  const insertRow = (row: Row) =>
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

  /** Invariant 5: version and epoch are checked in the transaction that inserts. */
  const appendOne = (append: Append): Appended => {
    const head = reads.head(append.stream)
    const admitted = admit(append, head, (after, limit) => reads.storedIds(append.stream, after, limit))
    if (Result.isFailure(admitted)) return Exit.fail(admitted.failure)
    if (admitted.success !== "write") return Exit.succeed(admitted.success)
    const rows = link(head, append.events)
    for (const row of rows) insertRow(row)
    const version = head.version + rows.length
    const hash = rows.at(-1)?.hash ?? head.hash
    advance.run(head.stream, version, head.epoch, hash)
    return Exit.succeed({ stream: head.stream, version, epoch: head.epoch, hash })
  }

  /** An append that fails on a constraint is undone alone; its group goes on. */
  const appendAlone = (append: Append): Appended => {
    savepoint[0]!.run()
    try {
      const appended = appendOne(append)
      savepoint[1]!.run()
      return appended
    } catch (error) {
      const refusal = refusalOf(append, error)
      if (refusal === undefined) throw error
      savepoint[2]!.run()
      savepoint[1]!.run()
      return Exit.fail(refusal)
    }
  }

  return {
    ...reads,
    /** For `importStream`: puts rows in as they are. The caller has begun a transaction, and sets the head. */
    insertRow,
    setHead: ({ epoch, hash, stream, version }: Head) => settle.run(stream, version, epoch, hash),
    claim: (stream: string): Head =>
      transact(() => {
        claim.run(stream)
        return reads.head(stream)
      }),
    commit: (group: ReadonlyArray<Append>) =>
      transact(() => ({ results: group.map(appendAlone), position: reads.position() })),
    saveSnapshot: ({ fold, foldVersion, state, stream, version }: Snapshot): void =>
      transact(() => {
        save.run(stream, fold, foldVersion, version, state)
      })
  }
}

/** A failed transaction, also one that failed to commit, is rolled back and leaves the connection usable. */
const makeTransact = (database: DatabaseSync) => {
  const begin = database.prepare("begin immediate")
  const commit = database.prepare("commit")
  return <A>(run: () => A): A => {
    begin.run()
    try {
      const result = run()
      commit.run()
      return result
    } catch (error) {
      // SQLite has rolled back by itself after some failures, a full disk among them.
      if (database.isTransaction) database.exec("rollback")
      throw error
    }
  }
}

/** What the tables refuse is the caller's mistake and concerns nobody else in the group. */
const refusalOf = (append: Append, error: unknown): LogError | undefined => {
  if (isUniqueViolation(error)) return duplicateId(append)
  if (!isConstraint(error)) return undefined
  const message = `Events for ${append.stream} cannot be stored: ${(error as Error).message}.`
  return new LogError({ operation: "append", reason: { _tag: "Unusable", message } })
}

const pageStatement = (database: DatabaseSync, where: string): StatementSync => {
  const statement = database.prepare(`select ${columns} from events where ${where}`)
  statement.setReturnArrays(true)
  return statement
}

/**
 * Rows up to the bounds of a page, and whether those were all. Arrays and one literal: twice as fast as
 * the objects SQLite's binding makes.
 */
const page = (
  rows: Iterable<unknown>
): { readonly events: Array<StoredEvent>; readonly isWhole: boolean } => {
  const events: Array<StoredEvent> = []
  let characters = 0
  for (const row of rows as Iterable<RowValues>) {
    events.push({
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
    characters += row[5].length
    if (events.length === pageEvents || characters >= pageCharacters) {
      return { events, isWhole: false }
    }
  }
  return { events, isWhole: true }
}

type RowValues = readonly [
  number,
  string,
  number,
  string,
  number,
  string,
  number,
  string,
  string | null,
  string | null,
  string,
  number,
  string
]
