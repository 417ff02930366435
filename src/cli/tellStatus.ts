/**
 * How a pipeline is, after something was asked of it, and what happens next.
 *
 * @module
 */
import { Effect } from "effect"
import type { SelectedPipeline } from "../api/PipelineResource.ts"
import { Service } from "./Service.ts"
import { type Style, shown } from "./terminal.ts"

/** A pipeline as the answers of operating verbs have it. */
export const statusJson = (pipeline: SelectedPipeline, url: string | null) => ({
  name: pipeline.name,
  id: pipeline.id,
  version: pipeline.version,
  deployment_status: pipeline.deployment_status,
  deployment_desired_status: pipeline.deployment_desired_status,
  deployment_error: pipeline.deployment_error,
  lifecycle: pipeline.lifecycle,
  /** `null`: nobody is at work, and what is wanted waits in the log. */
  service: url
})

export const statusOf = (name: string) =>
  Effect.flatMap(Service, ({ client }) =>
    client.pipelines.getPipeline({ params: { name }, query: { selector: "status" } })
  )

/** Is it where it is wanted? */
export const hasArrived = (pipeline: SelectedPipeline): boolean =>
  pipeline.deployment_status === pipeline.deployment_desired_status

/** Where it is on its way, and who brings it there. */
export const nextLines = (
  pipeline: SelectedPipeline,
  { name, url }: Pick<Service["Service"], "name" | "url">,
  style: Style
): ReadonlyArray<string> => {
  const arrow = style.dim("→")
  if (hasArrived(pipeline)) return []
  if (url === null) {
    return [
      `  ${arrow} no process works on ${shown(name)}: it happens when \`millrace serve\` is started there`
    ]
  }
  const trouble = pipeline.deployment_error
  return [
    ...(trouble === null ? [] : [`  ${style.red(`✗ ${trouble.error_code}`)} ${shown(trouble.message)}`]),
    `  ${arrow} it is ${pipeline.deployment_status} now; \`millrace show ${shown(pipeline.name)}\` tells how far it is`
  ]
}
