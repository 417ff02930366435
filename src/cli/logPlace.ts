/**
 * Where the log is: in a folder, or on a Postgres server.
 *
 * @module
 */
import { Effect, Layer, Option, Redacted } from "effect"
import type { EventLog, LogError } from "../log/EventLog.ts"
import { layerSqlite, layerSqliteReader } from "../log/Sqlite.ts"
import { DatabaseUrl, DataDirectory } from "./globalFlags.ts"

export type LogPlace =
  | { readonly _tag: "Folder"; readonly directory: string; readonly name: string }
  | { readonly _tag: "Database"; readonly url: Redacted.Redacted<string>; readonly name: string }

/** `--database-url` wins over the folder. The name is for people: it holds no password. */
export const logPlace = Effect.gen(function* (): Effect.fn.Return<LogPlace, never, DatabaseUrlOr> {
  const url = Option.getOrUndefined(yield* DatabaseUrl)
  if (url !== undefined) return { _tag: "Database", url, name: nameOf(url) }
  const directory = yield* DataDirectory
  return { _tag: "Folder", directory, name: directory }
})

type DatabaseUrlOr = Effect.Services<typeof DatabaseUrl> | Effect.Services<typeof DataDirectory>

const nameOf = (url: Redacted.Redacted<string>): string => {
  const parsed = URL.parse(Redacted.value(url))
  return parsed === null ? "the database" : `${parsed.hostname}${parsed.pathname}`
}

/** The log for the verbs that write; one process at a time. */
export const layerWriter = (place: LogPlace): Layer.Layer<EventLog, LogError> =>
  place._tag === "Folder"
    ? layerSqlite(place)
    : Layer.unwrap(Effect.map(postgres, ({ layerPostgres }) => layerPostgres(place)))

/** The log for the verbs that only look; beside whoever writes. */
export const layerReader = (place: LogPlace): Layer.Layer<EventLog, LogError> =>
  place._tag === "Folder"
    ? layerSqliteReader(place)
    : Layer.unwrap(Effect.map(postgres, ({ layerPostgresReader }) => layerPostgresReader(place)))

/** Loaded when it is used: it is not small, and most logs are files. */
const postgres = Effect.promise(() => import("../log/Postgres.ts"))
