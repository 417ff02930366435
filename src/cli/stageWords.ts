/**
 * What a stage does, in a few words.
 *
 * @module
 */
import { Schema } from "effect"
import { DurationMs, isMapEdit, type Stage, type Use, type Window } from "../../events/Definition.ts"
import { conditionText } from "../flow/condition/conditionText.ts"
import { grouped, plural } from "./terminal.ts"

export interface StageWords {
  readonly kind: string
  readonly detail: string
  readonly notes: ReadonlyArray<string>
}

/** `notes` is empty where there is nothing more to say. */
export const stageWords = (stage: Stage): StageWords => {
  if (stage.source !== undefined) {
    return { kind: "source", detail: endOf(stage.source), notes: timeOf(stage.eventTime) }
  }
  if (stage.sink !== undefined) return plain("sink", endOf(stage.sink))
  if (stage.lookup !== undefined) return plain("lookup", endOf(stage.lookup))
  if (stage.filter !== undefined) return plain("filter", conditionText(stage.filter))
  if (stage.map !== undefined) return plain("map", mapOf(stage.map))
  if (stage.explode !== undefined) return plain("explode", explodeOf(stage.explode))
  if (stage.validate !== undefined) return validateOf(stage.validate)
  if (stage.dedupe !== undefined) return dedupeOf(stage.dedupe)
  if (stage.service !== undefined) return serviceOf(stage.service)
  if (stage.aggregate !== undefined) return aggregateOf(stage.aggregate)
  if (stage.function !== undefined) {
    return plain("function", `${stage.function.does} each ${stage.function.over}`)
  }
  return plain("stage", "")
}

/** The sink that dead letters go to. */
export const deadLetterWords = (sink: Use): StageWords => plain("sink", endOf(sink))

const plain = (kind: string, detail: string): StageWords => ({ kind, detail, notes: [] })

/** The driver, and the setting that says most about where it leads. */
const endOf = (use: Use): string => {
  const place = ["path", "table", "topic", "url", "bucket", "name"].map((key) => use[key]).find(isText)
  return place === undefined ? use.use : `${use.use} ${place}`
}

const isText = (value: unknown): value is string => typeof value === "string"

const duration = Schema.encodeSync(DurationMs)

const timeOf = (time: Stage["eventTime"]): ReadonlyArray<string> => {
  if (time === undefined) return []
  const late = time.allowedLateness === 0 ? "" : `, up to ${duration(time.allowedLateness)} late`
  return [`event time: ${time.field}${late}`]
}

const mapOf = (map: NonNullable<Stage["map"]>): string => {
  if (!isMapEdit(map)) return Object.keys(map).join(", ")
  return [
    ...Object.keys(map.set ?? {}).map((field) => `+${field}`),
    ...(map.drop ?? []).map((field) => `-${field}`)
  ].join(" ")
}

const explodeOf = ({ field, into }: NonNullable<Stage["explode"]>): string =>
  into === undefined ? `one for each of ${field}` : `${into} for each of ${field}`

const validateOf = ({ contract, onInvalid }: NonNullable<Stage["validate"]>): StageWords => ({
  kind: "validate",
  detail: Object.values(contract).every(isText) ? Object.keys(contract).join(", ") : "a JSON Schema",
  notes: onInvalid === "drop" ? ["drops what does not fit"] : []
})

const dedupeOf = ({ key, remember, within }: NonNullable<Stage["dedupe"]>): StageWords => ({
  kind: "dedupe",
  detail: key,
  notes: [`last ${grouped(remember)} keys${within === undefined ? "" : `, within ${duration(within)}`}`]
})

const serviceOf = ({ balance, endpoints, hash }: NonNullable<Stage["service"]>): StageWords => ({
  kind: "service",
  detail: endpoints.length === 1 ? endpoints[0]!.url : plural(endpoints.length, "endpoint"),
  notes:
    endpoints.length === 1
      ? []
      : [`${balance.replaceAll("_", " ")}${hash === undefined ? "" : ` by ${hash}`}`]
})

const aggregateOf = ({ by, make, window }: NonNullable<Stage["aggregate"]>): StageWords => ({
  kind: "aggregate",
  detail: Object.keys(make).join(", "),
  notes: [
    [windowOf(window), ...(Object.keys(by).length === 0 ? [] : ["by", Object.keys(by).join(", ")])].join(" ")
  ]
})

const windowOf = (window: Window): string => {
  if ("tumbling" in window) return `every ${duration(window.tumbling)}`
  if ("sliding" in window) return `over ${duration(window.sliding)}, every ${duration(window.every)}`
  return `per session, apart by ${duration(window.session)}`
}
