/**
 * `millrace tail`: records of a pipeline as they pass.
 *
 * @module
 */
import { Effect } from "effect"
import { Argument, Command, Flag } from "effect/cli"
import { tailRateByDefault, tailRateMost } from "../api/tail.ts"

const positive = (most: number) => (count: number) => count > 0 && count <= most

export const tail = Command.make(
  "tail",
  {
    name: Argument.String("name").pipe(Argument.withDescription("Name of the pipeline")),
    stage: Argument.String("stage").pipe(
      Argument.withDescription("The stage to look at; what goes into the sinks when absent"),
      Argument.optional
    ),
    where: Flag.String("where").pipe(
      Flag.withDescription("Only records for which this holds (CEL), as they come to the stage"),
      Flag.withMetavar("<condition>"),
      Flag.optional
    ),
    rate: Flag.Int("rate").pipe(
      Flag.withDescription(
        `At most this many records a second (${tailRateByDefault}); the others are counted`
      ),
      Flag.withMetavar("<count>"),
      Flag.filter(positive(tailRateMost), () => `Expected a number from 1 to ${tailRateMost}`),
      Flag.withDefault(tailRateByDefault)
    ),
    limit: Flag.Int("limit").pipe(
      Flag.withDescription("End after this many records"),
      Flag.withMetavar("<count>"),
      Flag.filter(positive(Number.MAX_SAFE_INTEGER), () => "Expected a number greater than 0"),
      Flag.optional
    )
  },
  (options) =>
    Effect.flatMap(
      Effect.promise(() => import("./tailRecords.ts")),
      ({ tailRecords }) => tailRecords(options)
    )
).pipe(
  Command.withDescription(
    "Show records of a pipeline at work as they pass a stage: what came, what went on, and what became of it. The " +
      "pipeline does not wait: what passes too fast is counted, not shown. On a terminal the space bar freezes the " +
      "picture, and what comes meanwhile is counted too. Until Ctrl-C."
  ),
  Command.withShortDescription("Show records of a pipeline as they pass a stage"),
  Command.withExamples([
    { command: "millrace tail delayed-flights", description: "What goes into the sinks" },
    {
      command: 'millrace tail delayed-flights shaped --where "record.delay > 60" --limit 5',
      description: "Five records at one stage"
    },
    {
      command: "millrace tail delayed-flights --json --url http://flights:7070",
      description: "One object a line"
    }
  ])
)
