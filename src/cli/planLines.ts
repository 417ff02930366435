/**
 * A plan as data, and as a person reads it.
 *
 * @module
 */
import type { Schema } from "effect"
import type { Finding } from "../../events/Finding.ts"
import type { Change } from "./definitionDiff.ts"
import { findingJson } from "./pipelineFiles.ts"
import type { Plan } from "./planOf.ts"
import { cut, type Style, shown } from "./terminal.ts"

/** What `plan --json` answers. */
export const planJson = (plan: Plan, file: string, findings: ReadonlyArray<Finding>, url: string | null) => ({
  name: plan.name,
  file,
  action: plan.action,
  plan: plan.hash,
  deployed:
    plan.deployed === null
      ? null
      : {
          id: plan.deployed.id,
          version: plan.deployed.version,
          program_version: plan.deployed.program_version,
          deployment_status: plan.deployed.deployment_status,
          deployment_desired_status: plan.deployed.deployment_desired_status,
          lifecycle: plan.deployed.lifecycle
        },
  changes: plan.changes,
  must_shut_down: plan.mustShutDown,
  unfinished_run: plan.unfinishedRun,
  findings: findings.map((each) => findingJson(file, each)),
  service: url
})

/** What would change, and what stands in the way. */
export const planLines = (plan: Plan, place: string, style: Style): ReadonlyArray<string> => [
  headline(plan, place, style),
  ...plan.changes.map((change) => `  ${changeLine(change, style)}`),
  ...hindrances(plan).map((text) => `  ${style.yellow("!")} ${text}`)
]

const headline = ({ action, deployed, name }: Plan, place: string, style: Style): string => {
  const who = style.bold(shown(name))
  const version = `version ${deployed?.version ?? 0}`
  switch (action) {
    case "create":
      return `${who} is new on ${shown(place)}`
    case "unchanged":
      return `${who} on ${shown(place)} is as the file says (${version})`
    case "update":
      return `${who} on ${shown(place)} is at ${version}, and would change:`
  }
}

const changeLine = ({ change, from, pointer, to }: Change, style: Style): string => {
  // The whole definition: what is deployed cannot be read by this release.
  const at = pointer === "" ? "the whole definition" : shown(pointer)
  switch (change) {
    case "added":
      return style.green(`+ ${at}  ${text(to)}`)
    case "removed":
      return style.red(`- ${at}  ${text(from)}`)
    case "changed":
      return pointer === "" ? `~ ${at}` : `~ ${at}  ${text(from)} → ${text(to)}`
  }
}

const text = (value: Schema.Json): string => shown(cut(JSON.stringify(value), 80))

const hindrances = ({ deployed, mustShutDown, unfinishedRun }: Plan): ReadonlyArray<string> => {
  if (unfinishedRun !== null) {
    return [`run ${shown(unfinishedRun)} is unfinished, and goes on under the present definition`]
  }
  if (!mustShutDown || deployed === null) return []
  const { deployment_desired_status, deployment_status } = deployed
  return [`it is ${deployment_status}, wanted ${deployment_desired_status}: its definition is in use`]
}
