/**
 * `millrace start`: have a pipeline running, by its schedule.
 *
 * @module
 */
import { Command } from "effect/cli"
import { desire, desireFlags } from "./desire.ts"

export const start = Command.make("start", desireFlags, (options) =>
  desire("start", "Running", options)
).pipe(
  Command.withDescription(
    "Have a pipeline running: it works by its schedule, and goes on with a run that was cut off. " +
      "Where no service has the data directory, it is written down and happens when one is started."
  ),
  Command.withShortDescription("Have a pipeline running, by its schedule"),
  Command.withExamples([
    { command: "millrace start delayed-flights", description: "Ask for it, and return" },
    { command: "millrace start delayed-flights --wait 60", description: "And wait until it runs" }
  ])
)
