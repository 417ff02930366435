/**
 * Brings the history of a stream into an embedded log as another log wrote it: versions, times, ids,
 * epochs and hashes unchanged.
 *
 * The log has no such verb because nothing that runs may use it: an append decides, this repeats what was
 * decided. All of it happens in one transaction, so a history is there whole and proven, or not at all;
 * memory holds a page of it, whatever its length.
 *
 * @module
 */
import { Effect, Schema, type Scope, Stream } from "effect"
import { genesisHash, type StoredEvent } from "../../events/StoredEvent.ts"
import { hashOf, link, type Row } from "./Append.ts"
import type { Head, LogError, NewEvent } from "./EventLog.ts"
import { holdLock } from "./lock.ts"
import { attempt, isUniqueViolation } from "./SqliteFailure.ts"
import { openWriter, prepareDirectory } from "./SqliteSchema.ts"
import { makeWrites } from "./SqliteStore.ts"

/** The rows are not a history this log can take. `version` is the first that is wrong, 0 for none of them. */
export class NotImportable extends Schema.TaggedError<NotImportable>()("NotImportable", {
  code: Schema.Literals(["stream_exists", "broken_chain", "incomplete_history", "duplicate_event_id"]),
  version: Schema.Int,
  message: Schema.String
}) {}

export interface ImportRequest<E, R, E2, R2> {
  /** The folder of the log; made, with an empty log, where there is none. */
  readonly directory: string
  /** Must have no event and no owner yet. */
  readonly stream: string
  /** Where the history ends, by whoever exported it. */
  readonly end: Pick<Head, "version" | "hash">
  /** The rows from version 1 on, in pages. */
  readonly pages: Stream.Stream<ReadonlyArray<Row>, E, R>
  /** What goes into another stream with it, decided from all that stream holds. */
  readonly companion: {
    readonly stream: string
    readonly decide: (rows: ReadonlyArray<StoredEvent>) => Effect.Effect<ReadonlyArray<NewEvent>, E2, R2>
  }
}

/**
 * Takes the log's lock for as long as it runs; fails with `Locked` when another process writes. The next
 * owner of the stream claims it with a newer epoch than any of the rows.
 */
export const importStream = Effect.fnUntraced(function* <E, R, E2, R2>(
  request: ImportRequest<E, R, E2, R2>
): Effect.fn.Return<Head, LogError | NotImportable | E | E2, Scope.Scope | R | R2> {
  const { companion, directory, pages, stream } = request
  yield* attempt("open", () => prepareDirectory(directory))
  yield* holdLock(directory)
  const database = yield* Effect.acquireRelease(
    attempt("open", () => openWriter(directory)),
    (opened) => Effect.ignore(attempt("close", () => opened.close()))
  )
  const writes = yield* attempt("open", () => makeWrites(database))
  const { epoch, version } = yield* attempt("import", () => writes.head(stream))
  if (version > 0 || epoch > 0) {
    return yield* new NotImportable({
      code: "stream_exists",
      version: 0,
      message: `the log already has the stream ${stream}`
    })
  }
  const all: Array<StoredEvent> = []
  for (;;) {
    const page = yield* attempt("import", () =>
      writes.streamPage(companion.stream, all.length, Number.POSITIVE_INFINITY)
    )
    if (page.length === 0) break
    all.push(...page)
  }
  const companions = yield* companion.decide(all)

  const write = Effect.gen(function* () {
    let head: Head = { stream, version: 0, epoch: 0, hash: genesisHash }
    yield* Stream.runForEach(pages, (page) =>
      Effect.gen(function* () {
        for (const row of page) {
          head = yield* follow(head, row)
          yield* put(() => writes.insertRow(row), row.version)
        }
      })
    )
    if (head.version !== request.end.version || head.hash !== request.end.hash) {
      return yield* new NotImportable({
        code: "incomplete_history",
        version: head.version,
        message: `it ends at version ${head.version}, and ${request.end.version} was exported`
      })
    }
    yield* attempt("import", () => {
      writes.setHead(head)
      const before = writes.head(companion.stream)
      // A new owner, like any other: who held the companion before is fenced off.
      const claimed = { ...before, epoch: before.epoch + 1 }
      const rows = link(claimed, companions)
      for (const row of rows) writes.insertRow(row)
      writes.setHead({
        ...claimed,
        version: claimed.version + rows.length,
        hash: rows.at(-1)?.hash ?? before.hash
      })
      database.exec("commit")
    })
    return head
  })
  const undo = attempt("import", () => {
    if (database.isTransaction) database.exec("rollback")
  })
  yield* attempt("import", () => database.exec("begin immediate"))
  return yield* write.pipe(Effect.onExit(() => Effect.ignore(undo)))
}, Effect.scoped)

/** The head behind a row, when the row is the one that follows. */
const follow = (head: Head, row: Row): Effect.Effect<Head, NotImportable> => {
  const broken = (message: string) =>
    Effect.fail(new NotImportable({ code: "broken_chain", version: head.version + 1, message }))
  if (row.stream !== head.stream) return broken(`the event is of the stream ${row.stream}`)
  if (row.version !== head.version + 1) return broken(`version ${row.version} follows ${head.version}`)
  if (hashOf(head.hash, row) !== row.hash) return broken("the event does not match its hash: it was changed")
  return Effect.succeed({
    ...head,
    version: row.version,
    hash: row.hash,
    epoch: Math.max(head.epoch, row.epoch)
  })
}

const put = (insert: () => unknown, version: number): Effect.Effect<void, LogError | NotImportable> =>
  Effect.suspend((): Effect.Effect<void, LogError | NotImportable> => {
    let twice = false
    return attempt("import", () => {
      try {
        insert()
      } catch (error) {
        twice = isUniqueViolation(error)
        if (!twice) throw error
      }
    }).pipe(
      Effect.flatMap(() =>
        twice
          ? Effect.fail(
              new NotImportable({
                code: "duplicate_event_id",
                version,
                message: "the log already has an event with this id"
              })
            )
          : Effect.void
      )
    )
  })
