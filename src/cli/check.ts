/**
 * `millrace check`: everything that can be known of a pipeline file without running it.
 *
 * @module
 */
import { Effect } from "effect"
import { Argument, Command, Flag } from "effect/cli"

export const check = Command.make(
  "check",
  {
    files: Argument.String("file").pipe(Argument.withDescription("Pipeline files"), Argument.atLeast(1)),
    connect: Flag.Boolean("connect").pipe(
      Flag.withDescription(
        "Also open sources and lookups, and see whether sinks could write; writes nothing"
      ),
      Flag.withDefault(false)
    )
  },
  (options) =>
    Effect.flatMap(
      Effect.promise(() => import("./checkFiles.ts")),
      ({ checkFiles }) => checkFiles(options)
    )
).pipe(
  Command.withDescription("Find what is wrong with pipeline files: parse, resolve, validate, lint"),
  Command.withExamples([
    { command: "millrace check delayed-flights.yaml", description: "All findings at once" },
    {
      command: "millrace check pipelines/*.yaml --connect",
      description: "And whether their ends can be reached"
    }
  ])
)
