/**
 * The session's Postgres server, through the client our log uses: for databases of their own and for what
 * is said to the server without a log.
 *
 * @module
 */
import * as PgConnection from "@effect/sql-pg/PgConnection"
import { Effect, Exit, Redacted, Scope } from "effect"

export interface Connection {
  readonly query: (
    sql: string,
    parameters?: ReadonlyArray<unknown>
  ) => Promise<ReadonlyArray<ReadonlyArray<unknown>>>
  readonly close: () => Promise<void>
}

/** A connection of its own, in the client's default settings. */
export const connect = async (url: string): Promise<Connection> => {
  const scope = await Effect.runPromise(Scope.make())
  const connection = await Effect.runPromise(
    Scope.provide(PgConnection.make({ url: Redacted.make(url) }), scope)
  )
  return {
    query: (sql, parameters) => Effect.runPromise(connection.queryValues(sql, parameters)),
    close: () => Effect.runPromise(Scope.close(scope, Exit.void))
  }
}

/** Makes an empty database on the server and answers its URL. */
export const newDatabase = async (url: string, name: string): Promise<string> => {
  const connection = await connect(url)
  await connection.query(`create database ${name}`)
  await connection.close()
  return databaseUrl(url, name)
}

export const databaseUrl = (url: string, name: string): string => {
  const named = new URL(url)
  named.pathname = `/${name}`
  return named.href
}
