import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { Effect, Layer, Scope } from "effect"
import { EventLog, type Head, type LogError } from "../../src/log/EventLog.ts"
import { layerSqlite } from "../../src/log/Sqlite.ts"
import { newEvents } from "../contracts/newEvent.ts"
import { append } from "../contracts/onLog.ts"

/** An empty directory that is gone when the scope closes. */
export const temporaryDirectory: Effect.Effect<string, never, Scope.Scope> = Effect.acquireRelease(
  Effect.sync(() => mkdtempSync(join(tmpdir(), "millrace-log-"))),
  (directory) => Effect.sync(() => rmSync(directory, { recursive: true, force: true }))
)

/** An empty log on SQLite in a directory of its own. */
export const layerSqliteTemporary: Layer.Layer<EventLog, LogError> = Layer.unwrap(
  Effect.map(temporaryDirectory, (directory) => layerSqlite({ directory }))
)

/** Uses the log in a directory as its writer, then closes it. */
export const writing = <A, E, R>(
  directory: string,
  use: (log: EventLog["Service"]) => Effect.Effect<A, E, R>
) => EventLog.use(use).pipe(Effect.provide(layerSqlite({ directory })))

/** A log that stays open until the scope closes. */
export const open = (layer: Layer.Layer<EventLog, LogError>) =>
  Effect.gen(function* () {
    return yield* Effect.provide(EventLog, yield* Layer.buildWithScope(layer, yield* Scope.Scope))
  })

/** Claims a stream and appends the events `<stream>-1` … */
export const writeTo = (
  log: EventLog["Service"],
  stream: string,
  count: number
): Effect.Effect<Head, unknown> =>
  Effect.flatMap(log.claim(stream), (head) => append(log, head, newEvents(stream, count)))

/** Why the log in a directory does not open. */
export const refusal = (directory: string, layer: typeof layerSqlite = layerSqlite) =>
  Effect.flip(Effect.scoped(Layer.build(layer({ directory })))).pipe(
    Effect.map(({ reason }) =>
      "message" in reason
        ? `${reason._tag}: ${reason.message}`
        : "holder" in reason
          ? `Locked: ${reason.holder}`
          : ""
    )
  )
