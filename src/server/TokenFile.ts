/**
 * `<data-dir>/tokens.json`: who may call the service. It holds names, scopes and hashes, never a token.
 *
 * A token is 256 random bits, so one round of SHA-256 is enough: there is nothing to guess.
 *
 * @module
 */
import { createHash, randomBytes, randomUUID } from "node:crypto"
import {
  closeSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeSync
} from "node:fs"
import { join } from "node:path"
import { DatabaseSync } from "node:sqlite"
import { Effect, Option, Schema } from "effect"
import { Scope } from "../api/scopes.ts"
import { isBusy } from "../log/SqliteFailure.ts"

/** `hash` is the SHA-256 of the token, in hex; `created_at` is ISO 8601. */
export const StoredToken = Schema.Struct({
  name: Schema.String,
  scope: Scope,
  hash: Schema.String.check(Schema.isPattern(/^[0-9a-f]{64}$/)),
  created_at: Schema.String
})
export type StoredToken = typeof StoredToken.Type

const TokenFile = Schema.fromJsonString(
  Schema.Struct({ version: Schema.Literal(1), tokens: Schema.Array(StoredToken) })
)

/** Why the tokens cannot be read or changed. */
export class TokenError extends Schema.TaggedError<TokenError>()("TokenError", {
  code: Schema.Literals([
    "tokens_unreadable",
    "tokens_damaged",
    "tokens_exposed",
    "tokens_unwritable",
    "tokens_busy",
    "token_exists",
    "unknown_token",
    "bad_token_name"
  ]),
  message: Schema.String,
  suggestion: Schema.String
}) {}

/** The file of the tokens of a data directory. */
export const tokenPath = (directory: string): string => join(directory, "tokens.json")

/** The hash a token is known by. */
export const hashOf = (token: string): string => createHash("sha256").update(token).digest("hex")

/** The tokens of a data directory; none when there is no file. */
export const readTokens = (directory: string): Effect.Effect<ReadonlyArray<StoredToken>, TokenError> =>
  Effect.suspend(() => {
    const text = Effect.try({
      try: () => load(tokenPath(directory)),
      catch: (error) =>
        error instanceof TokenError
          ? error
          : new TokenError({
              code: "tokens_unreadable",
              message: `${tokenPath(directory)} cannot be read: ${(error as Error).message}`,
              suggestion: "check its permissions"
            })
    })
    return Effect.flatMap(text, (text) => (text === undefined ? Effect.succeed([]) : decode(directory, text)))
  })

/** Makes a token and answers it: this is the only time that anybody sees it. `at` is ISO 8601. */
export const addToken = (directory: string, name: string, scope: Scope, at: string) =>
  Effect.gen(function* () {
    if (!/^[a-zA-Z0-9_.-]{1,100}$/.test(name) || reserved.includes(name)) return yield* badName(name)
    const token = `mlr_${randomBytes(32).toString("base64url")}`
    yield* changeTokens(directory, (tokens) =>
      tokens.some((other) => other.name === name)
        ? Effect.fail(
            new TokenError({
              code: "token_exists",
              message: `there is a token ${name} already`,
              suggestion: `\`millrace token revoke ${name}\` first, or take another name`
            })
          )
        : Effect.succeed([...tokens, { name, scope, hash: hashOf(token), created_at: at }])
    )
    return token
  })

/** Takes a token away. A service that runs knows it with its next request. */
export const removeToken = (directory: string, name: string): Effect.Effect<void, TokenError> =>
  changeTokens(directory, (tokens) =>
    tokens.some((token) => token.name === name)
      ? Effect.succeed(tokens.filter((token) => token.name !== name))
      : Effect.fail(
          new TokenError({
            code: "unknown_token",
            message: `there is no token ${JSON.stringify(name)}`,
            suggestion: "`millrace token list` shows those there are"
          })
        )
  )

/** Names that events already know as something else. */
const reserved = ["local", "schedule", "recovery"]

const badName = (name: string) =>
  new TokenError({
    code: "bad_token_name",
    message: `${JSON.stringify(name)} cannot be the name of a token`,
    suggestion: `1 to 100 letters, digits, . _ or -, and none of ${reserved.join(", ")}`
  })

const load = (path: string): string | undefined => {
  const found = statSync(path, { throwIfNoEntry: false })
  if (found === undefined) return undefined
  // Whoever may write the file may let himself in.
  if (process.platform !== "win32" && (found.mode & 0o022) !== 0) {
    throw new TokenError({
      code: "tokens_exposed",
      message: `${path} can be changed by other users of this machine`,
      suggestion: `chmod 600 ${path}, after a look at what is in it`
    })
  }
  return readFileSync(path, "utf8")
}

const decode = (directory: string, text: string) => {
  const file = Schema.decodeUnknownOption(TokenFile)(text)
  return Option.isSome(file)
    ? Effect.succeed(file.value.tokens)
    : Effect.fail(
        new TokenError({
          code: "tokens_damaged",
          message: `${tokenPath(directory)} is not a file of tokens`,
          suggestion: "restore it, or remove it and make the tokens anew"
        })
      )
}

/** One change after the other, whoever asks: a revoked token must not come back with somebody else's change. */
const changeTokens = (
  directory: string,
  change: (tokens: ReadonlyArray<StoredToken>) => Effect.Effect<ReadonlyArray<StoredToken>, TokenError>
): Effect.Effect<void, TokenError> =>
  Effect.acquireUseRelease(
    writing(directory, () => lock(directory)),
    () =>
      Effect.flatMap(Effect.flatMap(readTokens(directory), change), (tokens) =>
        writing(directory, () => store(directory, tokens))
      ),
    (held) => Effect.sync(() => held.close())
  )

const writing = <A>(directory: string, attempt: () => A): Effect.Effect<A, TokenError> =>
  Effect.try({
    try: attempt,
    catch: (error) =>
      error instanceof TokenError
        ? error
        : new TokenError({
            code: "tokens_unwritable",
            message: `${tokenPath(directory)} cannot be written: ${(error as Error).message}`,
            suggestion: "check the permissions of the folder, and the space that is left"
          })
  })

/** Milliseconds that a change waits for the one before it, which takes a few. */
const lockWaitMs = 2000

/** SQLite's lock on a file of its own: the operating system frees it however the process ends. */
const lock = (directory: string): DatabaseSync => {
  mkdirSync(directory, { recursive: true })
  const held = new DatabaseSync(join(directory, "tokens-lock.db"), { timeout: lockWaitMs })
  try {
    held.exec("begin exclusive")
    return held
  } catch (error) {
    held.close()
    if (!isBusy(error)) throw error
    throw new TokenError({
      code: "tokens_busy",
      message: "somebody else is changing the tokens",
      suggestion: "try again in a moment"
    })
  }
}

/** Written beside, made durable and renamed, so that nobody ever reads half a file or finds none. */
const store = (directory: string, tokens: ReadonlyArray<StoredToken>): void => {
  const path = tokenPath(directory)
  const beside = `${path}.${randomUUID()}`
  try {
    const file = openSync(beside, "wx", 0o600)
    try {
      writeSync(file, `${JSON.stringify({ version: 1, tokens }, null, 2)}\n`)
      fsyncSync(file)
    } finally {
      closeSync(file)
    }
    renameSync(beside, path)
  } catch (error) {
    rmSync(beside, { force: true })
    throw error
  }
  const folder = openSync(directory, "r")
  try {
    fsyncSync(folder)
  } finally {
    closeSync(folder)
  }
}
