/**
 * The contract of the service: every operation with what goes in, what comes out and what it says no with.
 * No handler is here: server, command line, console and tests derive what they need from it.
 *
 * @module
 */
import { HttpApi, OpenApi } from "effect/http-api"
import { deadLetters } from "./deadLetters.ts"
import { drivers } from "./drivers.ts"
import { history } from "./history.ts"
import { ingress } from "./ingress.ts"
import { lifecycle } from "./lifecycle.ts"
import { pipelines } from "./pipelines.ts"
import { service } from "./service.ts"

export const Api = HttpApi.make("millrace")
  .add(pipelines, lifecycle, history, deadLetters, ingress, drivers, service)
  // A field nobody knows is a slip of the hand, and everything wrong with a body is told at once.
  .annotate(HttpApi.PayloadParseOptions, { onExcessProperty: "error", errors: "all" })
  .annotate(HttpApi.QueryParseOptions, { onExcessProperty: "error", errors: "all" })
  .annotateMerge(
    OpenApi.annotations({
      title: "Millrace",
      version: "0",
      description:
        "Data pipelines as event-sourced actors. Every error is `{ message, error_code, details }`. Send `Authorization: " +
        "Bearer <token>` where tokens are configured, `Idempotency-Key` with every POST that may be sent twice, and " +
        "`If-Match` with a change that must not undo somebody else's."
    })
  )
