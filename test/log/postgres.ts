/**
 * Logs on a Postgres server of the tests, each in a schema of its own.
 *
 * @module
 */
import { Effect, Layer, Redacted } from "effect"
import type { EventLog, LogError } from "../../src/log/EventLog.ts"
import { layerPostgres, type PostgresOptions } from "../../src/log/Postgres.ts"
import { openSession } from "../../src/log/PostgresSession.ts"

/** Runs statements as the superuser of the tests. */
export const sql = (url: string, ...statements: ReadonlyArray<string>) =>
  Effect.acquireUseRelease(
    openSession({
      url: Redacted.make(url),
      deadlineMs: 20_000,
      name: "tests",
      settings: { statement_timeout: "0" }
    }),
    (session) => Effect.forEach(statements, (statement) => session.query(statement)),
    (session) => session.close
  ).pipe(Effect.orDie)

let schemas = 0

/** The name of a schema nobody has used. It goes with the server. */
export const newSchema = Effect.sync(() => {
  schemas += 1
  return `test_${schemas}`
})

/** An empty log on the server each time it is built. */
export const layerPostgresTemporary = (
  url: string,
  options: Partial<PostgresOptions> = {}
): Layer.Layer<EventLog, LogError> =>
  Layer.unwrap(
    Effect.map(newSchema, (schema) => layerPostgres({ url: Redacted.make(url), schema, ...options }))
  )

/** Why a log does not open: reason and text. */
export const openingFailure = (layer: Layer.Layer<EventLog, LogError>) =>
  Effect.flip(Effect.scoped(Layer.build(layer))).pipe(
    Effect.map(
      ({ reason }) =>
        `${reason._tag}: ${"message" in reason ? reason.message : "holder" in reason ? reason.holder : ""}`
    )
  )

/** Tries until it succeeds: the server needs a moment to see what was done to it. */
export const eventually = <A, E, R>(effect: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> => {
  // Only the server knows when; it is asked again and again.
  const pause = Effect.sleep(20)
  return Effect.retry(
    Effect.tapError(effect, () => pause),
    { times: 100 }
  )
}
