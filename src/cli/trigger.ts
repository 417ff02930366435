/**
 * `millrace trigger`: a run by hand, whatever the schedule says.
 *
 * @module
 */
import { Effect } from "effect"
import { Command, Flag } from "effect/cli"
import { pipelineName } from "./desire.ts"
import { answer } from "./report.ts"
import { onService, Service } from "./Service.ts"
import { statusJson, statusOf } from "./tellStatus.ts"
import { shown, styleOf } from "./terminal.ts"

const flags = {
  name: pipelineName,
  reason: Flag.String("reason").pipe(
    Flag.withDescription("Why; it stands in the log"),
    Flag.withMetavar("<text>"),
    Flag.withDefault("millrace trigger")
  )
}

export const trigger = Command.make("trigger", flags, (options) => onService(triggerRun(options))).pipe(
  Command.withDescription(
    "Have a run begin now, whatever the schedule says. The pipeline has to be wanted running " +
      "(`millrace start`), and to have no run under way."
  ),
  Command.withShortDescription("Have a run begin now, whatever the schedule says"),
  Command.withExamples([
    { command: "millrace trigger delayed-flights", description: "Now" },
    {
      command: 'millrace trigger delayed-flights --reason "the file was corrected"',
      description: "And say why"
    }
  ])
)

const triggerRun = Effect.fnUntraced(function* (options: { readonly name: string; readonly reason: string }) {
  const { name, reason } = options
  const { client, name: place, url } = yield* Service
  yield* client.lifecycle.triggerRun({ params: { name }, headers: {}, payload: { reason } })
  const pipeline = yield* statusOf(name)
  const result = { ...statusJson(pipeline, url), reason, run: pipeline.run?.run ?? null }
  yield* answer("trigger", result, () => {
    const { dim, green } = styleOf(process.stdout)
    const next =
      url === null
        ? `no process works on ${shown(place)}: the run begins when \`millrace serve\` is started there`
        : `\`millrace events ${shown(name)} --follow\` shows it as it goes`
    return [`${green("✓")} ${shown(name)} is triggered`, `  ${dim("→")} ${next}`]
  })
})
