/**
 * `millrace apply`: deploy what a pipeline file says.
 *
 * @module
 */
import { Effect } from "effect"
import { Argument, Command, Flag } from "effect/cli"

const flags = {
  file: Argument.String("file").pipe(Argument.withDescription("The pipeline file")),
  plan: Flag.String("plan").pipe(
    Flag.withDescription("Only if this is still the plan, as `millrace plan` named it"),
    Flag.withMetavar("<hash>"),
    Flag.optional
  ),
  restart: Flag.Boolean("restart").pipe(
    Flag.withDescription("Shut the pipeline down for the change if it has to be, and start it again"),
    Flag.withDefault(false)
  ),
  abandon: Flag.Boolean("abandon").pipe(
    Flag.withDescription("Give up an unfinished run, which keeps the pipeline from changing"),
    Flag.withDefault(false)
  )
}

export const apply = Command.make("apply", flags, (options) =>
  Effect.flatMap(
    Effect.promise(() => import("./applyFile.ts")),
    ({ applyFile }) => applyFile(options)
  )
).pipe(
  Command.withDescription(
    "Create the pipeline of a file, or change it to what the file says. Nothing is done where it says so already. " +
      "A pipeline that is deployed is changed with --restart only, one with an unfinished run with --abandon only."
  ),
  Command.withShortDescription("Deploy what a file says"),
  Command.withExamples([
    {
      command: "millrace apply delayed-flights.yaml",
      description: "Create it, or change it while it is down"
    },
    {
      command: "millrace apply delayed-flights.yaml --plan 3f9a0c1d2e4b5a67 --restart",
      description: "What was looked at and nothing else, and start it again"
    }
  ])
)
