/**
 * What a definition says of the times of its records: can they be read at all?
 *
 * @module
 */
import { Result } from "effect"
import type { Definition, Stage } from "../../../events/Definition.ts"
import { type Finding, finding } from "../../../events/Finding.ts"
import type { Fields } from "../contract/Contract.ts"
import { isForbiddenKey } from "../expression/celEnvironment.ts"
import { compileTime } from "../time/compileTime.ts"
import { sourceGroups } from "./sourceGroups.ts"

/** Findings about `event_time` of one stage; `fields` is what is known of the records it gives. */
export const timeFindings = (
  name: string,
  { eventTime, source }: Stage,
  fields: Fields | undefined
): ReadonlyArray<Finding> => {
  if (eventTime === undefined) return []
  const at = ["stages", name, "event_time"]
  const findings: Array<Finding> = []
  if (source === undefined) {
    const message = `${name} is no source: the time of a record is taken where it is read`
    findings.push(finding("event_time_not_at_source", at, message))
  }
  const path = eventTime.field.split(".")
  if (path.some(isForbiddenKey)) {
    findings.push(finding("forbidden_key", [...at, "field"], `${eventTime.field} is refused as a field`))
  } else if (path.includes("")) {
    const message = `${eventTime.field} is no path: names are joined by single dots`
    findings.push(finding("bad_value", [...at, "field"], message))
  } else if (source !== undefined && fields !== undefined && !fields.has(path[0]!)) {
    const message = `The records of ${name} have no field ${path[0]}`
    findings.push(finding("unknown_field", [...at, "field"], message))
  }
  const time = compileTime(eventTime.format)
  if (Result.isFailure(time)) {
    const suggestion = "iso, unix_s, unix_ms, or a pattern like yyyy-MM-dd HH:mm:ss"
    findings.push(finding("bad_time_format", [...at, "format"], time.failure, suggestion))
  }
  return findings
}

/** Findings about sources that are to be read as one by their event times. */
export const mergeFindings = (definition: Definition): ReadonlyArray<Finding> =>
  definition.merge !== "event_time"
    ? []
    : sourceGroups(definition)
        .filter((members) => members.length > 1)
        .flatMap((members) =>
          members
            .filter((name) => definition.stages[name]!.eventTime === undefined)
            .map((name) => {
              const others = members.filter((other) => other !== name).join(", ")
              const message = `${name} is merged with ${others} by event time, and does not say when its records happened`
              return finding(
                "missing_event_time",
                ["stages", name, "event_time"],
                message,
                "event_time: { field: … }"
              )
            })
        )
