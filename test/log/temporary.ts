import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { Effect, Layer, type Scope } from "effect"
import type { EventLog, LogError } from "../../src/log/EventLog.ts"
import { layerSqlite } from "../../src/log/Sqlite.ts"

/** An empty directory that is gone when the scope closes. */
export const temporaryDirectory: Effect.Effect<string, never, Scope.Scope> = Effect.acquireRelease(
  Effect.sync(() => mkdtempSync(join(tmpdir(), "millrace-log-"))),
  (directory) => Effect.sync(() => rmSync(directory, { recursive: true, force: true }))
)

/** An empty log on SQLite in a directory of its own. */
export const layerSqliteTemporary: Layer.Layer<EventLog, LogError> = Layer.unwrap(
  Effect.map(temporaryDirectory, (directory) => layerSqlite({ directory }))
)
