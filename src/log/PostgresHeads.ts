/**
 * Where the streams stand, as far as this process knows, so that an append needs no question first. Only
 * a hint: the statement that appends compares version, epoch and hash with the row itself.
 *
 * @module
 */
import { Effect, Result } from "effect"
import { genesisHash } from "../../events/StoredEvent.ts"
import { type Append, admit } from "./Append.ts"
import type { Fenced, Head, VersionConflict } from "./EventLog.ts"
import { makeHeadsStatement } from "./PostgresAppend.ts"
import type { PostgresFailure } from "./PostgresFailure.ts"
import { type Ask, toHead } from "./PostgresReads.ts"
import { fromText, toText } from "./PostgresText.ts"

/** Heads that are remembered; the longest untouched is forgotten first. */
const rememberedHeads = 20_000

export interface Heads {
  readonly remember: (head: Head) => void
  /** May the append be written after this head, was it stored already, or is it refused? In the order given. */
  readonly decide: (
    appends: ReadonlyArray<Append>,
    options: { readonly fresh: boolean }
  ) => Effect.Effect<ReadonlyArray<Decision>, PostgresFailure>
}

export type Decision =
  | { readonly _tag: "Write"; readonly head: Head }
  | { readonly _tag: "Answer"; readonly answer: Result.Result<Head, VersionConflict | Fenced> }

export const makeHeads = (schema: string, ask: Ask): Heads => {
  const remembered = new Map<string, Head>()
  const remember = (head: Head): void => {
    remembered.delete(head.stream)
    remembered.set(head.stream, head)
    if (remembered.size > rememberedHeads) remembered.delete(remembered.keys().next().value!)
  }

  /** The rows of these streams, made where they are missing. */
  const fetch = Effect.fnUntraced(function* (streams: ReadonlyArray<string>) {
    const select = `select stream, version, epoch, hash from ${schema}.streams where stream = any($1)`
    const names = streams.map(toText)
    let rows = yield* ask(select, [names])
    if (rows.length < new Set(names).size) {
      yield* ask(makeHeadsStatement(schema), [names])
      rows = yield* ask(select, [names])
    }
    for (const row of rows) remember(toHead(row))
  })

  const storedAfter = (append: Append) =>
    Effect.map(
      ask(
        `select event_id, hash from ${schema}.events where stream = $1 and version > $2 order by version limit $3`,
        [toText(append.stream), append.expectedVersion, append.events.length]
      ),
      (rows) => rows.map((row) => ({ eventId: fromText(row[0] as string), hash: row[1] as string }))
    )

  /** An empty append inserts nothing that could fail, so its head is never taken from memory. */
  const isKnown = ({ epoch, events, expectedVersion, stream }: Append): boolean => {
    const head = remembered.get(stream)
    return events.length > 0 && head?.version === expectedVersion && head.epoch === epoch
  }

  const look = Effect.fnUntraced(function* (appends: ReadonlyArray<Append>, unknown: ReadonlyArray<Append>) {
    yield* fetch(unknown.map(({ stream }) => stream))
    const decisions: Array<Decision> = []
    for (const append of appends) {
      const { stream } = append
      const head = remembered.get(stream) ?? { stream, version: 0, epoch: 0, hash: genesisHash }
      const mayBeStored = append.epoch === head.epoch && append.expectedVersion < head.version
      const stored = mayBeStored ? yield* storedAfter(append) : []
      const admitted = admit(append, head, () => stored)
      decisions.push(
        Result.isSuccess(admitted) && admitted.success === "write"
          ? { _tag: "Write", head }
          : { _tag: "Answer", answer: admitted as Result.Result<Head, VersionConflict | Fenced> }
      )
    }
    return decisions
  })

  return {
    remember,
    decide: (appends, { fresh }) => {
      const unknown = fresh ? appends : appends.filter((append) => !isKnown(append))
      return unknown.length === 0
        ? Effect.succeed(appends.map(({ stream }) => ({ _tag: "Write", head: remembered.get(stream)! })))
        : look(appends, unknown)
    }
  }
}
