/**
 * `millrace dead-letters`: the records that could not be handled: why, and what is done about them.
 *
 * @module
 */
import { Effect } from "effect"
import { Argument, Command, Flag } from "effect/cli"

const optionalText = (name: string, metavar: string, description: string) =>
  Flag.String(name).pipe(Flag.withDescription(description), Flag.withMetavar(metavar), Flag.optional)

const isSet = (name: string, description: string) =>
  Flag.Boolean(name).pipe(Flag.withDescription(description), Flag.withDefault(false))

const repeated = (name: string, metavar: string, description: string) =>
  Flag.String(name).pipe(Flag.withDescription(description), Flag.withMetavar(metavar), Flag.atLeast(0))

const flags = {
  name: Argument.String("name").pipe(Argument.withDescription("Name of the pipeline")),
  action: Argument.Literals("action", ["list", "group", "show", "redrive", "discard", "withdraw"]).pipe(
    Argument.withDescription(
      "list: page by page; group: by cause; show: one with its story; redrive: try again; discard: let go; " +
        "withdraw: take back redrives that have not begun"
    )
  ),
  ids: Argument.String("id").pipe(
    Argument.withDescription("Ids of letters, to show, redrive, discard or withdraw"),
    Argument.variadic()
  ),
  all: isSet("all", "Every letter that stands"),
  stage: optionalText("stage", "<stage>", "Letters that failed last at this stage"),
  code: optionalText("code", "<code>", "Letters whose last reason has this code"),
  source: optionalText("source", "<source>", "Letters that were read from this source"),
  run: optionalText("run", "<run>", "Letters of this run"),
  limit: Flag.Int("limit").pipe(
    Flag.withDescription("At most this many letters: 100, or 1000 with --json; a dry run tries 100"),
    Flag.withMetavar("<count>"),
    Flag.filter(
      (limit) => limit > 0,
      () => "Expected a number greater than 0"
    ),
    Flag.optional
  ),
  after: optionalText("after", "<id>", "Only letters behind this one"),
  edit: repeated("edit", "<id>=<json>", "What enters instead of what was read, or <id>=@<file>"),
  set: repeated("set", "<field>=<value>", "Gives a field of each letter this value; JSON, else text"),
  rate: Flag.Finite("rate").pipe(
    Flag.withDescription("At most this many letters a second"),
    Flag.withMetavar("<number>"),
    Flag.filter(
      (rate) => rate >= 0.001 && rate <= 1_000_000,
      () => "Expected a number from 0.001 to 1000000"
    ),
    Flag.optional
  ),
  dryRun: isSet("dry-run", "Only tell what would become of them"),
  noWait: isSet("no-wait", "Come back as soon as it is asked for"),
  reason: optionalText("reason", "<text>", "Why; goes into the log, and a discard must have one"),
  force: isSet("force", "Discard also what is just being tried again")
}

export const deadLetters = Command.make("dead-letters", flags, (options) =>
  Effect.gen(function* () {
    // Each is loaded where it is needed: every other verb starts sooner.
    switch (options.action) {
      case "list":
      case "group":
      case "show": {
        const { lookAtLetters } = yield* Effect.promise(() => import("./lookAtLetters.ts"))
        return yield* lookAtLetters({ ...options, action: options.action })
      }
      case "redrive": {
        const { redriveLetters } = yield* Effect.promise(() => import("./redriveLetters.ts"))
        return yield* redriveLetters(options)
      }
      case "discard":
      case "withdraw": {
        const { discardLetters, withdrawRedrives } = yield* Effect.promise(
          () => import("./discardLetters.ts")
        )
        return yield* options.action === "discard" ? discardLetters(options) : withdrawRedrives(options)
      }
    }
  })
).pipe(
  Command.withDescription(
    "Look at the dead letters of a pipeline, try them again through the definition in force, or let them go. A " +
      "redrive needs no run and starts none; what was asked for is in the log, and goes on after a crash."
  ),
  Command.withShortDescription("Look at dead letters, redrive or discard them"),
  Command.withExamples([
    { command: "millrace dead-letters delayed-flights group", description: "What went wrong, and how often" },
    { command: "millrace dead-letters delayed-flights show 0.3.3017", description: "One, with its story" },
    {
      command: "millrace dead-letters delayed-flights redrive --all --dry-run",
      description: "What would become of them"
    },
    {
      command:
        "millrace dead-letters delayed-flights redrive --code expression_failed --set delay=0 --rate 100",
      description: "Mended, and not too fast"
    },
    {
      command: "millrace dead-letters delayed-flights discard 0.3.3017 --reason 'a test record'",
      description: "One that nobody wants"
    }
  ])
)
