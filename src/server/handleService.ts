/**
 * The group `service`: does it live, may requests be sent to it, and what does it count?
 *
 * @module
 */
import { Effect } from "effect"
import { HttpApiBuilder } from "effect/http-api"
import { Api } from "../api/Api.ts"
import { metricsText } from "./metricsText.ts"
import { Readiness } from "./Readiness.ts"

const ok = { status: "ok" as const }

export const layerService = HttpApiBuilder.group(Api, "service", (handlers) =>
  handlers.handleAll({
    // That this is answered at all is what is asked: the one thread there is goes round.
    getHealth: () => Effect.succeed(ok),
    getReadiness: () => Effect.flatMap(Readiness, ({ check }) => Effect.as(check, ok)),
    getMetrics: () => metricsText
  })
)
