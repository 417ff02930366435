/**
 * `millrace plan`: what applying a pipeline file would change.
 *
 * @module
 */
import { Effect } from "effect"
import { Argument, Command } from "effect/cli"

export const plan = Command.make(
  "plan",
  { file: Argument.String("file").pipe(Argument.withDescription("The pipeline file")) },
  ({ file }) =>
    Effect.flatMap(
      Effect.promise(() => import("./planFile.ts")),
      ({ planFile }) => planFile(file)
    )
).pipe(
  Command.withDescription(
    "Say what applying a pipeline file would change against what is deployed, and what stands in the way. " +
      "Changes nothing. The plan has a name, so that `millrace apply --plan` does this and nothing else."
  ),
  Command.withShortDescription("Say what applying a file would change"),
  Command.withExamples([
    {
      command: "millrace plan delayed-flights.yaml",
      description: "Against the data directory or its service"
    },
    {
      command: "millrace plan delayed-flights.yaml --url http://flights:7070 --json",
      description: "Against a service, for a program"
    }
  ])
)
