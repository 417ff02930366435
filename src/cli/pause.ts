/**
 * `millrace pause`: have a pipeline rest without giving up its place.
 *
 * @module
 */
import { Command } from "effect/cli"
import { desire, desireFlags } from "./desire.ts"

export const pause = Command.make("pause", desireFlags, (options) => desire("pause", "Paused", options)).pipe(
  Command.withDescription(
    "Have a pipeline rest: nothing more is read, what is in flight is written, its place is kept. " +
      "`millrace start` goes on."
  ),
  Command.withShortDescription("Have a pipeline rest; it keeps its place"),
  Command.withExamples([
    { command: "millrace pause delayed-flights", description: "Ask for it, and return" },
    {
      command: "millrace pause delayed-flights --wait 60",
      description: "And wait until nothing is in flight"
    }
  ])
)
