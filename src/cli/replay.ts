/**
 * `millrace replay`: the last run of a pipeline, set back to an earlier moment and worked on from there.
 *
 * @module
 */
import { Effect } from "effect"
import { Argument, Command, Flag } from "effect/cli"

export const replay = Command.make(
  "replay",
  {
    name: Argument.String("name").pipe(Argument.withDescription("Name of the pipeline")),
    from: Flag.String("from").pipe(
      Flag.withDescription(
        "start; a version of the log; an ISO 8601 time; batch:<number>, or <source>:<offset> for a checkpoint"
      ),
      Flag.withMetavar("<place>")
    ),
    stage: Flag.String("stage").pipe(
      Flag.withDescription("Only the sinks behind this stage take part"),
      Flag.withMetavar("<stage>"),
      Flag.optional
    ),
    generation: Flag.Literals("generation", ["next", "same"]).pipe(
      Flag.withDescription("next writes under new keys; same writes only what the sinks do not hold"),
      Flag.withDefault("next")
    ),
    dryRun: Flag.Boolean("dry-run").pipe(
      Flag.withDescription("Only tell what would happen"),
      Flag.withDefault(false)
    )
  },
  // The engine is loaded only where it is needed: every other verb starts sooner.
  (options) =>
    Effect.flatMap(
      Effect.promise(() => import("./replayRun.ts")),
      ({ replayRun }) => replayRun(options)
    )
).pipe(
  Command.withDescription(
    "Set the last run of a pipeline back to an earlier moment and run it from there to its end. Everything its " +
      "sinks got since is written again; files are cut back first. Ctrl-C writes and checkpoints what is in " +
      "flight, and `millrace run` goes on from there."
  ),
  Command.withShortDescription("Run the last run again from an earlier moment"),
  Command.withExamples([
    {
      command: "millrace replay delayed-flights --from start --dry-run",
      description: "What would be written"
    },
    {
      command: "millrace replay delayed-flights --from 40",
      description: "From what the log said at version 40"
    },
    {
      command: "millrace replay delayed-flights --from flights:8000 --generation same",
      description: "From a checkpoint, only what is missing"
    }
  ])
)
