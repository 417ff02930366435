/**
 * The source that a plan reads: one of the definition, or several as one.
 *
 * @module
 */
import { Effect, type Scope as EffectScope } from "effect"
import type { Definition } from "../../../events/Definition.ts"
import { Drivers } from "../../drivers/Drivers.ts"
import type { Source } from "../../drivers/Source.ts"
import { makeEnd, type PlanContext } from "../openEnd.ts"
import type { PlanError } from "../PlanError.ts"
import type { StageError } from "../StageError.ts"
import { timedSource } from "../time/timedSource.ts"
import { firstByTime, inTurns } from "./choose.ts"
import { mergedSource, type Part } from "./mergedSource.ts"

/** Made, not opened. `members` are the stages of a group, in the order of the file. */
export const makeSource = Effect.fnUntraced(function* (
  members: ReadonlyArray<string>,
  { merge, runtime, stages }: Definition,
  context: PlanContext
): Effect.fn.Return<Source, PlanError | StageError, Drivers | EffectScope.Scope> {
  const parts: Array<Part> = []
  for (const stage of members) {
    const { eventTime, source: use } = stages[stage]!
    const source = yield* makeEnd((yield* Drivers).get(use!.use)?.source, "source", stage, use!, context)
    parts.push({
      stage,
      source: eventTime === undefined ? source : yield* timedSource(stage, source, eventTime),
      patienceMs: merge === "event_time" ? (eventTime?.idleTimeout ?? 0) : runtime.maxBuffering
    })
  }
  return parts.length === 1
    ? parts[0]!.source
    : mergedSource(parts, merge === "event_time" ? firstByTime : inTurns)
})
