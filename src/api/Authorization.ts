/**
 * What an operation asks of whoever calls it.
 *
 * @module
 */
import { Context } from "effect"
import { HttpApiMiddleware, HttpApiSecurity } from "effect/http-api"
import { Failure401, Failure403 } from "./failures.ts"
import type { Scope } from "./scopes.ts"

/** Who is asking. `by` is the token's name, or `local` where no token is needed; events are recorded under it. */
export class Caller extends Context.Service<Caller, { readonly by: string; readonly scope: Scope }>()(
  "millrace/api/Caller"
) {}

/** Lets a request through that brings a token with the scope of the operation. */
export class Authorization extends HttpApiMiddleware.Service<Authorization, { provides: Caller }>()(
  "millrace/api/Authorization",
  { error: [Failure401, Failure403], security: { token: HttpApiSecurity.bearer } }
) {}
