/**
 * `millrace test`: the tests beside pipelines.
 *
 * @module
 */
import { Effect } from "effect"
import { Argument, Command, Flag } from "effect/cli"

export const test = Command.make(
  "test",
  {
    files: Argument.String("file").pipe(
      Argument.withDescription("Pipeline files, their test files, or folders"),
      Argument.atLeast(1)
    ),
    filter: Flag.String("filter").pipe(
      Flag.withDescription("Only tests whose name contains this"),
      Flag.withMetavar("<text>"),
      Flag.optional
    )
  },
  (options) =>
    Effect.flatMap(
      Effect.promise(() => import("./runTests.ts")),
      ({ runTests }) => runTests(options)
    )
).pipe(
  Command.withDescription(
    "Run the tests beside pipelines: those of delayed-flights.yaml are in delayed-flights.test.yaml. Records are " +
      "given by the test and go through the pipeline's own stages, in a time of their own; no source is read, no " +
      "sink is written. Of a folder, all tests in it and below."
  ),
  Command.withShortDescription("Run the tests beside pipelines, without their sources and sinks"),
  Command.withExamples([
    { command: "millrace test delayed-flights.yaml", description: "All its tests" },
    { command: "millrace test pipelines/ --json", description: "All tests of a folder, for a program" },
    {
      command: 'millrace test delayed-flights.yaml --filter "more than an hour"',
      description: "Some of them"
    }
  ])
)
