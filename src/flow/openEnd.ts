/**
 * A driver's end with the settings a stage gives it.
 *
 * @module
 */
import { Effect, type Scope as EffectScope, Result, Schema } from "effect"
import { finding } from "../../events/Finding.ts"
import type { AnyOffer, DriverContext } from "../drivers/Driver.ts"
import { broken, type PlanError } from "./PlanError.ts"
import { atStage, type StageError } from "./StageError.ts"

/** Where plans are made: whose pipeline it is; the stage is told when one of its ends is made. */
export type PlanContext = Omit<DriverContext, "stage">

/** Made, not opened; what must be closed again lives in the scope. */
export const makeEnd = Effect.fnUntraced(function* <End>(
  offer: AnyOffer<End> | undefined,
  kind: string,
  name: string,
  use: { readonly use: string },
  context: PlanContext,
  at: ReadonlyArray<string> = ["stages", name, kind]
): Effect.fn.Return<End, PlanError | StageError, EffectScope.Scope> {
  if (offer === undefined) {
    return yield* broken(
      finding("unknown_driver", [...at, "use"], `there is no driver ${use.use} with a ${kind}`)
    )
  }
  const { use: _, ...settings } = use
  const config = Schema.decodeUnknownResult(offer.config)(settings, {
    errors: "all",
    onExcessProperty: "error"
  })
  if (Result.isFailure(config)) return yield* broken(finding("bad_settings", at, config.failure.message))
  return yield* offer.make(config.success, { ...context, stage: name }).pipe(atStage(name))
})
