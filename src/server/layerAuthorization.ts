/**
 * Who is asking, and whether they may.
 *
 * @module
 */
import { Effect, Layer, Redacted } from "effect"
import { Authorization, Caller } from "../api/Authorization.ts"
import { failed } from "../api/failures.ts"
import { mayCall, type Operation, requiredScope, type Scope } from "../api/scopes.ts"
import { Tokens } from "./Tokens.ts"

/** The name under which events are recorded when no token is needed. */
export const localCaller = "local"

/**
 * With tokens configured every operation asks for one. Without any, whoever reaches the service is its
 * local user, if only this machine does (`loopback`); elsewhere nobody is let in.
 */
export const layerAuthorization = (loopback: boolean): Layer.Layer<Authorization, never, Tokens> =>
  Layer.effect(
    Authorization,
    Effect.gen(function* () {
      const tokens = yield* Tokens
      return {
        token: Effect.fnUntraced(function* (http, { credential, endpoint }) {
          const text = Redacted.value(credential)
          const operation = endpoint.identifier
          if (text === "") {
            if (!loopback || (yield* tokens.count) > 0) return yield* missing
            return yield* Effect.provideService(http, Caller, { by: localCaller, scope: "admin" })
          }
          const found = yield* tokens.find(text)
          if (found === undefined) return yield* unknown
          if (!mayCall(found.scope, operation)) return yield* tooNarrow(found.scope, operation)
          return yield* Effect.provideService(http, Caller, { by: found.name, scope: found.scope })
        })
      }
    })
  )

const missing = Effect.fail(
  failed("InvalidApiKey", "This service asks for a token", {
    suggestion: "send `Authorization: Bearer <token>`; `millrace token new <name>` makes one"
  })
)

const unknown = Effect.fail(
  failed("InvalidApiKey", "Nobody knows this token", {
    suggestion: "it may have been revoked: `millrace token list` shows those there are"
  })
)

const tooNarrow = (scope: Scope, operation: string) => {
  const needed = requiredScope[operation as Operation]
  return Effect.fail(
    failed("InsufficientScope", `A token that may ${scope} may not ${operation}`, {
      scope,
      needed,
      suggestion: `use a token with the scope ${needed}`
    })
  )
}
