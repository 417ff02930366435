/**
 * `millrace serve`: the service, until it is asked to end.
 *
 * @module
 */
import { Effect, Schema } from "effect"
import { Argument, Command, Flag } from "effect/cli"

export const serve = Command.make(
  "serve",
  {
    places: Argument.String("folder or files").pipe(
      Argument.withDescription("Pipeline files that are defined first, or folders of them"),
      Argument.variadic()
    ),
    host: Flag.String("host").pipe(
      Flag.withDescription("Address to listen on; any but this machine's own needs a token"),
      Flag.withDefault("127.0.0.1")
    ),
    port: Flag.Int("port").pipe(
      Flag.withDescription("Port to listen on; 0 takes a free one"),
      Flag.withSchema(Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 65_535 }))),
      Flag.withDefault(7070)
    ),
    roots: Flag.String("root").pipe(
      Flag.withDescription("Another folder whose files pipelines may read and write; may be repeated"),
      Flag.withMetavar("<folder>"),
      Flag.atLeast(0)
    ),
    hosts: Flag.String("allow-host").pipe(
      Flag.withDescription("A name under which the service may be called; may be repeated"),
      Flag.withMetavar("<name>"),
      Flag.atLeast(0)
    ),
    origins: Flag.String("allow-origin").pipe(
      Flag.withDescription("An origin whose pages may call the service; may be repeated"),
      Flag.withMetavar("<origin>"),
      Flag.atLeast(0)
    )
  },
  (options) =>
    Effect.flatMap(
      Effect.promise(() => import("./serveHttp.ts")),
      ({ serveHttp }) => serveHttp(options)
    )
).pipe(
  Command.withDescription(
    "Run the service: the HTTP API, schedules, and every pipeline that is wanted running. Paths of programs sent " +
      "to it resolve against the folder it is given (else this one), and are confined to it and every --root. The " +
      "first Ctrl-C or SIGTERM writes and checkpoints what is in flight; a second one ends at once."
  ),
  Command.withShortDescription("Run the service"),
  Command.withExamples([
    { command: "millrace serve", description: "Serve the pipelines of .millrace on 127.0.0.1:7070" },
    {
      command: "millrace serve pipelines/ --port 0",
      description: "Define a folder's pipelines, take a free port"
    },
    {
      command: "millrace serve --host 0.0.0.0 --allow-host pipelines.example",
      description: "For other machines; make a token first"
    }
  ])
)
