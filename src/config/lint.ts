/**
 * What is allowed in a pipeline and yet most likely not meant.
 *
 * @module
 */
import { Result } from "effect"
import type { Definition, Use } from "../../events/Definition.ts"
import { type Finding, finding } from "../../events/Finding.ts"
import type { Field } from "../flow/contract/Contract.ts"
import { compileCondition, constantCondition, recordFields } from "../flow/expression/Expression.ts"
import { order } from "../flow/graph/order.ts"
import { secretive } from "./environment.ts"

/** Warnings about a definition. */
export const lint = (definition: Definition): ReadonlyArray<Finding> =>
  [
    ...constantFilters(definition),
    ...numbersAsText(definition),
    ...writtenSecrets(definition),
    ...limitsOfNothing(definition)
  ].map((each) => ({ ...each, severity: "warning" as const }))

const constantFilters = (definition: Definition): ReadonlyArray<Finding> =>
  Object.entries(definition.stages).flatMap(([name, { filter }]) => {
    const constant = filter === undefined ? undefined : constantCondition(filter)
    if (constant === undefined) return []
    const meaning = constant ? "every record passes" : "no record passes"
    const message = `${name} asks nothing about the record: ${meaning}`
    return [finding("constant_condition", ["stages", name, "filter"], message)]
  })

/** More dead letters than the window has records can never be among them. */
const limitsOfNothing = ({ deadLetters: { threshold, window } }: Definition): ReadonlyArray<Finding> => {
  if (window === 0 || threshold < window) return []
  const message = `more than ${threshold} of ${window} records cannot be dead letters: no run is ever stopped`
  const suggestion = "a threshold below the window, or window: 0 to say that there is no limit"
  return [finding("threshold_never_reached", ["dead_letters"], message, suggestion)]
}

/** The columns of a CSV source that are read as something else than text; `undefined` for other sources. */
const csvTypes = (source: Use): Readonly<Record<string, unknown>> | undefined => {
  const { format, path, types } = source
  const csv = format === "csv" || (format === undefined && typeof path === "string" && path.endsWith(".csv"))
  if (!csv) return undefined
  return typeof types === "object" && types !== null ? { ...types } : {}
}

/**
 * Everything in a CSV file is text unless `types` says otherwise, so `record.delay > 60` is never true
 * there. The fields are followed up to the next map, which makes new ones.
 */
const numbersAsText = (definition: Definition): ReadonlyArray<Finding> => {
  const texts = new Map<string, Readonly<Record<string, unknown>> | undefined>()
  const findings: Array<Finding> = []
  for (const name of order(definition)) {
    const stage = definition.stages[name]!
    const arriving = stage.from?.length === 1 ? texts.get(stage.from[0]!.stage) : undefined
    const expressions: Array<readonly [ReadonlyArray<string>, string]> = []
    if (stage.filter !== undefined) expressions.push([["filter"], stage.filter])
    const when = stage.from?.length === 1 ? stage.from[0]?.when : undefined
    if (when !== undefined) expressions.push([["from", "when"], when])
    for (const [at, text] of arriving === undefined ? [] : expressions) {
      findings.push(...textCompared(["stages", name, ...at], text, arriving!))
    }
    const types = stage.source === undefined ? undefined : csvTypes(stage.source)
    if (types !== undefined && stage.output !== undefined) {
      findings.push(...textPromised(name, stage.output, types))
    }
    const passes = stage.filter !== undefined || stage.lookup?.into !== undefined
    texts.set(
      name,
      stage.source !== undefined
        ? stage.output === undefined
          ? types
          : undefined
        : passes
          ? arriving
          : undefined
    )
  }
  return findings
}

const textCompared = (
  at: ReadonlyArray<string>,
  text: string,
  types: Readonly<Record<string, unknown>>
): ReadonlyArray<Finding> => {
  const names = recordFields(text)
  const untyped = names.filter((name) => !Object.hasOwn(types, name))
  if (untyped.length === 0 || Result.isFailure(compileCondition(text))) return []
  const fields = new Map<string, Field>(
    names.map((name) => [name, { type: Object.hasOwn(types, name) ? "any" : "string", optional: false }])
  )
  const typed = compileCondition(text, { fields })
  if (Result.isSuccess(typed)) return []
  return [
    finding(
      "number_as_text",
      at,
      `The fields of a CSV file are texts unless types names them: ${typed.failure.message}`,
      `types: { ${untyped[0]}: number } beside the source's path`
    )
  ]
}

const textPromised = (
  name: string,
  output: Readonly<Record<string, unknown>>,
  types: Readonly<Record<string, unknown>>
): ReadonlyArray<Finding> =>
  Object.entries(output).flatMap(([field, type]) =>
    typeof type === "string" && /^(number|integer|boolean)\??$/.test(type) && !Object.hasOwn(types, field)
      ? [
          finding(
            "number_as_text",
            ["stages", name, "output", field],
            `${field} is promised as ${type}, but the fields of a CSV file are texts unless types names them`,
            `types: { ${field}: ${type.replace("?", "")} } beside the source's path`
          )
        ]
      : []
  )

const writtenSecrets = (definition: Definition): ReadonlyArray<Finding> =>
  Object.entries(definition.stages).flatMap(([name, stage]) => {
    const settings = (["source", "lookup", "sink"] as const).map((end) => [[end], stage[end]] as const)
    const all = [...settings, [["service", "headers"], stage.service?.headers] as const]
    return all.flatMap(([at, values]) =>
      Object.entries(values ?? {})
        .filter(([key, value]) => speaksOfSecret(key) && typeof value === "string")
        .map(([key]) =>
          finding(
            "secret_as_text",
            ["stages", name, ...at, key],
            `${key} would be stored with the definition, readable for everyone who may see it`,
            `{ secret: NAME_OF_THE_SECRET }`
          )
        )
    )
  })

/** Headers have dashes where settings have underscores. */
const speaksOfSecret = (key: string): boolean =>
  secretive.test(key.replaceAll("-", "_")) || /^(?:proxy-)?authorization$|^cookie$/i.test(key)
