/**
 * One writing process per log: an exclusive lock that the operating system frees however the process
 * ends, and a note beside it that says who holds it. Node has no flock; SQLite's own lock on a file of
 * its own serves, and readers of the log never touch it.
 *
 * @module
 */
import { readFileSync, renameSync, rmSync, writeFileSync } from "node:fs"
import { hostname } from "node:os"
import { join } from "node:path"
import { DatabaseSync } from "node:sqlite"
import { DateTime, Effect, Option, Schema, type Scope } from "effect"
import { LogError } from "./EventLog.ts"
import { attempt, isBusy } from "./SqliteFailure.ts"

/** Who writes to a log. `address` is where its API listens, once it does; `since` is ISO 8601. */
export const Holder = Schema.Struct({
  pid: Schema.Int,
  address: Schema.NullOr(Schema.String),
  host: Schema.String,
  since: Schema.String
})
export type Holder = typeof Holder.Type

/**
 * Holds `<directory>/lock.db` until the scope closes, and keeps `<directory>/holder.json`. Fails at once
 * with `Locked` when another process, or this one, holds it already.
 */
export const holdLock = Effect.fnUntraced(function* (
  directory: string
): Effect.fn.Return<void, LogError, Scope.Scope> {
  yield* Effect.acquireRelease(
    Effect.flatMap(
      attempt("open", () => tryLock(join(directory, "lock.db"))),
      (lock) => (lock === undefined ? lockedBy(directory) : Effect.succeed(lock))
    ),
    (lock) =>
      Effect.ignore(
        attempt("close", () => {
          rmSync(holderPath(directory), { force: true })
          lock.close()
        })
      )
  )
  const since = DateTime.formatIso(yield* DateTime.now)
  yield* writeHolder(directory, { pid: process.pid, address: null, host: hostname(), since })
})

/**
 * Who wrote to the log last, by its own note. A killed process leaves its note behind, so this is the
 * present holder only for somebody who has just been refused with `Locked`.
 */
export const readHolder = (directory: string): Effect.Effect<Option.Option<Holder>> =>
  attempt("readHolder", () => readFileSync(holderPath(directory), "utf8")).pipe(
    Effect.option,
    Effect.map(Option.flatMap(decodeHolder))
  )

/** Tells others where the process that holds the log listens. Only for that process. */
export const publishAddress = Effect.fnUntraced(function* (
  directory: string,
  address: string
): Effect.fn.Return<void, LogError> {
  const holder = yield* readHolder(directory)
  if (Option.isNone(holder) || holder.value.pid !== process.pid) return yield* lockedBy(directory)
  yield* writeHolder(directory, { ...holder.value, address })
})

const holderPath = (directory: string): string => join(directory, "holder.json")

const decodeHolder = Schema.decodeUnknownOption(Schema.fromJsonString(Holder))

const tryLock = (path: string): DatabaseSync | undefined => {
  const lock = new DatabaseSync(path, { timeout: 0 })
  try {
    lock.exec("begin exclusive")
    return lock
  } catch (error) {
    lock.close()
    if (isBusy(error)) return undefined
    throw error
  }
}

const lockedBy = Effect.fnUntraced(function* (directory: string): Effect.fn.Return<never, LogError> {
  const holder = Option.match(yield* readHolder(directory), {
    onNone: () => "another process",
    onSome: ({ address, host, pid, since }) =>
      `process ${pid} on ${host} since ${since}${address === null ? "" : `, listening at ${address}`}`
  })
  return yield* new LogError({ operation: "open", reason: { _tag: "Locked", holder } })
})

/** Written beside and renamed, so that nobody reads half a note. */
const writeHolder = (directory: string, holder: Holder): Effect.Effect<void, LogError> =>
  attempt("open", () => {
    const path = holderPath(directory)
    writeFileSync(`${path}.new`, `${JSON.stringify(holder)}\n`)
    renameSync(`${path}.new`, path)
  })
