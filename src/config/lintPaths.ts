/**
 * Paths into the payload that are written as an expression would have them.
 *
 * @module
 */
import type { Condition, Definition } from "../../events/Definition.ts"
import { type Finding, finding } from "../../events/Finding.ts"
import type { Fields } from "../flow/contract/Contract.ts"
import { stageFields } from "../flow/graph/fields.ts"
import { edgeAt } from "../flow/graph/validateStages.ts"

type Path = ReadonlyArray<string | number>

/**
 * A path begins in the payload, so `record.at` is the field `at` of a field `record`: where there is none,
 * every record is without a time, without a list, or on the false side of the condition, and nothing says so.
 */
export const pathsLikeExpressions = (definition: Definition): ReadonlyArray<Finding> => {
  const fields = stageFields(definition)
  return Object.entries(definition.stages).flatMap(([name, stage]) => {
    const known = fields.get(name)
    const at: Path = ["stages", name]
    const { eventTime, explode, filter, lookup } = stage
    return [
      ...(eventTime === undefined
        ? []
        : written([...at, "event_time", "field"], eventTime.field, known?.output)),
      ...(explode === undefined ? [] : written([...at, "explode", "field"], explode.field, known?.input)),
      ...(filter === undefined ? [] : inCondition([...at, "filter"], filter, known?.input)),
      ...Object.keys(lookup?.match ?? {}).flatMap((field) =>
        written([...at, "lookup", "match", field], field, known?.input)
      ),
      ...(stage.from ?? []).flatMap((edge, index) =>
        edge.when === undefined
          ? []
          : inCondition([...edgeAt(name, stage, index), "when"], edge.when, fields.get(edge.stage)?.output)
      )
    ]
  })
}

const inCondition = (at: Path, condition: Condition, fields: Fields | undefined): ReadonlyArray<Finding> => {
  if (typeof condition === "string" || "cel" in condition || "type" in condition) return []
  if ("not" in condition) return inCondition([...at, "not"], condition.not, fields)
  if ("field" in condition) return written([...at, "field"], condition.field, fields)
  if ("metadata" in condition) return []
  const [key, conditions] =
    "all" in condition ? (["all", condition.all] as const) : (["any", condition.any] as const)
  return conditions.flatMap((each, index) => inCondition([...at, key, index], each, fields))
}

const written = (at: Path, path: string, fields: Fields | undefined): ReadonlyArray<Finding> => {
  if (!path.startsWith("record.") || fields !== undefined) return []
  const message = `a path begins in the record already: ${path} looks for a field record in it`
  return [finding("path_like_expression", at, message, path.slice("record.".length))]
}
