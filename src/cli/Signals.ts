/**
 * Ctrl-C and SIGTERM: the first one asks, the second one ends the process at once.
 *
 * @module
 */
import { Context, Deferred, Effect } from "effect"
import { type Signal, signalCode } from "./exitCode.ts"

export class Signals extends Context.Service<
  Signals,
  {
    /** The first signal that came, if one did. */
    readonly received: () => Signal | undefined
    /**
     * Promises that the command will end by itself when the first signal comes, and gives what resolves
     * then. Any other command is interrupted, so the promise is made before anything begins.
     */
    readonly drain: Effect.Effect<Effect.Effect<Signal>>
  }
>()("millrace/cli/Signals") {}

/** Listens for signals; `interrupt` ends a command that did not ask for them. */
export const listen = (interrupt: () => void): Signals["Service"] => {
  const asked = Deferred.makeUnsafe<Signal>()
  let received: Signal | undefined
  let drains = false
  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    process.on(signal, () => {
      if (received !== undefined) process.exit(signalCode[signal])
      received = signal
      Deferred.doneUnsafe(asked, Effect.succeed(signal))
      if (!drains) interrupt()
    })
  }
  return {
    received: () => received,
    drain: Effect.sync(() => {
      drains = true
      return Deferred.await(asked)
    })
  }
}
