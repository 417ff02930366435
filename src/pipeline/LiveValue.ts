/**
 * A value that changes, and whoever follows it. Ten thousand idle pipelines each have one, so it holds
 * no fiber and no queue while nothing happens.
 *
 * @module
 */
import { Effect, Queue, type Scope, Stream } from "effect"
import * as Turns from "./Turns.ts"

export class LiveValue<A> {
  current: A
  /** None, one and several: most values have one follower all their life. */
  #followers: ReadonlyArray<(value: A) => void> = none

  constructor(value: A) {
    this.current = value
  }

  /** Tells everybody at once; followers act later, in fibers of their own. */
  set(value: A): void {
    this.current = value
    for (const follower of this.#followers) follower(value)
  }

  /** The current value and every later one; each subscriber has its own pace. */
  get changes(): Stream.Stream<A> {
    return Stream.unwrap(
      Effect.gen({ self: this }, function* () {
        const queue = yield* Queue.unbounded<A>()
        yield* Effect.acquireRelease(
          Effect.sync(() => this.#follow((value) => Queue.offerUnsafe(queue, value))),
          (leave) => Effect.sync(leave)
        )
        return Stream.fromQueue(queue)
      })
    )
  }

  /**
   * Runs `step` for the current value and every later one, in order, until the scope closes; in a fiber
   * that exists only while there is something to do. A step that fails ends the following.
   */
  runForEach<R>(
    step: (value: A) => Effect.Effect<void, never, R>
  ): Effect.Effect<void, never, R | Scope.Scope> {
    return Effect.gen({ self: this }, function* () {
      const turns = yield* Turns.make(step)
      const leave = this.#follow((value) => turns.push(value))
      yield* Effect.addFinalizer(() => Effect.sync(leave))
    })
  }

  #follow(follower: (value: A) => void): () => void {
    follower(this.current)
    this.#followers = [...this.#followers, follower]
    return () => {
      this.#followers = this.#followers.filter((other) => other !== follower)
    }
  }
}

const none: ReadonlyArray<never> = []
