/**
 * One after the other: items are handled in order, by a fiber that exists only while there are any. A
 * pipeline that nothing happens to costs no fiber and no queue.
 *
 * @module
 */
import { type Context, Deferred, Effect, Exit, Fiber, type Scope } from "effect"

/** How a line of turns ended: a step failed or died, or its fiber was interrupted. */
export type Ended<E> = Exit.Failure<unknown, E>

export class Turns<A, E, R> {
  #waiting: Array<A> = []
  #room: Deferred.Deferred<void> | undefined
  #fiber: Fiber.Fiber<void, E> | undefined
  #isOpen = true
  readonly #context: Context.Context<R>
  readonly #step: (item: A) => Effect.Effect<void, E, R>
  readonly #onEnd: ((exit: Ended<E>) => void) | undefined

  constructor(
    context: Context.Context<R>,
    step: (item: A) => Effect.Effect<void, E, R>,
    onEnd: ((exit: Ended<E>) => void) | undefined
  ) {
    this.#context = context
    this.#step = step
    this.#onEnd = onEnd
  }

  /** Nothing is handled any more after the end; what is pushed then is dropped. */
  push(item: A): void {
    if (!this.#isOpen) return
    this.#waiting.push(item)
    if (this.#fiber === undefined) this.#start()
  }

  /** As `push`, but waits while `capacity` items are waiting; for ever, if the end comes before there is room. */
  offer(item: A, capacity: number): Effect.Effect<void> {
    return Effect.suspend(() => {
      if (this.#waiting.length < capacity) return Effect.sync(() => this.push(item))
      this.#room ??= Deferred.makeUnsafe<void>()
      return Effect.andThen(Deferred.await(this.#room), this.offer(item, capacity))
    })
  }

  /** Interrupts between two steps, or in one that can be; resolves when nothing runs any more. */
  get close(): Effect.Effect<void> {
    return Effect.suspend(() => {
      this.#isOpen = false
      return this.#fiber === undefined ? Effect.void : Fiber.interrupt(this.#fiber)
    })
  }

  #start(): void {
    const work = Effect.whileLoop({
      while: () => this.#waiting.length > 0,
      body: () => this.#step(this.#next()),
      step: () => {}
    })
    // Whoever pushed is not to run somebody else's step: the fiber begins with the scheduler's next turn.
    const fiber = Effect.runForkWith(this.#context)(Effect.andThen(Effect.yieldNow, work))
    this.#fiber = fiber
    fiber.addObserver((exit) => {
      this.#fiber = undefined
      if (Exit.isSuccess(exit)) return
      this.#isOpen = false
      this.#waiting = []
      this.#onEnd?.(exit)
    })
  }

  #next(): A {
    const item = this.#waiting.shift() as A
    const room = this.#room
    this.#room = undefined
    if (room !== undefined) Deferred.doneUnsafe(room, Exit.void)
    return item
  }
}

/** Handles items until the scope closes, or a step fails: then `onEnd` is told, once. */
export const make = Effect.fnUntraced(function* <A, E, R>(
  step: (item: A) => Effect.Effect<void, E, R>,
  onEnd?: (exit: Ended<E>) => void
): Effect.fn.Return<Turns<A, E, R>, never, R | Scope.Scope> {
  const turns = new Turns(yield* Effect.context<R>(), step, onEnd)
  yield* Effect.addFinalizer(() => turns.close)
  return turns
})
