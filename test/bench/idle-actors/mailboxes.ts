/**
 * The least an actor can be: a fiber that waits on a bounded mailbox, and its state.
 *
 * @module
 */
import { Effect, Queue, type Scope } from "effect"

const mailboxCapacity = 256

/** Starts one in the current scope; `state` is what it holds. */
export const mailbox = Effect.fnUntraced(function* <State>(
  state: State
): Effect.fn.Return<Queue.Queue<(state: State) => State>, never, Scope.Scope> {
  const queue = yield* Queue.bounded<(state: State) => State>(mailboxCapacity)
  const loop = Effect.fnUntraced(function* () {
    let held = state
    while (true) {
      const change = yield* Queue.take(queue)
      held = change(held)
    }
  })
  yield* Effect.forkScoped(loop())
  return queue
})
