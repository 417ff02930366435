/**
 * `millrace top`: all pipelines and how they are doing, live.
 *
 * @module
 */
import { Effect } from "effect"
import { Command, Flag } from "effect/cli"
import { sortings } from "./topRows.ts"

export const top = Command.make(
  "top",
  {
    once: Flag.Boolean("once").pipe(
      Flag.withDescription("Print the table once, after a second of watching, and end"),
      Flag.withDefault(false)
    ),
    sort: Flag.Literals("sort", sortings).pipe(
      Flag.withDescription("What stands on top; the keys s and r change it"),
      Flag.withDefault("read" as const)
    )
  },
  (options) =>
    Effect.flatMap(
      Effect.promise(() => import("./topScreen.ts")),
      ({ watchAll }) => watchAll(options)
    )
).pipe(
  Command.withDescription(
    "Watch all pipelines of a service or a folder: what each is doing, records a second read and applied, lag, dead " +
      "letters, batches in flight, watermark. Looked at every second; s sorts by the next column, r turns the order " +
      "round, q ends. Without a terminal, with --once and with --json the figures of one second are printed once."
  ),
  Command.withShortDescription("Watch all pipelines and their figures"),
  Command.withExamples([
    { command: "millrace top", description: "Those of .millrace, or of the service that holds it" },
    { command: "millrace top --url http://flights:7070 --sort lag", description: "Those of a service" },
    { command: "millrace top --json", description: "The figures of one second, for a program" }
  ])
)
