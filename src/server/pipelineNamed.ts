/**
 * The pipeline a request is about, and what it is answered when its log cannot be read.
 *
 * @module
 */
import { Effect } from "effect"
import { nearest } from "../../events/nearest.ts"
import { pipelineStream } from "../../events/PipelineEvent.ts"
import type { UndecodableEvent } from "../../events/upcast.ts"
import * as Catalog from "../../projections/Catalog.ts"
import { failed } from "../api/failures.ts"
import type { LogError } from "../log/EventLog.ts"
import type { Pipelines } from "../pipeline/Pipelines.ts"

/** Its id and its stream, or `UnknownPipelineName` with the name that was most likely meant. */
export const pipelineNamed = Effect.fnUntraced(function* (
  { catalog }: Pick<Pipelines["Service"], "catalog">,
  name: string
) {
  const known = yield* catalog
  const id = Catalog.idOf(known, name)
  if (id !== undefined) return { id, stream: pipelineStream(id) }
  const meant = nearest(
    name,
    Catalog.list(known).map((one) => one.name)
  )
  const details = meant === undefined ? {} : { suggestion: `did you mean ${meant}?` }
  return yield* Effect.fail(
    failed("UnknownPipelineName", `There is no pipeline ${JSON.stringify(name)}`, details)
  )
})

/** A log that does not answer, and one that this release cannot read. */
export const logUnavailable = (error: LogError | UndecodableEvent) =>
  error._tag === "LogError"
    ? failed("LogUnavailable", "The log cannot be read now", { suggestion: "ask again in a moment" })
    : failed("LogUnavailable", error.message, {
        suggestion:
          "use the release that wrote it, or a newer one; GET …/events still shows the events as they are"
      })
