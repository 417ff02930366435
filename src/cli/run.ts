/**
 * `millrace run`: each file as its own pipeline, from here to the end of its run.
 *
 * @module
 */
import { Effect } from "effect"
import { Argument, Command, Flag } from "effect/cli"

export const run = Command.make(
  "run",
  {
    files: Argument.String("file").pipe(
      Argument.withDescription("Pipeline files, each its own pipeline"),
      Argument.atLeast(1)
    ),
    abandon: Flag.Boolean("abandon").pipe(
      Flag.withDescription("Give up an unfinished run, so that a new one begins"),
      Flag.withDefault(false)
    )
  },
  // The engine is loaded only where it is needed: every other verb starts sooner.
  (options) =>
    Effect.flatMap(
      Effect.promise(() => import("./runFiles.ts")),
      ({ runFiles }) => runFiles(options)
    )
).pipe(
  Command.withDescription(
    "Run pipelines once, whatever their schedule says. A run that was cut off goes on where it stopped; " +
      "a completed pipeline runs anew. Ctrl-C writes and checkpoints what is in flight; a second one ends at once."
  ),
  Command.withShortDescription("Run pipelines once, or go on with a run that was cut off"),
  Command.withExamples([
    { command: "millrace run delayed-flights.yaml", description: "Run one pipeline to its end" },
    { command: "millrace run pipelines/*.yaml --json", description: "Run several; counts for a program" },
    { command: "millrace run delayed-flights.yaml --abandon", description: "Begin anew with a changed file" }
  ])
)
