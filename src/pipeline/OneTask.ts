/**
 * One thing at a time that takes a while: begun once, however often it is asked for, and given up when
 * something else is asked for in its place.
 *
 * @module
 */
import { Effect, Fiber } from "effect"

export class OneTask<R> {
  #name: string | undefined
  #fiber: Fiber.Fiber<void> | undefined
  readonly #fork: (effect: Effect.Effect<void, never, R>) => Effect.Effect<Fiber.Fiber<void>>
  readonly #after: Effect.Effect<void>

  /** `after` is run when a task has come to its end, not when it was given up. */
  constructor(
    fork: (effect: Effect.Effect<void, never, R>) => Effect.Effect<Fiber.Fiber<void>>,
    after: Effect.Effect<void>
  ) {
    this.#fork = fork
    this.#after = after
  }

  /** Begins it, unless a task of this name is under way. */
  begin(name: string, task: Effect.Effect<unknown, never, R>): Effect.Effect<void> {
    return Effect.gen({ self: this }, function* () {
      if (this.#name === name) return
      yield* this.end
      this.#name = name
      // It may end before its fiber is known here: then there is nothing left to give up.
      let isOver = false
      const over = Effect.suspend(() => {
        isOver = true
        this.#name = undefined
        this.#fiber = undefined
        return this.#after
      })
      const fiber = yield* this.#fork(Effect.andThen(task, over))
      if (!isOver) this.#fiber = fiber
    })
  }

  /** Gives up what is under way. */
  get end(): Effect.Effect<void> {
    return Effect.suspend(() => {
      const fiber = this.#fiber
      this.#name = undefined
      this.#fiber = undefined
      return fiber === undefined ? Effect.void : Fiber.interrupt(fiber)
    })
  }
}
