/**
 * Asks every endpoint how it is, every so often, for as long as the stage lives.
 *
 * @module
 */
import { Clock, Effect, type Scope } from "effect"
import type { Service } from "../../../events/Definition.ts"
import type { Endpoints } from "./Endpoints.ts"
import * as Health from "./Health.ts"

/** One that is not well gets no calls until its check succeeds; then one call tries it. */
export const watchHealth = (
  endpoints: Endpoints,
  { interval, path }: NonNullable<Service["health"]>,
  isWell: (url: string) => Effect.Effect<boolean>
): Effect.Effect<void, never, Scope.Scope> =>
  Effect.forEach(
    endpoints.all,
    (endpoint) =>
      Effect.gen(function* () {
        const well = yield* isWell(new URL(path, endpoint.url).href)
        const now = yield* Clock.currentTimeMillis
        endpoint.health = well
          ? Health.recovered(endpoint.health, now)
          : Health.unwell(endpoint.health, now + 2 * interval)
      }),
    { concurrency: checksAtOnce, discard: true }
  ).pipe(Effect.andThen(Effect.sleep(interval)), Effect.forever, Effect.forkScoped, Effect.asVoid)

const checksAtOnce = 8
