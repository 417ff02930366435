/**
 * What SQLite and the file system throw, as the closed set of reasons a `LogError` has.
 *
 * @module
 */
import { Effect } from "effect"
import { LogError } from "./EventLog.ts"

/** Runs something synchronous; what SQLite or the file system throws is a `LogError`, all else a defect. */
export const attempt = <A>(operation: string, run: () => A): Effect.Effect<A, LogError> =>
  Effect.suspend(() => {
    try {
      return Effect.succeed(run())
    } catch (error) {
      const reason = error instanceof LogError ? error.reason : reasonOf(error)
      return reason === undefined ? Effect.die(error) : Effect.fail(new LogError({ operation, reason }))
    }
  })

/** Throws, for `attempt` to catch. */
export const refuse = (reason: LogError["reason"]): never => {
  throw new LogError({ operation: "open", reason })
}

export const isConstraint = (error: unknown): boolean => primaryCode(error) === 19

export const isUniqueViolation = (error: unknown): boolean =>
  isConstraint(error) && isSystemError(error) && error.errcode === 2067

export const isBusy = (error: unknown): boolean => primaryCode(error) === 5

/** The low byte of SQLite's extended result code; https://www.sqlite.org/rescode.html */
const primaryCode = (error: unknown): number | undefined =>
  isSystemError(error) && error.code === "ERR_SQLITE_ERROR" && error.errcode !== undefined
    ? error.errcode & 0xff
    : undefined

const reasonOf = (error: unknown): LogError["reason"] | undefined => {
  if (!isSystemError(error)) return undefined
  const { message } = error
  switch (primaryCode(error) ?? error.code) {
    case 13: // SQLITE_FULL
    case "ENOSPC":
    case "EDQUOT":
      return { _tag: "DiskFull", message: "No space is left for the log. Free some and try again." }
    case 5: // SQLITE_BUSY
    case 6: // SQLITE_LOCKED
    case 7: // SQLITE_NOMEM
    case 10: // SQLITE_IOERR
    case "EIO":
    case "EMFILE":
    case "ENFILE":
      return { _tag: "Unavailable", message: `The log's file cannot be used now: ${message}.` }
    case "ERR_INVALID_STATE":
      return { _tag: "Unavailable", message: "The log is closed." }
    case 11: // SQLITE_CORRUPT
    case "ERR_OUT_OF_RANGE": // an integer no release ever wrote
      return {
        _tag: "Unusable",
        message: `The log's file is damaged (${message}). Restore it from a backup.`
      }
    case 26: // SQLITE_NOTADB
      return {
        _tag: "Unusable",
        message: "millrace.db is not a database. Move it away, or name another directory."
      }
    case 3: // SQLITE_PERM
    case 8: // SQLITE_READONLY
    case 14: // SQLITE_CANTOPEN
    case 23: // SQLITE_AUTH
    case "EACCES":
    case "EPERM":
    case "EROFS":
      return {
        _tag: "Unusable",
        message: `The log's directory cannot be used (${message}). Check its permissions, or name another directory.`
      }
    case "EEXIST":
    case "ENOTDIR":
      return {
        _tag: "Unusable",
        message: `The log's directory is a file or lies below one (${message}). Name another directory.`
      }
    default:
      return primaryCode(error) === undefined && error.errno === undefined
        ? undefined
        : { _tag: "Unusable", message: `The log cannot be used: ${message}.` }
  }
}

interface SystemError extends Error {
  readonly code: string
  readonly errcode?: number
  readonly errno?: number
}

const isSystemError = (error: unknown): error is SystemError =>
  error instanceof Error && "code" in error && typeof error.code === "string"
