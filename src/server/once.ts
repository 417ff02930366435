/**
 * What is asked of a pipeline is done alone, whole, and once.
 *
 * @module
 */
import { Effect } from "effect"
import { pipelineStream } from "../../events/PipelineEvent.ts"
import type { RememberedCommand } from "../../projections/RememberedCommands.ts"
import { Caller } from "../api/Authorization.ts"
import type { Asker } from "../pipeline/Asker.ts"
import { Changes } from "./Changes.ts"
import { findPipeline, lookUp, unknownPipeline } from "./findPipeline.ts"
import { Keys } from "./Keys.ts"

/** The part of a request that says which pipeline it is for, and its key. */
export interface Asked {
  readonly params: { readonly name: string }
  readonly headers: { readonly "idempotency-key"?: string }
}

/**
 * Does it to the pipeline, alone and whole; the same key does it once. `again` rebuilds the answer where the log
 * alone remembers that it was done.
 */
export const once = Effect.fnUntraced(function* <A, E, R>(
  operation: string,
  { headers, params }: Asked,
  body: unknown,
  act: (id: string, by: Asker) => Effect.Effect<A, E, R>,
  again: (id: string, found: RememberedCommand) => Effect.Effect<A, E, R> = () =>
    Effect.void as Effect.Effect<A>
) {
  const { by } = yield* Caller
  const changes = yield* Changes
  const { id } = yield* findPipeline(params.name)
  const asked = {
    stream: pipelineStream(id),
    key: headers["idempotency-key"],
    by,
    operation,
    request: [params.name, body]
  }
  const alone = (correlationId: string | undefined) =>
    changes.alone(
      id,
      Effect.gen(function* () {
        // It may have been removed, or have another name, by the time it is its turn.
        if ((yield* lookUp(params.name))?.id !== id) return yield* unknownPipeline(params.name)
        return yield* act(id, { by, correlationId })
      })
    )
  return yield* changes.whole((yield* Keys).once(asked, alone, (found) => again(id, found)))
})
