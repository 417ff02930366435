/**
 * The command and its verbs.
 *
 * @module
 */
import { Command } from "effect/cli"
import { events } from "./events.ts"
import { DataDirectory, Json } from "./globalFlags.ts"
import { run } from "./run.ts"
import { verify } from "./verify.ts"

export const root = Command.make("millrace").pipe(
  Command.withDescription(
    "Run data pipelines that never lose their place.\n\n" +
      "Exit codes: 0 done, 1 the run or operation failed, 2 bad input, 3 environment, 130/143 cut off by a signal."
  ),
  Command.withSubcommands([run, events, verify]),
  Command.withGlobalFlags([Json, DataDirectory]),
  Command.withExamples([
    { command: "millrace new files > flights.yaml", description: "A pipeline file to start from" },
    { command: "millrace check flights.yaml", description: "Find what is wrong with it" },
    { command: "millrace run flights.yaml", description: "Run it to its end" }
  ])
)
