/**
 * The end of a pipeline: its name is free again, its history stays in the log.
 *
 * @module
 */
import { Effect } from "effect"
import { failed } from "../api/failures.ts"
import type { Asker } from "../pipeline/Asker.ts"
import { Pipelines } from "../pipeline/Pipelines.ts"
import { refuseStale } from "./etag.ts"
import { lookUp, unknownPipeline } from "./findPipeline.ts"
import { refusing } from "./refusalOf.ts"

/** Only while it is shut down; nobody starts it meanwhile (`Changes.alone`). */
export const remove = Effect.fnUntraced(function* (
  id: string,
  name: string,
  ifMatch: string | undefined,
  by: Asker
) {
  const listed = yield* lookUp(name)
  if (listed?.id !== id) return yield* unknownPipeline(name)
  const stale = refuseStale(ifMatch, listed.version.value)
  if (stale !== undefined) return yield* Effect.fail(stale)
  if (listed.deployment.value !== "Shutdown" || listed.desired.value !== "Shutdown") {
    return yield* Effect.fail(
      failed("CannotDeleteNonShutdownPipeline", `The pipeline ${name} is ${listed.deployment.value}`, {
        suggestion: "shut it down first and wait until deployment_status is Shutdown"
      })
    )
  }
  yield* refusing((yield* Pipelines).remove(id, by))
})
