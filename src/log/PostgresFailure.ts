/**
 * What Postgres and the network answer instead of rows, as the closed set of reasons a `LogError` has.
 *
 * @module
 */
import type { SqlError } from "effect/sql/SqlError"
import { LogError } from "./EventLog.ts"

/** A call that gave no rows. `code` is the server's SQLSTATE, or nothing when the server gave no answer. */
export interface PostgresFailure {
  readonly _tag: "PostgresFailure"
  readonly reason: LogError["reason"]
  readonly code: string | undefined
  /** What was asked for may have happened all the same: it was sent, and no answer came. */
  readonly isAmbiguous: boolean
}

export const failure = (
  reason: LogError["reason"],
  code?: string | undefined,
  isAmbiguous = false
): PostgresFailure => ({ _tag: "PostgresFailure", reason, code, isAmbiguous })

export const unavailable = (message: string): LogError["reason"] => ({ _tag: "Unavailable", message })

export const unusable = (message: string): LogError["reason"] => ({ _tag: "Unusable", message })

export const toLogError =
  (operation: string) =>
  ({ reason }: PostgresFailure): LogError =>
    new LogError({ operation, reason })

/**
 * Only the server's message and code are looked at: the causes of the client's errors may hold the whole
 * URL, and with it the password.
 */
export const failureOf = (error: SqlError, conceal: (text: string) => string): PostgresFailure => {
  const { cause } = error.reason
  const code = sqlState(cause)
  const said = conceal(cause instanceof Error ? cause.message : "no answer")
  if (code === undefined) {
    return failure(unavailable(`Postgres cannot be reached: ${said}.`), code, true)
  }
  return failure(reasonOf(code, said), code, endsSession(code))
}

/** The table or schema is not there. */
export const isMissing = ({ code }: PostgresFailure): boolean => code === "42P01" || code === "3F000"

/** The data was refused: the statement's fault, not the server's. Classes 22 and 23 of the codes. */
export const isRefusedData = ({ code }: PostgresFailure): boolean =>
  code !== undefined && (code.startsWith("22") || code.startsWith("23"))

export const isDuplicate = ({ code }: PostgresFailure): boolean => code === "23505"

/** https://www.postgresql.org/docs/current/errcodes-appendix.html */
const sqlState = (cause: unknown): string | undefined =>
  cause instanceof Error &&
  "code" in cause &&
  typeof cause.code === "string" &&
  /^[0-9A-Z]{5}$/.test(cause.code)
    ? cause.code
    : undefined

/** The server ended the session, perhaps after it had committed. */
const endsSession = (code: string): boolean => /^(?:08|57P0[1-5]|XX)/.test(code)

const reasonOf = (code: string, said: string): LogError["reason"] => {
  if (code === "53100") {
    return {
      _tag: "DiskFull",
      message: "No space is left for the log on the server. Free some and try again."
    }
  }
  if (code === "3D000" || code.startsWith("28")) {
    return unusable(
      `Postgres refuses the connection (${said}). Check database, user and password of the URL.`
    )
  }
  if (code === "42501") {
    return unusable(`The database user lacks a privilege (${said}). Grant it the schema and its tables.`)
  }
  if (code === "25006") return unavailable(`Postgres only reads (${said}). Is it a standby?`)
  if (code === "57014") return unavailable("Postgres did not answer in time.")
  if (/^(?:08|40|53|55|57|58)/.test(code)) return unavailable(`Postgres cannot serve now: ${said}.`)
  if (/^XX/.test(code)) return unusable(`The database is damaged (${said}). Restore it from a backup.`)
  return unusable(`The log cannot be used: ${said}.`)
}
