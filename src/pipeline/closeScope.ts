/**
 * Closing what a run has opened.
 *
 * @module
 */
import { Effect, Exit, Scope } from "effect"

/** Closes a scope and tells what could not be closed. What the run came to stays what it is. */
export const closeScope = (
  scope: Scope.Closeable,
  exit: Exit.Exit<unknown, unknown> = Exit.void
): Effect.Effect<void> =>
  Effect.catchCause(Scope.close(scope, exit), (cause) =>
    Effect.logWarning("Something the run has opened could not be closed", cause)
  )
