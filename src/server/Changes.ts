/**
 * What is asked for is done whole: a client that goes away in the middle leaves nothing half done, and two that
 * change the same pipeline have their turns one after the other.
 *
 * @module
 */
import { Context, Effect, Fiber, Layer, Semaphore } from "effect"

export class Changes extends Context.Service<
  Changes,
  {
    /** Goes on to its end whatever becomes of the request that waits for it. */
    whole<A, E, R>(change: Effect.Effect<A, E, R>): Effect.Effect<A, E, R>
    /** Waits until nobody else changes what has this key. Not to be nested with the same key. */
    alone<A, E, R>(key: string, change: Effect.Effect<A, E, R>): Effect.Effect<A, E, R>
  }
>()("millrace/server/Changes") {
  static readonly layer: Layer.Layer<Changes> = Layer.effect(
    Changes,
    Effect.gen(function* () {
      const scope = yield* Effect.scope
      const lines = new Map<string, { readonly one: Semaphore.Semaphore; waiting: number }>()
      return Changes.of({
        whole: (change) => Effect.flatMap(Effect.forkIn(change, scope), Fiber.join),
        alone: (key, change) =>
          Effect.suspend(() => {
            const line = lines.get(key) ?? { one: Semaphore.makeUnsafe(1), waiting: 0 }
            lines.set(key, line)
            line.waiting += 1
            const leave = Effect.sync(() => {
              line.waiting -= 1
              if (line.waiting === 0) lines.delete(key)
            })
            return Effect.ensuring(line.one.withPermits(1)(change), leave)
          })
      })
    })
  )
}
