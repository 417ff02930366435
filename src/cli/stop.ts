/**
 * `millrace stop`: take a pipeline down.
 *
 * @module
 */
import { Command } from "effect/cli"
import { desire, desireFlags } from "./desire.ts"

export const stop = Command.make("stop", desireFlags, (options) => desire("stop", "Shutdown", options)).pipe(
  Command.withDescription(
    "Take a pipeline down: what is in flight is written, its place is kept, and nothing of it is left at work. " +
      "The only way out of Failed."
  ),
  Command.withShortDescription("Take a pipeline down; it keeps its place"),
  Command.withExamples([
    { command: "millrace stop delayed-flights", description: "Ask for it, and return" },
    { command: "millrace stop delayed-flights --wait 60", description: "And wait until it is down" }
  ])
)
