/**
 * Brings the history of a stream into a log as another log wrote it: versions, times, ids, epochs and
 * hashes unchanged.
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

/** The rows are not a history this log can take. `version` is the first that is wrong, 0 for none of them. */
export class NotImportable extends Schema.TaggedError<NotImportable>()("NotImportable", {
  code: Schema.Literals(["stream_exists", "broken_chain", "incomplete_history", "duplicate_event_id"]),
  version: Schema.Int,
  message: Schema.String
}) {}

/** A log that is open for an import: nobody else writes to it until the scope of whoever opened it closes. */
export interface ImportStore {
  readonly head: (stream: string) => Effect.Effect<Head, LogError>
  /** All of a stream. */
  readonly events: (stream: string) => Effect.Effect<ReadonlyArray<StoredEvent>, LogError>
  /** Runs it in one transaction: what it wrote is there, durable, if it succeeds, and nothing of it otherwise. */
  readonly transact: <A, E, R>(write: Effect.Effect<A, E, R>) => Effect.Effect<A, E | LogError, R>
  /** Puts rows in as they are, all of one stream. Fails with `duplicate_event_id` for an id the log has. */
  readonly insert: (rows: ReadonlyArray<Row>) => Effect.Effect<void, LogError | NotImportable>
  /** Sets where the stream stands; fails when it is not `from` any more. */
  readonly moveHead: (from: Head, to: Head) => Effect.Effect<void, LogError>
}

export interface ImportRequest<E, R, E2, R2> {
  /** Opens the log; fails with `Locked` when another process writes. */
  readonly store: Effect.Effect<ImportStore, LogError, Scope.Scope>
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

/** Answers the head of the stream. Its next owner claims it with a newer epoch than any of the rows. */
export const importStream = Effect.fnUntraced(function* <E, R, E2, R2>(
  request: ImportRequest<E, R, E2, R2>
): Effect.fn.Return<Head, LogError | NotImportable | E | E2, Scope.Scope | R | R2> {
  const { companion, end, pages, stream } = request
  const store = yield* request.store
  const before = yield* store.head(stream)
  if (before.version > 0 || before.epoch > 0) {
    return yield* new NotImportable({
      code: "stream_exists",
      version: 0,
      message: `the log already has the stream ${stream}`
    })
  }
  const companions = yield* companion.decide(yield* store.events(companion.stream))

  return yield* store.transact(
    Effect.gen(function* () {
      let head: Head = { stream, version: 0, epoch: 0, hash: genesisHash }
      yield* Stream.runForEach(pages, (page) =>
        Effect.gen(function* () {
          for (const row of page) head = yield* follow(head, row)
          yield* store.insert(page)
        })
      )
      if (head.version !== end.version || head.hash !== end.hash) {
        return yield* new NotImportable({
          code: "incomplete_history",
          version: head.version,
          message: `it ends at version ${head.version}, and ${end.version} was exported`
        })
      }
      yield* accompany(store, yield* store.head(companion.stream), companions)
      yield* store.moveHead(before, head)
      return head
    })
  )
}, Effect.scoped)

/** As a new owner, like any other: who held the companion before is fenced off. */
const accompany = Effect.fnUntraced(function* (
  store: ImportStore,
  before: Head,
  events: ReadonlyArray<NewEvent>
) {
  const claimed = { ...before, epoch: before.epoch + 1 }
  const rows = link(claimed, events)
  yield* store.insert(rows)
  yield* store.moveHead(before, {
    ...claimed,
    version: claimed.version + rows.length,
    hash: rows.at(-1)?.hash ?? before.hash
  })
})

/** For a store: the row's id belongs to another event already. */
export const duplicateRow = ({ version }: Row): NotImportable =>
  new NotImportable({
    code: "duplicate_event_id",
    version,
    message: "the log already has an event with this id"
  })

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
