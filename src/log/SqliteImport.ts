/**
 * An embedded log, open for an import.
 *
 * @module
 */
import { Effect, type Scope } from "effect"
import type { StoredEvent } from "../../events/StoredEvent.ts"
import type { Row } from "./Append.ts"
import type { LogError } from "./EventLog.ts"
import { duplicateRow, type ImportStore, type NotImportable } from "./importStream.ts"
import { holdLock } from "./lock.ts"
import type { SqliteOptions } from "./Sqlite.ts"
import { attempt, isUniqueViolation } from "./SqliteFailure.ts"
import { openWriter, prepareDirectory } from "./SqliteSchema.ts"
import { makeWrites } from "./SqliteStore.ts"

/** Makes the folder, with an empty log, where there is none, and takes its lock. */
export const openSqliteImport = Effect.fnUntraced(function* ({
  directory
}: SqliteOptions): Effect.fn.Return<ImportStore, LogError, Scope.Scope> {
  yield* attempt("open", () => prepareDirectory(directory))
  yield* holdLock(directory)
  const database = yield* Effect.acquireRelease(
    attempt("open", () => openWriter(directory)),
    (opened) => Effect.ignore(attempt("close", () => opened.close()))
  )
  const writes = yield* attempt("open", () => makeWrites(database))
  const undo = attempt("import", () => {
    if (database.isTransaction) database.exec("rollback")
  })
  return {
    head: (stream) => attempt("import", () => writes.head(stream)),
    events: (stream) =>
      attempt("import", () => {
        const all: Array<StoredEvent> = []
        for (;;) {
          const page = writes.streamPage(stream, all.length, Number.POSITIVE_INFINITY)
          if (page.length === 0) return all
          all.push(...page)
        }
      }),
    transact: (write) =>
      attempt("import", () => database.exec("begin immediate")).pipe(
        Effect.andThen(write),
        Effect.tap(() => attempt("import", () => database.exec("commit"))),
        Effect.onExit(() => Effect.ignore(undo))
      ),
    insert: (rows) => Effect.forEach(rows, (row) => put(() => writes.insertRow(row), row), { discard: true }),
    // Nobody else writes: the stream stands where it stood.
    moveHead: (_, to) => attempt("import", () => void writes.setHead(to))
  }
})

const put = (insert: () => unknown, row: Row): Effect.Effect<void, LogError | NotImportable> =>
  Effect.flatMap(
    attempt("import", () => {
      try {
        insert()
        return true
      } catch (error) {
        if (!isUniqueViolation(error)) throw error
        return false
      }
    }),
    (isIn): Effect.Effect<void, NotImportable> => (isIn ? Effect.void : Effect.fail(duplicateRow(row)))
  )
