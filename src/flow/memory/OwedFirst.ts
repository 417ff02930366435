/**
 * Batches that are owed from before are made again in the order of their ordinals, whichever source they are
 * of; new ones come after the last of them.
 *
 * @module
 */
import { Deferred, Effect } from "effect"

export interface OwedFirst {
  /** Runs the effect when every owed batch before this one has been made; `null` is behind all of them. */
  readonly inTurn: <A, E, R>(batch: number | null, effect: Effect.Effect<A, E, R>) => Effect.Effect<A, E, R>
}

/** `owed` are ordinals, ascending. A turn that fails lets nobody go on: the run ends with it. */
export const owedFirst = Effect.fnUntraced(function* (
  owed: ReadonlyArray<number>
): Effect.fn.Return<OwedFirst> {
  const made = new Map<number, Deferred.Deferred<void>>()
  for (const batch of owed) made.set(batch, yield* Deferred.make<void>())
  return {
    inTurn: (batch, effect) => {
      const before = batch === null ? owed.at(-1) : owed[owed.indexOf(batch) - 1]
      const turn = before === undefined ? Effect.void : Deferred.await(made.get(before)!)
      const after = batch === null ? Effect.void : Deferred.succeed(made.get(batch)!, undefined)
      return turn.pipe(
        Effect.andThen(effect),
        Effect.tap(() => after)
      )
    }
  }
})
