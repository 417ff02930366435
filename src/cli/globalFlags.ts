/**
 * The flags every verb has.
 *
 * @module
 */
import { Config, Schema } from "effect"
import { Flag, GlobalFlag } from "effect/cli"

/** Answer with one JSON object on stdout. */
export const Json = GlobalFlag.Setting("json")({
  flag: Flag.Boolean("json").pipe(
    Flag.withDescription("Print exactly one JSON object { ok, command, result, error }"),
    Flag.withDefault(false)
  )
})

/** How the program's own log is written; the logger looks at the arguments itself. */
export const LogFormat = GlobalFlag.Setting("log-format")({
  flag: Flag.Literals("log-format", ["pretty", "json"]).pipe(
    Flag.withDescription("How warnings and errors of the program itself are written, on stderr"),
    Flag.withDefault("pretty" as const)
  )
})

/** A Postgres server that holds the log instead of a folder. */
export const DatabaseUrl = GlobalFlag.Setting("database-url")({
  flag: Flag.Redacted("database-url").pipe(
    Flag.withDescription("Keep the log on Postgres: postgres://user@host/database (MILLRACE_DATABASE_URL)"),
    Flag.withMetavar("<url>"),
    Flag.withFallbackConfig(Config.Redacted("MILLRACE_DATABASE_URL")),
    Flag.optional
  )
})

/** The folder of the log. */
export const DataDirectory = GlobalFlag.Setting("data-dir")({
  flag: Flag.String("data-dir").pipe(
    Flag.withDescription("Folder of the log (MILLRACE_DATA_DIR; default .millrace)"),
    Flag.withMetavar("<folder>"),
    Flag.withFallbackConfig(Config.schema(Schema.NonEmptyString, "MILLRACE_DATA_DIR")),
    Flag.withDefault(".millrace")
  )
})

/** A running service to speak to. */
export const ServiceUrl = GlobalFlag.Setting("url")({
  flag: Flag.String("url").pipe(
    Flag.withDescription("Speak to this service instead of a data directory (MILLRACE_URL)"),
    Flag.withMetavar("<url>"),
    Flag.withFallbackConfig(Config.schema(Schema.NonEmptyString, "MILLRACE_URL")),
    Flag.optional
  )
})

/** Who asks the service. */
export const ServiceToken = GlobalFlag.Setting("token")({
  flag: Flag.Redacted("token").pipe(
    Flag.withDescription(
      "Token for the service (MILLRACE_TOKEN, which does not show in the list of processes)"
    ),
    Flag.withMetavar("<token>"),
    Flag.withFallbackConfig(Config.Redacted("MILLRACE_TOKEN")),
    Flag.optional
  )
})
