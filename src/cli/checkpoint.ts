/**
 * `millrace checkpoint`: settle what is in flight, now.
 *
 * @module
 */
import { Effect } from "effect"
import { Command } from "effect/cli"
import { pipelineName } from "./desire.ts"
import { answer } from "./report.ts"
import { onService, Service, someoneAtWork } from "./Service.ts"
import { grouped, shown, styleOf, table } from "./terminal.ts"

export const checkpoint = Command.make("checkpoint", { name: pipelineName }, ({ name }) =>
  Effect.andThen(
    someoneAtWork("nothing is in flight; `millrace show` has the last checkpoints"),
    onService(settle(name))
  )
).pipe(
  Command.withDescription(
    "Settle what is in flight: every sink is made durable now, and the checkpoints are answered once they are in the log"
  ),
  Command.withShortDescription("Settle what is in flight, now"),
  Command.withExamples([
    { command: "millrace checkpoint delayed-flights", description: "Before a machine is taken down" }
  ])
)

const settle = Effect.fnUntraced(function* (name: string) {
  const { client, url } = yield* Service
  const settled = yield* client.lifecycle.checkpointPipeline({ params: { name }, headers: {} })
  yield* answer("checkpoint", { name, ...settled, service: url }, () => [
    `${styleOf(process.stdout).green("✓")} ${shown(name)} is settled up to version ${settled.version} of its log`,
    ...table(
      settled.checkpoints.map(({ batch, offset, source }) => [
        `  ${shown(source)}`,
        `record ${grouped(offset)}`,
        `batch ${batch}`
      ])
    )
  ])
})
