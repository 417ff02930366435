/**
 * The URL of a database: where it leads, and how its secrets stay out of what people read.
 *
 * @module
 */
import { Effect, Redacted } from "effect"
import { failure, type PostgresFailure, unusable } from "./PostgresFailure.ts"

/** What `net.connect` takes: a host and port, or the path of a Unix socket. */
export type Target = { readonly host: string; readonly port: number } | { readonly path: string }

/** As libpq reads it: parameters of the query win, and a host that begins with a slash is a directory. */
export const targetOf = (url: Redacted.Redacted<string>): Effect.Effect<Target, PostgresFailure> =>
  Effect.suspend(() => {
    const parsed = URL.parse(Redacted.value(url))
    if (parsed === null || !/^postgres(?:ql)?:$/.test(parsed.protocol)) return Effect.fail(unreadable)
    const named = parsed.searchParams.get("host") ?? decoded(parsed.hostname.replace(/^\[(.*)\]$/, "$1"))
    const port = Number(parsed.searchParams.get("port") ?? (parsed.port || 5432))
    const host = named === "" ? "localhost" : named
    if (!Number.isInteger(port) || port < 1 || port > 65_535) return Effect.fail(unreadable)
    return Effect.succeed(host.startsWith("/") ? { path: `${host}/.s.PGSQL.${port}` } : { host, port })
  })

/** Takes the password out of a text, should anybody have put it there. */
export const concealing = (url: Redacted.Redacted<string>): ((text: string) => string) => {
  const parsed = URL.parse(Redacted.value(url))
  const passwords = [parsed?.password ?? "", parsed?.searchParams.get("password") ?? ""]
  const secrets = new Set(passwords.flatMap((password) => [password, decoded(password)]))
  secrets.delete("")
  return (text) => Array.from(secrets).reduce((said, secret) => said.replaceAll(secret, "<redacted>"), text)
}

const decoded = (text: string): string => {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}

const unreadable = failure(
  unusable("The URL of the database cannot be read. Write postgres://user:password@host:5432/database.")
)
