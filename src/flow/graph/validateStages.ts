/**
 * The expressions and contracts of a definition, each checked against what is known of its records.
 *
 * @module
 */
import { Result } from "effect"
import { type Definition, isMapEdit, type MapStage, type Stage } from "../../../events/Definition.ts"
import { type Finding, finding } from "../../../events/Finding.ts"
import { conditionFindings } from "../condition/conditionFindings.ts"
import { agree, compileContract, type Fields } from "../contract/Contract.ts"
import { isForbiddenKey } from "../expression/celEnvironment.ts"
import { compileValue } from "../expression/Expression.ts"
import { aggregateFindings } from "./aggregateFindings.ts"
import { badContract, mismatch } from "./contractFindings.ts"
import { expressionFindings } from "./expressionFindings.ts"
import { type StageFields, stageFields } from "./fields.ts"
import { kindFindings } from "./kindFindings.ts"
import { serviceFindings } from "./serviceFindings.ts"
import { timeFindings } from "./validateTime.ts"

type Path = ReadonlyArray<string | number>

/** Findings about single stages. */
export const validateStages = (definition: Definition): ReadonlyArray<Finding> => {
  const known = stageFields(definition)
  return Object.entries(definition.stages).flatMap(([name, stage]) => {
    const fields = known.get(name)!
    return [
      ...edgeConditions(name, stage, known),
      ...(stage.filter === undefined
        ? []
        : conditionFindings(["stages", name, "filter"], stage.filter, fields.input)),
      ...mapFindings(name, stage.map, fields.input),
      ...lookupFindings(name, stage, fields.input),
      ...kindFindings(name, stage, fields.input),
      ...timeFindings(name, stage, fields.output),
      ...(stage.aggregate === undefined ? [] : aggregateFindings(name, stage.aggregate, fields.input)),
      ...serviceFindings(name, stage.service, fields.input),
      ...contractFindings(name, stage, fields)
    ]
  })
}

/** Where the canonical wire form has the edge: directly under `from` when it is the only one. */
export const edgeAt = (name: string, stage: Stage, index: number): ReadonlyArray<string | number> =>
  stage.from?.length === 1 ? ["stages", name, "from"] : ["stages", name, "from", index]

const edgeConditions = (
  name: string,
  stage: Stage,
  known: ReadonlyMap<string, StageFields>
): ReadonlyArray<Finding> =>
  (stage.from ?? []).flatMap((edge, index) =>
    edge.when === undefined
      ? []
      : conditionFindings([...edgeAt(name, stage, index), "when"], edge.when, known.get(edge.stage)?.output)
  )

const mapFindings = (
  name: string,
  map: MapStage | undefined,
  fields: Fields | undefined
): ReadonlyArray<Finding> => {
  if (map === undefined) return []
  const edit = isMapEdit(map)
  const at = edit ? ["stages", name, "map", "set"] : ["stages", name, "map"]
  const expressions = edit ? (map.set ?? {}) : (map as Readonly<Record<string, string>>)
  return Object.entries(expressions).flatMap(([field, text]) =>
    isForbiddenKey(field)
      ? [forbidden([...at, field], field)]
      : expressionFindings([...at, field], compileValue(text, { fields }))
  )
}

const forbidden = (at: Path, field: string): Finding =>
  finding("forbidden_key", at, `${field} is refused as the name of a field`)

const lookupFindings = (name: string, stage: Stage, fields: Fields | undefined): ReadonlyArray<Finding> => {
  const { lookup } = stage
  if (lookup === undefined) return []
  const at = ["stages", name, "lookup"]
  const findings: Array<Finding> = []
  if (lookup.into !== undefined && isForbiddenKey(lookup.into)) {
    findings.push(forbidden([...at, "into"], lookup.into))
  }
  if (Object.keys(lookup.match).length === 0) {
    findings.push(
      finding("bad_value", [...at, "match"], "match names no field: which row would belong to a record?")
    )
  }
  for (const field of Object.keys(lookup.match)) {
    if (fields === undefined || fields.has(field)) continue
    findings.push(finding("unknown_field", [...at, "match", field], `No field ${field} arrives at ${name}`))
  }
  if (lookup.on_miss === "default" && lookup.default === undefined) {
    findings.push(finding("missing_key", [...at, "default"], "on_miss: default needs a default"))
  }
  if (lookup.into === undefined && lookup.default !== undefined && !isMapping(lookup.default)) {
    const message = "without into the default's fields join the record: it must be a mapping"
    findings.push(finding("bad_value", [...at, "default"], message, "into: the field it goes to"))
  }
  if (lookup.ask?.timeout === 0) {
    findings.push(finding("bad_value", [...at, "ask", "timeout"], "no table answers within 0 ms"))
  }
  return findings
}

const isMapping = (value: unknown): boolean =>
  typeof value === "object" && value !== null && !Array.isArray(value)

const contractFindings = (name: string, stage: Stage, fields: StageFields): ReadonlyArray<Finding> => {
  if (stage.output === undefined) return []
  const at = ["stages", name, "output"]
  const contract = compileContract(stage.output)
  if (Result.isFailure(contract)) return [badContract(at, contract.failure)]
  return agree(fields.made, contract.success.fields).map((violation) => mismatch(at, violation))
}
