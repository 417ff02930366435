/**
 * Where a command of a test keeps its log: named to the command, and looked at beside it.
 *
 * @module
 */
import { watch } from "node:fs"
import { Effect, Exit, Queue, Redacted, Scope } from "effect"
import { openSession, type Rows, type Session } from "../../src/log/PostgresSession.ts"
import type { PostgresServer } from "../support/PostgresServer.ts"
import { countEvents } from "./CommandLine.ts"

export interface Place {
  /** What the command is told. */
  readonly flags: ReadonlyArray<string>
  /** How many events of a type the log holds, read beside its writer; 0 while there is no log. */
  readonly count: (type: string) => Promise<number>
  /** Calls back after changes of the log, until it is closed; never by time. */
  readonly watch: (changed: () => void) => Promise<{ readonly close: () => Promise<void> }>
}

/** Makes an empty place for commands that run in the folder. */
export type NewPlace = (folder: string) => Promise<Place>

export const inFolder: NewPlace = async (folder) => {
  return {
    flags: ["--data-dir", ".millrace"],
    count: async (type) => countEvents(folder, type),
    watch: async (changed) => {
      const watching = watch(folder, { recursive: true }, changed)
      return { close: async () => watching.close() }
    }
  }
}

let databases = 0

/** A database of its own on the server for each place; it goes with the server. */
export const onServer =
  ({ url }: PostgresServer): NewPlace =>
  async () => {
    const name = `place_${databases++}`
    await ask(url, `create database ${name}`)
    const own = url.replace(/[^/]*$/, name)
    return {
      flags: ["--database-url", own],
      count: async (type) => {
        const [found] = await ask(own, "select to_regclass('millrace.events') is not null")
        if (found?.[0] !== true) return 0
        const [row] = await ask(own, "select count(*)::int4 from millrace.events where type = $1", type)
        return row?.[0] as number
      },
      watch: (changed) => listen(own, changed)
    }
  }

/** The writer notifies whoever listens; the one who listens ends with its server and is opened anew by the test. */
const listen = async (url: string, changed: () => void) => {
  const scope = Scope.makeUnsafe()
  const session = await Effect.runPromise(opened(url))
  const notifications = await Effect.runPromise(Scope.provide(session.listen("millrace_millrace"), scope))
  const told = Effect.tap(Queue.take(notifications), () => Effect.sync(changed))
  Effect.runFork(Effect.ignore(Effect.forever(told)))
  return { close: () => Effect.runPromise(Effect.andThen(Scope.close(scope, Exit.void), session.close)) }
}

const ask = (url: string, sql: string, ...parameters: ReadonlyArray<unknown>): Promise<Rows> =>
  Effect.runPromise(
    Effect.acquireUseRelease(
      opened(url),
      (session) => session.query(sql, parameters),
      (session) => session.close
    )
  )

const opened = (url: string): Effect.Effect<Session, unknown> =>
  openSession({ url: Redacted.make(url), deadlineMs: 20_000, name: "tests" })
