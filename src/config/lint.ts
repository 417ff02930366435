/**
 * What is allowed in a pipeline and yet most likely not meant.
 *
 * @module
 */
import type { Condition, Definition, Use } from "../../events/Definition.ts"
import { type Finding, finding } from "../../events/Finding.ts"
import { conditionFields } from "../flow/condition/conditionFields.ts"
import { conditionFindings } from "../flow/condition/conditionFindings.ts"
import { constantAnswer } from "../flow/condition/constantAnswer.ts"
import type { Field } from "../flow/contract/Contract.ts"
import { isConstant } from "../flow/expression/Expression.ts"
import { order } from "../flow/graph/order.ts"
import { sourceGroups } from "../flow/graph/sourceGroups.ts"
import { edgeAt } from "../flow/graph/validateStages.ts"
import { secretive } from "./environment.ts"
import { pathsLikeExpressions } from "./lintPaths.ts"

/** Warnings about a definition. */
export const lint = (definition: Definition): ReadonlyArray<Finding> =>
  [
    ...constantFilters(definition),
    ...numbersAsText(definition),
    ...writtenSecrets(definition),
    ...limitsOfNothing(definition),
    ...constantKeys(definition),
    ...settingsWithoutEffect(definition),
    ...mergesNothing(definition),
    ...pathsLikeExpressions(definition),
    ...windowsWithGaps(definition)
  ].map((each) => ({ ...each, severity: "warning" as const }))

const constantFilters = (definition: Definition): ReadonlyArray<Finding> =>
  conditionsOf(definition).flatMap(({ at, condition, name, stage }) => {
    // An edge that says `always` says what every edge means.
    if (condition === "always" && stage !== name) return []
    const constant = constantAnswer(condition)
    if (constant === undefined) return []
    const what = stage === name ? name : `the edge from ${stage} to ${name}`
    const meaning = constant ? "every record passes" : "no record passes"
    return [finding("constant_condition", at, `${what} asks nothing about the record: ${meaning}`)]
  })

interface Placed {
  readonly at: ReadonlyArray<string | number>
  /** The stage whose records are asked, and the one it is written in. */
  readonly stage: string
  readonly name: string
  readonly condition: Condition
}

/** Every condition and where the canonical wire form has it. */
const conditionsOf = ({ stages }: Definition): ReadonlyArray<Placed> =>
  Object.entries(stages).flatMap(([name, stage]) => [
    ...(stage.filter === undefined
      ? []
      : [{ at: ["stages", name, "filter"], condition: stage.filter, name, stage: name }]),
    ...(stage.from ?? []).flatMap((edge, index) =>
      edge.when === undefined
        ? []
        : [{ at: [...edgeAt(name, stage, index), "when"], condition: edge.when, name, stage: edge.stage }]
    )
  ])

/** With one key for all, the first record goes on and no other. */
const constantKeys = ({ stages }: Definition): ReadonlyArray<Finding> =>
  Object.entries(stages).flatMap(([name, { dedupe, service }]) => [
    ...(dedupe !== undefined && isConstant(dedupe.key)
      ? [
          finding(
            "constant_key",
            ["stages", name, "dedupe", "key"],
            `the key of ${name} asks nothing about the record: only the first one passes`,
            "an expression like record.id"
          )
        ]
      : []),
    ...(service?.hash !== undefined && isConstant(service.hash)
      ? [
          finding(
            "constant_key",
            ["stages", name, "service", "hash"],
            `the hash of ${name} asks nothing about the record: one endpoint is asked for everything`,
            "an expression like record.id"
          )
        ]
      : [])
  ])

/** Weights of a service that its way of balancing never looks at, a default that is never taken. */
const settingsWithoutEffect = ({ stages }: Definition): ReadonlyArray<Finding> =>
  Object.entries(stages).flatMap(([name, { lookup, service }]) => {
    if (lookup?.default !== undefined && lookup.on_miss !== "default") {
      const at = ["stages", name, "lookup", "default"]
      const message = `on_miss: ${lookup.on_miss} takes no default`
      return [finding("no_effect", at, message, "on_miss: default")]
    }
    if (service === undefined) return []
    const { balance, endpoints } = service
    const weighs = balance === "weighted" || balance === "consistent_hash"
    if (weighs || endpoints.every(({ weight }) => weight === endpoints[0]?.weight)) return []
    const at = ["stages", name, "service", "endpoints"]
    return [finding("no_effect", at, `${balance} looks at no weight`, "balance: weighted")]
  })

/** Windows that begin less often than they are long overlap; the other way round records fall between them. */
const windowsWithGaps = ({ stages }: Definition): ReadonlyArray<Finding> =>
  Object.entries(stages).flatMap(([name, { aggregate }]) => {
    const window = aggregate?.window
    if (window === undefined || !("sliding" in window) || window.every <= window.sliding) return []
    const at = ["stages", name, "aggregate", "window", "every"]
    const message = `windows begin less often than they are long: what happens between two of them is counted nowhere`
    return [finding("windows_with_gaps", at, message, "an every that is no longer than sliding")]
  })

/** More dead letters than the window has records can never be among them. */
const limitsOfNothing = ({ deadLetters: { threshold, window } }: Definition): ReadonlyArray<Finding> => {
  if (window === 0 || threshold < window) return []
  const message = `more than ${threshold} of ${window} records cannot be dead letters: no run is ever stopped`
  const suggestion = "a threshold below the window, or window: 0 to say that there is no limit"
  return [finding("threshold_never_reached", ["dead_letters"], message, suggestion)]
}

/** Records of one source that meet again are in its order anyway. */
const mergesNothing = (definition: Definition): ReadonlyArray<Finding> => {
  const { merge } = definition
  if (merge === "arrival" || sourceGroups(definition).some((members) => members.length > 1)) return []
  const message = `no two sources meet, so there is nothing to merge by ${merge}`
  return [finding("nothing_to_merge", ["merge"], message, "leave merge out")]
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
    const conditions: Array<readonly [ReadonlyArray<string>, Condition]> = []
    if (stage.filter !== undefined) conditions.push([["filter"], stage.filter])
    const when = stage.from?.length === 1 ? stage.from[0]?.when : undefined
    if (when !== undefined) conditions.push([["from", "when"], when])
    for (const [at, condition] of arriving === undefined ? [] : conditions) {
      findings.push(...textCompared(["stages", name, ...at], condition, arriving!))
    }
    const types = stage.source === undefined ? undefined : csvTypes(stage.source)
    if (types !== undefined && stage.output !== undefined) {
      findings.push(...textPromised(["stages", name, "output"], stage.output, types))
    }
    if (stage.validate !== undefined && arriving !== undefined) {
      const at = ["stages", name, "validate", "contract"]
      findings.push(...textPromised(at, stage.validate.contract, arriving))
    }
    const passes = [stage.filter, stage.validate, stage.dedupe, stage.lookup?.into].some(
      (each) => each !== undefined
    )
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
  condition: Condition,
  types: Readonly<Record<string, unknown>>
): ReadonlyArray<Finding> => {
  const names = conditionFields(condition)
  const untyped = names.filter((name) => !Object.hasOwn(types, name))
  if (untyped.length === 0 || conditionFindings(at, condition, undefined).length > 0) return []
  const fields = new Map<string, Field>(
    names.map((name) => [name, { type: Object.hasOwn(types, name) ? "any" : "string", optional: false }])
  )
  return conditionFindings(at, condition, fields).map(({ message, pointer }) => ({
    ...finding(
      "number_as_text",
      at,
      `The fields of a CSV file are texts unless types names them: ${message}`,
      `types: { ${untyped[0]}: number } beside the source's path`
    ),
    pointer
  }))
}

const textPromised = (
  at: ReadonlyArray<string>,
  output: Readonly<Record<string, unknown>>,
  types: Readonly<Record<string, unknown>>
): ReadonlyArray<Finding> =>
  Object.entries(output).flatMap(([field, type]) =>
    typeof type === "string" && /^(number|integer|boolean)\??$/.test(type) && !Object.hasOwn(types, field)
      ? [
          finding(
            "number_as_text",
            [...at, field],
            `${field} is promised as ${type}, but the fields of a CSV file are texts unless types names them`,
            `types: { ${field}: ${type.replace("?", "")} } beside the source's path`
          )
        ]
      : []
  )

const writtenSecrets = ({ deadLetters, stages }: Definition): ReadonlyArray<Finding> => {
  const all = Object.entries(stages).flatMap(([name, stage]) => [
    ...(["source", "lookup", "sink"] as const).map((end) => [["stages", name, end], stage[end]] as const),
    [["stages", name, "service", "headers"], stage.service?.headers] as const
  ])
  return [...all, [["dead_letters", "sink"], deadLetters.sink] as const].flatMap(([at, values]) =>
    Object.entries(values ?? {})
      .filter(([key, value]) => speaksOfSecret(key) && typeof value === "string")
      .map(([key]) =>
        finding(
          "secret_as_text",
          [...at, key],
          `${key} would be stored with the definition, readable for everyone who may see it`,
          `{ secret: NAME_OF_THE_SECRET }`
        )
      )
  )
}

/** Headers have dashes where settings have underscores. */
const speaksOfSecret = (key: string): boolean =>
  secretive.test(key.replaceAll("-", "_")) || /^(?:proxy-)?authorization$|^cookie$/i.test(key)
