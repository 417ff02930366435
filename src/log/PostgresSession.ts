/**
 * One connection to Postgres, on a socket of our own: every call on it has a deadline that needs nobody's
 * consent. A call that is late loses its connection, and so fails by itself wherever it is.
 *
 * @module
 */
import { connect as connectSocket, type Socket } from "node:net"
import type { Queue, Redacted } from "effect"
import { Clock, Effect, Exit, Scope } from "effect"
import type { SqlError } from "effect/sql/SqlError"
import { failure, failureOf, type PostgresFailure, unusable } from "./PostgresFailure.ts"
import { concealing, targetOf } from "./PostgresUrl.ts"

export type Rows = ReadonlyArray<ReadonlyArray<unknown>>

export interface SessionOptions {
  readonly url: Redacted.Redacted<string>
  /** Milliseconds a call may take. */
  readonly deadlineMs: number
  /** What `pg_stat_activity` shows. */
  readonly name: string
  /** Many calls may be on the wire at once, in order. Never for appends. */
  readonly multiplex?: boolean | undefined
  /** Set for the session, by the server's names. */
  readonly settings?: Readonly<Record<string, string>> | undefined
}

export interface Session {
  /** The process that serves it, by the server's own count. */
  readonly backend: number
  readonly isOpen: () => boolean
  /** Prepared once per text; answers rows by position. Uninterruptible unless multiplexed. */
  readonly query: (sql: string, params?: ReadonlyArray<unknown>) => Effect.Effect<Rows, PostgresFailure>
  /** What is notified on a channel from now on. The queue fails when the session is lost. */
  readonly listen: (channel: string) => Effect.Effect<Notifications, PostgresFailure, Scope.Scope>
  readonly close: Effect.Effect<void>
}

export type Notifications = Queue.Dequeue<{ readonly payload: string }, SqlError>

/** Connects. Whoever asked closes the session. */
export const openSession = Effect.fnUntraced(function* (
  options: SessionOptions
): Effect.fn.Return<Session, PostgresFailure> {
  const { deadlineMs, multiplex = false, name, url } = options
  const { make } = yield* loadClient
  const target = yield* targetOf(url)
  const conceal = concealing(url)
  const scope = yield* Scope.make()
  let socket: Socket | undefined
  const destroy = () => {
    socket?.destroy()
  }
  const close = Effect.andThen(
    Scope.close(scope, Exit.void),
    Effect.sync(() => {
      socket?.destroySoon()
    })
  )
  const beforeDeadline = yield* Scope.provide(watchDeadlines(deadlineMs, destroy), scope)
  const within = <A, R>(call: Effect.Effect<A, SqlError, R>): Effect.Effect<A, PostgresFailure, R> =>
    Effect.mapError(beforeDeadline(call), (error) => failureOf(error, conceal))

  return yield* Effect.gen(function* () {
    const connection = yield* within(
      make({
        url,
        multiplex,
        applicationName: name,
        connectTimeout: deadlineMs,
        // The largest value Postgres has: what could be stored must be readable.
        maxMessageSize: 2 ** 30,
        stream: () => {
          const opened = connectSocket({ ...target, noDelay: true, keepAlive: true })
          socket ??= opened
          return opened
        }
      }).pipe(Scope.provide(scope))
    )
    const query: Session["query"] = (sql, params) => {
      const call = within(connection.queryValues(sql, params))
      // An interruption would cancel what runs on the server then, which may be the next call.
      return multiplex ? call : Effect.uninterruptible(call)
    }
    const settings = Object.entries(settingsOf(options))
    const sets = settings.map((_, i) => `set_config($${2 * i + 1}, $${2 * i + 2}, false)`)
    const [row] = yield* query(`select pg_backend_pid(), ${sets.join()}`, settings.flat())
    return {
      backend: row![0] as number,
      isOpen: () => socket?.readyState === "open",
      query,
      listen: (channel) => within(connection.listen(channel)),
      close
    } satisfies Session
  }).pipe(Effect.onError(() => close))
})

/** The client is an optional peer: loaded when a log on Postgres is opened, not before. */
const loadClient = Effect.tryPromise({
  try: () => import("@effect/sql-pg/PgConnection"),
  catch: () =>
    failure(unusable("A log on Postgres needs a library that is not installed: npm install @effect/sql-pg"))
})

/** The server gives up a little before we do, and then says for certain that nothing happened. */
const settingsOf = ({ deadlineMs, settings }: SessionOptions): Readonly<Record<string, string>> => ({
  statement_timeout: `${Math.ceil(deadlineMs * 0.9)}`,
  // Statistics must not decide how a page is found, nor whether a statement is planned anew each time.
  plan_cache_mode: "force_generic_plan",
  enable_bitmapscan: "off",
  enable_seqscan: "off",
  jit: "off",
  ...settings
})

/**
 * Runs `onLate` when a call takes too long; it is expected to make the call fail. Nothing is interrupted,
 * so it holds where interruption is off. All calls have the same time, so the oldest is late first: one
 * fiber watches that one, and is there only while there are calls. A fiber for each call, with a timer,
 * would cost as much as the call itself.
 */
const watchDeadlines = Effect.fnUntraced(function* (
  ms: number,
  onLate: () => void
): Effect.fn.Return<<A, E, R>(call: Effect.Effect<A, E, R>) => Effect.Effect<A, E, R>, never, Scope.Scope> {
  const scope = yield* Effect.scope
  // In the order of their start.
  const underWay = new Set<{ readonly end: number }>()
  let isWatched = false
  const watch: Effect.Effect<void> = Effect.suspend(() => {
    const [oldest] = underWay
    if (oldest === undefined) {
      isWatched = false
      return Effect.void
    }
    const rest = oldest.end - elapsedMillis()
    if (rest > 0) return Effect.andThen(pause(rest), watch)
    underWay.clear()
    onLate()
    return watch
  })
  const watched = Effect.suspend(() => {
    if (isWatched) return Effect.void
    isWatched = true
    return Effect.forkIn(Effect.interruptible(watch), scope)
  })
  return (call) =>
    Effect.suspend(() => {
      const mine = { end: elapsedMillis() + ms }
      underWay.add(mine)
      const ended = Effect.sync(() => underWay.delete(mine))
      return isWatched ? Effect.ensuring(call, ended) : Effect.andThen(watched, Effect.ensuring(call, ended))
    })
})

/** Waits on the machine's clock, whatever the program's is: the network knows no other. */
export const pause = (ms: number): Effect.Effect<void> =>
  Effect.provideService(Effect.sleep(ms), Clock.Clock, machineClock)

/** Of that clock. */
export const machineMillis = (): number => machineClock.currentTimeMillisUnsafe()

/** Of that clock, since some moment: setting the clock does not change it. */
const elapsedMillis = (): number => Number(machineClock.monotonicTimeNanosUnsafe()) / 1_000_000

const machineClock = Clock.Clock.defaultValue()
