/**
 * A session that is opened when it is needed and opened anew once it is lost.
 *
 * @module
 */
import { Effect, type Scope, Semaphore } from "effect"
import { failure, type PostgresFailure, unavailable } from "./PostgresFailure.ts"
import { openSession, type Rows, type Session, type SessionOptions } from "./PostgresSession.ts"

export interface Line {
  /** The open session, or a new one; at most one is being opened at a time. */
  readonly session: Effect.Effect<Session, PostgresFailure>
  readonly query: (sql: string, params?: ReadonlyArray<unknown>) => Effect.Effect<Rows, PostgresFailure>
}

/** `onOpen` readies each new session; when it fails, the session is closed and nobody gets it. */
export const makeLine = Effect.fnUntraced(function* (
  options: SessionOptions,
  onOpen: (session: Session) => Effect.Effect<void, PostgresFailure> = () => Effect.void
): Effect.fn.Return<Line, never, Scope.Scope> {
  let current: Session | undefined
  let isClosed = false
  const opening = yield* Semaphore.make(1)
  const close = Effect.suspend(() => {
    const closing = current?.close ?? Effect.void
    current = undefined
    return closing
  })
  yield* Effect.addFinalizer(() =>
    Effect.suspend(() => {
      isClosed = true
      return close
    })
  )

  const open = Effect.gen(function* () {
    if (isClosed) return yield* Effect.fail(closed)
    if (current?.isOpen()) return current
    yield* close
    const session = yield* openSession(options)
    yield* Effect.onError(onOpen(session), () => session.close)
    current = session
    return session
  }).pipe(
    Effect.uninterruptible,
    // Nothing that was asked for can have happened before there was a session to ask.
    Effect.mapError((failure) => ({ ...failure, isAmbiguous: false })),
    opening.withPermits(1)
  )
  const session = Effect.suspend(() => (current?.isOpen() ? Effect.succeed(current) : open))

  return {
    session,
    query: (sql, params) => Effect.flatMap(session, (opened) => opened.query(sql, params))
  }
})

const closed = failure(unavailable("The log is closed."))
