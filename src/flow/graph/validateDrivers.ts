/**
 * Does every stage name a driver that exists, with settings that driver takes, and do the ends keep out
 * of each other's way?
 *
 * @module
 */
import { Result, Schema } from "effect"
import { type Definition, lookupUse } from "../../../events/Definition.ts"
import { type Finding, finding, pointer } from "../../../events/Finding.ts"
import { nearest } from "../../../events/nearest.ts"
import { deadLettersBranch } from "../../../events/PipelineEvent.ts"
import type { AnyOffer, Driver } from "../../drivers/Driver.ts"
import { schemaFindings } from "./schemaFindings.ts"

type End = "source" | "sink" | "lookup"

/** One use of a driver, ready to be checked. */
interface Used {
  readonly stage: string
  readonly end: End
  readonly at: ReadonlyArray<string>
  readonly settings: Readonly<Record<string, unknown>>
}

/** A use, the name of what it touches, and what else it takes in. */
interface Touching extends Used {
  readonly resource: string
  readonly covers: (resource: string) => boolean
}

/** Findings about drivers. `base` is the folder relative paths resolve against. */
export const validateDrivers = (
  definition: Definition,
  drivers: ReadonlyMap<string, Driver>,
  context: { readonly base: string }
): ReadonlyArray<Finding> => {
  const findings: Array<Finding> = []
  const resources: Array<Touching> = []
  for (const used of uses(definition)) {
    const offer = offered(used, drivers, findings)
    if (offer === undefined) continue
    const { use: _, ...settings } = used.settings
    const config = Schema.decodeUnknownResult(offer.config)(settings, {
      errors: "all",
      onExcessProperty: "error"
    })
    if (Result.isFailure(config)) {
      findings.push(...settingFindings(config.failure.issue, used, settings))
      continue
    }
    const asking = {
      pipeline: { id: "", name: definition.name },
      stage: used.stage,
      base: context.base
    }
    const refused = offer.refuses?.(config.success, asking)
    if (refused !== undefined) {
      const { code, message, suggestion } = refused
      findings.push(finding(code, used.at, message, suggestion))
    }
    const resource = offer.resource?.(config.success, asking)
    const covers = (other: string) => offer.covers?.(config.success, asking, other) === true
    if (resource !== undefined) resources.push({ ...used, resource, covers })
  }
  return [...findings, ...collisions(resources)]
}

const uses = ({ deadLetters, stages }: Definition): ReadonlyArray<Used> => {
  const used = Object.entries(stages).flatMap(([stage, { source, sink, lookup }]) => {
    const ends: Array<Used> = []
    const add = (end: End, settings: Used["settings"]) =>
      ends.push({ stage, end, at: ["stages", stage, end], settings })
    if (source !== undefined) add("source", source)
    if (lookup !== undefined) add("lookup", lookupUse(lookup))
    if (sink !== undefined) add("sink", sink)
    return ends
  })
  if (deadLetters.sink === undefined) return used
  const at = [deadLettersBranch, "sink"]
  return [...used, { stage: deadLettersBranch, end: "sink", at, settings: deadLetters.sink }]
}

const offered = (
  { at, end, settings }: Used,
  drivers: ReadonlyMap<string, Driver>,
  findings: Array<Finding>
): AnyOffer<unknown> | undefined => {
  const name = String(settings.use)
  const driver = drivers.get(name)
  const able = [...drivers.values()].filter((each) => each[end] !== undefined).map((each) => each.name)
  if (driver === undefined) {
    const suggestion = nearest(name, able) ?? `one of ${able.join(", ")}`
    findings.push(finding("unknown_driver", [...at, "use"], `There is no driver ${name}`, suggestion))
    return undefined
  }
  const offer = driver[end]
  if (offer === undefined) {
    const message = `The driver ${name} offers no ${end}`
    findings.push(finding("driver_offers_no_end", [...at, "use"], message, `one of ${able.join(", ")}`))
  }
  return offer
}

/** A setting written as `{ secret: NAME }` has no value yet, so nothing can be held against it. */
const settingFindings = (
  issue: Parameters<typeof schemaFindings>[0],
  { at }: Used,
  settings: Used["settings"]
): ReadonlyArray<Finding> => {
  const secrets = Object.keys(settings)
    .filter((key) => isSecret(settings[key]))
    .map((key) => pointer([...at, key]))
  return schemaFindings(issue, at, settings).filter(
    (each) =>
      each.code === "unknown_key" ||
      !secrets.some((secret) => each.pointer === secret || each.pointer.startsWith(`${secret}/`))
  )
}

/** `{ secret: NAME }`: resolved when a driver connects, never earlier. */
export const isSecret = (value: unknown): value is { readonly secret: string } =>
  typeof value === "object" &&
  value !== null &&
  Object.keys(value).length === 1 &&
  typeof (value as { readonly secret?: unknown }).secret === "string"

const collisions = (ends: ReadonlyArray<Touching>): ReadonlyArray<Finding> => {
  const sinks = ends.filter(({ end }) => end === "sink")
  return sinks.flatMap((sink, index) => {
    const findings: Array<Finding> = []
    const twin = sinks.slice(0, index).find(({ resource }) => resource === sink.resource)
    if (twin !== undefined) {
      findings.push(
        finding(
          "shared_output",
          sink.at,
          `${sink.stage} writes to what ${twin.stage} writes to: ${sink.resource}`
        )
      )
    }
    const read = ends.find(
      ({ covers, end, resource }) => end !== "sink" && (resource === sink.resource || covers(sink.resource))
    )
    if (read !== undefined) {
      findings.push(
        finding(
          "sink_overwrites_source",
          sink.at,
          `${sink.stage} would write over what ${read.stage} reads: ${sink.resource}`
        )
      )
    }
    return findings
  })
}
