/**
 * The embedded log: one file, no server, one writing process and any number of readers.
 *
 * SQLite is synchronous, so every call happens on the main thread: a commit takes a fraction of a
 * millisecond on a healthy disk, appends share commits, and slow ones are reported after the fact.
 *
 * @module
 */
import { statSync } from "node:fs"
import type { DatabaseSync } from "node:sqlite"
import { Effect, Layer, Option, PubSub, Schedule, type Scope, Stream } from "effect"
import type { StoredEvent } from "../../events/StoredEvent.ts"
import { type Append, makeAppend, storable } from "./Append.ts"
import { EventLog, LogError } from "./EventLog.ts"
import { groupCommit } from "./groupCommit.ts"
import { holdLock } from "./lock.ts"
import { metered } from "./metered.ts"
import { attempt, refuse } from "./SqliteFailure.ts"
import { databasePath, openReader, openWriter, prepareDirectory } from "./SqliteSchema.ts"
import { makeReads, makeWrites } from "./SqliteStore.ts"
import { reportingSlow } from "./slowCommit.ts"

export { Holder, publishAddress, readHolder } from "./lock.ts"

export interface SqliteOptions {
  /** The folder of `millrace.db`, `lock.db` and `holder.json`. */
  readonly directory: string
}

/** How often (milliseconds) a reader looks whether the writer has written. */
export const readerPollMs = 250

/**
 * The log for the one process that writes. Makes the directory and an empty log where there is none.
 * What `append` and `claim` answer survives a power failure.
 *
 * Fails with `Locked` at once when another process writes, with `DiskFull` when less than 16 MiB are
 * free, and with `Unusable` when the directory cannot be written or holds something else.
 */
export const layerSqlite = (options: SqliteOptions): Layer.Layer<EventLog, LogError> =>
  Layer.effect(EventLog, makeWriter(options.directory))

/**
 * The log for everybody else: takes no lock and reads while the writer writes. `claim`, `append` and
 * `saveSnapshot` fail with `ReadOnly`; `changes` looks for news four times a second, the first time at once.
 *
 * A directory that has no log yet reads as an empty log, until the writer makes one; a directory that
 * does not exist is more likely a wrong name, and fails with `Unusable`.
 */
export const layerSqliteReader = (options: SqliteOptions): Layer.Layer<EventLog, LogError> =>
  Layer.effect(EventLog, makeReader(options.directory))

const makeWriter = Effect.fnUntraced(function* (
  directory: string
): Effect.fn.Return<EventLog["Service"], LogError, Scope.Scope> {
  yield* attempt("open", () => prepareDirectory(directory))
  yield* holdLock(directory)
  const database = yield* Effect.acquireRelease(
    attempt("open", () => openWriter(directory)),
    close
  )
  const writes = yield* attempt("open", () => makeWrites(database))
  const changes = yield* Effect.acquireRelease(PubSub.sliding<number>(1), PubSub.shutdown)
  const stillThere = yield* attempt("open", () => watchFile(directory))

  const commit = (group: ReadonlyArray<Append>) =>
    // SQLite lets nobody run while it commits: who is about to append gets to ask first, and shares the next commit.
    Effect.andThen(
      Effect.yieldNow,
      reportingSlow(
        group.length,
        attempt("append", () => {
          stillThere()
          const { position, results } = writes.commit(group)
          PubSub.publishUnsafe(changes, position)
          return results
        })
      )
    )
  const append = yield* groupCommit({ commit })

  return metered(
    EventLog.of({
      ...makeReading(() => writes),
      isWritable: true,
      claim: (stream) => attempt("claim", () => writes.claim(storable(stream))),
      append: (stream, at, events) => append(makeAppend(stream, at, events)),
      changes: Stream.fromPubSub(changes),
      saveSnapshot: (snapshot) => attempt("saveSnapshot", () => writes.saveSnapshot(snapshot))
    })
  )
})

/** SQLite goes on writing to a file that somebody removed; what it then holds is lost with the process. */
const watchFile = (directory: string): (() => void) => {
  const path = databasePath(directory)
  const { dev, ino } = statSync(path)
  return () => {
    const now = statSync(path, { throwIfNoEntry: false })
    if (now?.ino === ino && now.dev === dev) return
    refuse({
      _tag: "Unusable",
      message: `${path} was removed or replaced while it was in use. Put it back, or start with another folder.`
    })
  }
}

const makeReader = Effect.fnUntraced(function* (
  directory: string
): Effect.fn.Return<EventLog["Service"], LogError, Scope.Scope> {
  let opened: { readonly database: DatabaseSync; readonly reads: Reads } | undefined
  const reads = (): Reads | undefined => {
    if (opened === undefined) {
      const database = openReader(directory)
      opened = database && { database, reads: makeReads(database) }
    }
    return opened?.reads
  }
  yield* Effect.acquireRelease(attempt("open", reads), () =>
    Effect.suspend(() => (opened ? close(opened.database) : Effect.void))
  )
  const position = attempt("changes", () => reads()?.position() ?? 0).pipe(
    Effect.catch((error) => Effect.as(Effect.logWarning("The log cannot be read now.", error), -1))
  )

  return EventLog.of({
    ...makeReading(reads),
    isWritable: false,
    claim: () => Effect.fail(readOnly("claim")),
    append: () => Effect.fail(readOnly("append")),
    changes: Stream.fromEffectSchedule(position, Schedule.spaced(readerPollMs)).pipe(
      Stream.filter((known) => known >= 0),
      Stream.changes
    ),
    saveSnapshot: () => Effect.fail(readOnly("saveSnapshot"))
  })
})

type Reads = ReturnType<typeof makeReads>

/** What writer and reader have in common. `reads` is asked each time: a reader's log may appear later. */
const makeReading = (reads: () => Reads | undefined) => ({
  read: (
    stream: string,
    { after = 0, limit = Number.POSITIVE_INFINITY }: { readonly after?: number; readonly limit?: number } = {}
  ) =>
    Stream.paginate({ after, limit }, (from) =>
      attempt("read", () => {
        const events = reads()?.streamPage(storable(stream), from.after, from.limit) ?? []
        const last = events.at(-1)
        const rest = from.limit - events.length
        return [
          events,
          last && rest > 0 ? Option.some({ after: last.version, limit: rest }) : Option.none()
        ] as const
      })
    ),
  readAll: ({ after = 0, types }: { readonly after?: number; readonly types?: ReadonlyArray<string> } = {}) =>
    attempt("readAll", () => reads()?.position() ?? 0).pipe(
      Effect.map((until) =>
        Stream.paginate(after, (from) =>
          attempt("readAll", (): readonly [ReadonlyArray<StoredEvent>, Option.Option<number>] => {
            const page = from < until ? reads()?.allPage(from, until, types) : undefined
            if (page === undefined) return [[], Option.none()]
            return [page.events, page.after < until ? Option.some(page.after) : Option.none()]
          })
        )
      ),
      Stream.unwrap
    ),
  heads: attempt("heads", () => reads()?.heads() ?? []),
  loadSnapshot: (stream: string, fold: string, foldVersion: number) =>
    attempt("loadSnapshot", () =>
      Option.fromUndefinedOr(reads()?.snapshot(storable(stream), fold, foldVersion))
    )
})

const readOnly = (operation: string): LogError => new LogError({ operation, reason: { _tag: "ReadOnly" } })

const close = (database: DatabaseSync): Effect.Effect<void> =>
  Effect.ignore(attempt("close", () => database.close()))
