/**
 * What a stage does to records, compiled: one file per kind of stage.
 *
 * @module
 */
import { Effect, type Scope as EffectScope } from "effect"
import type { Stage } from "../../../events/Definition.ts"
import type { Drivers } from "../../drivers/Drivers.ts"
import type { Functions } from "../Functions.ts"
import type { StageWithMemory } from "../memory/StageWithMemory.ts"
import { windowsMemory } from "../memory/windowsMemory.ts"
import type { PlanContext } from "../openEnd.ts"
import type { PlanError } from "../PlanError.ts"
import type { RouteStage } from "../route/Route.ts"
import type { StageError } from "../StageError.ts"
import { compileAggregate } from "./compileAggregate.ts"
import { compileDedupe } from "./compileDedupe.ts"
import { compileExplode } from "./compileExplode.ts"
import { compileFilter } from "./compileFilter.ts"
import { compileFunction } from "./compileFunction.ts"
import { compileLookup } from "./compileLookup.ts"
import { compileMap } from "./compileMap.ts"
import { compileService } from "./compileService.ts"
import { compileValidate } from "./compileValidate.ts"
import { windowsOf } from "./windowsOf.ts"

/** A stage's own part of its route; a stage that does nothing hands records on as they are. */
export interface StageWork
  extends Partial<Pick<RouteStage, "step" | "split" | "splitsInto" | "take" | "waiting">> {
  /** What batches leave behind in it. */
  readonly memory?: StageWithMemory
}

export const compileWork = Effect.fnUntraced(function* (
  name: string,
  stage: Stage,
  context: PlanContext,
  functions: Functions
): Effect.fn.Return<StageWork, PlanError | StageError, Drivers | EffectScope.Scope> {
  if (stage.function !== undefined) return yield* compileFunction(name, functions)
  if (stage.filter !== undefined) return yield* compileFilter(name, stage.filter)
  if (stage.map !== undefined) return yield* compileMap(name, stage.map)
  if (stage.lookup !== undefined) return yield* compileLookup(name, stage.lookup, context)
  if (stage.explode !== undefined) return compileExplode(name, stage.explode)
  if (stage.validate !== undefined) {
    return yield* compileValidate(name, stage.validate, functions.get(name)?.fits)
  }
  if (stage.service !== undefined) return yield* compileService(name, stage.service)
  if (stage.dedupe !== undefined) return yield* compileDedupe(name, stage.dedupe)
  if (stage.aggregate === undefined) return {}
  const aggregator = yield* compileAggregate(name, stage.aggregate)
  return windowsMemory(name, aggregator, windowsOf(stage.aggregate.window))
})
