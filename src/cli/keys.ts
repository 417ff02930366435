/**
 * Single keys of a terminal, while a scope is open. The terminal is given back as it was.
 *
 * @module
 */
import { Deferred, Effect } from "effect"

/** Keys that end: q, and what Ctrl-C and Ctrl-D send where lines are not waited for. */
const ending = new Set(["q", "\u0003", "\u0004"])

/** Listens; gives what resolves when somebody wants to end. Without a terminal nothing is ever pressed. */
export const openKeys = Effect.fnUntraced(function* (does: Readonly<Record<string, () => void>>) {
  const { stdin } = process
  const ended = yield* Deferred.make<void>()
  if (stdin.isTTY !== true) return Effect.never
  const listen = (text: string): void => {
    for (const key of text) {
      if (ending.has(key)) Deferred.doneUnsafe(ended, Effect.void)
      else if (Object.hasOwn(does, key)) does[key]!()
    }
  }
  const restore = (): void => {
    stdin.setRawMode(false)
  }
  yield* Effect.acquireRelease(
    Effect.sync(() => {
      stdin.setRawMode(true)
      stdin.setEncoding("utf8").on("data", listen).resume()
      // Whatever ends the process, the terminal is somebody else's afterwards.
      process.once("exit", restore)
    }),
    () =>
      Effect.sync(() => {
        process.off("exit", restore)
        stdin.off("data", listen).pause()
        restore()
      })
  )
  return Deferred.await(ended)
})
