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
     * Resolves at the first signal. A command that asks for it has promised to end by itself then;
     * any other command is interrupted.
     */
    readonly drain: Effect.Effect<Signal>
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
    drain: Effect.suspend(() => {
      drains = true
      return Deferred.await(asked)
    })
  }
}
