/**
 * `millrace token`: who may call the service.
 *
 * @module
 */
import { DateTime, Effect, Option } from "effect"
import { Argument, Command, Flag } from "effect/cli"
import { Scope } from "../api/scopes.ts"
import { addToken, readTokens, removeToken, type TokenError } from "../server/TokenFile.ts"
import { CliFailure } from "./CliFailure.ts"
import { exitCode } from "./exitCode.ts"
import { DataDirectory } from "./globalFlags.ts"
import { answer } from "./report.ts"
import { shown, styleOf, table } from "./terminal.ts"

const flags = {
  action: Argument.Literals("action", ["new", "list", "revoke"]).pipe(
    Argument.withDescription("new: make one, shown once; list: names and scopes; revoke: take one away")
  ),
  name: Argument.String("name").pipe(
    Argument.withDescription("Name of the token; what it does is recorded under it"),
    Argument.optional
  ),
  scope: Flag.Literals("scope", Scope.literals).pipe(
    Flag.withDescription("read: look; operate: run what is there, too; admin: change what is there, too"),
    Flag.withDefault("operate" as const)
  )
}

export const token = Command.make("token", flags, ({ action, name, scope }) => {
  const act = action === "list" ? listTokens : Effect.flatMap(named(name, action), actOf(action, scope))
  return Effect.catchTag(act, "TokenError", (error) => Effect.fail(failureOf(error)))
}).pipe(
  Command.withDescription("Make, list and revoke the tokens of the service"),
  Command.withExamples([
    { command: "millrace token new deploy-bot --scope admin", description: "Print a new token, once" },
    { command: "millrace token list", description: "Who may do what" },
    { command: "millrace token revoke deploy-bot", description: "A running service knows it at once" }
  ])
)

const actOf = (action: "new" | "revoke", scope: Scope) => (name: string) =>
  action === "new" ? newToken(name, scope) : revokeToken(name)

const newToken = Effect.fnUntraced(function* (name: string, scope: Scope) {
  const at = DateTime.formatIso(yield* DateTime.now)
  const text = yield* addToken(yield* DataDirectory, name, scope, at)
  yield* answer("token", { name, scope, token: text, created_at: at }, () => {
    const { dim, green } = styleOf(process.stdout)
    return [
      text,
      `${green("✓")} ${name} may ${scope}. It is not shown again.`,
      `  ${dim("→")} export MILLRACE_TOKEN=…`
    ]
  })
})

const listTokens = Effect.gen(function* () {
  const tokens = yield* readTokens(yield* DataDirectory)
  const result = tokens.map(({ created_at, name, scope }) => ({ name, scope, created_at }))
  yield* answer("token", { tokens: result }, () =>
    tokens.length === 0
      ? ["no tokens: only this machine may call the service"]
      : table([
          ["NAME", "SCOPE", "CREATED"],
          ...tokens.map((of) => [shown(of.name), of.scope, of.created_at])
        ])
  )
})

const revokeToken = Effect.fnUntraced(function* (name: string) {
  yield* removeToken(yield* DataDirectory, name)
  yield* answer("token", { name, revoked: true }, () => [
    `${styleOf(process.stdout).green("✓")} ${shown(name)} is revoked`
  ])
})

const named = (name: Option.Option<string>, action: string): Effect.Effect<string, CliFailure> =>
  Option.match(name, {
    onSome: Effect.succeed,
    onNone: () =>
      Effect.fail(
        new CliFailure({
          exit: exitCode.badInput,
          code: "usage",
          message: "which token? its name is missing",
          suggestion: `millrace token ${action} <name>`
        })
      )
  })

/** What was typed, or what the file is like. */
const failureOf = ({ code, message, suggestion }: TokenError): CliFailure => {
  const typed = code === "token_exists" || code === "unknown_token" || code === "bad_token_name"
  return new CliFailure({ exit: typed ? exitCode.badInput : exitCode.environment, code, message, suggestion })
}
