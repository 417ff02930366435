/**
 * What the settings of a stage say that cannot be: of explode, validate and dedupe.
 *
 * @module
 */
import { Result } from "effect"
import type { Dedupe, Explode, Stage, Validate } from "../../../events/Definition.ts"
import { type Finding, finding } from "../../../events/Finding.ts"
import { agree, compileContract, type Fields } from "../contract/Contract.ts"
import { isForbiddenKey } from "../expression/celEnvironment.ts"
import { compileValue } from "../expression/Expression.ts"
import { badContract, mismatch } from "./contractFindings.ts"
import { expressionFindings } from "./expressionFindings.ts"
import { fieldAt, pathFindings } from "./pathFindings.ts"

type Path = ReadonlyArray<string | number>

/** `fields` is what is known of the records that arrive. */
export const kindFindings = (
  name: string,
  stage: Stage,
  fields: Fields | undefined
): ReadonlyArray<Finding> => {
  const { dedupe, explode, validate } = stage
  const at = (kind: string): Path => ["stages", name, kind]
  return [
    ...(explode === undefined ? [] : explodeFindings(at("explode"), explode, fields)),
    ...(validate === undefined ? [] : validateFindings(at("validate"), validate, fields)),
    ...(dedupe === undefined ? [] : dedupeFindings(at("dedupe"), dedupe, fields))
  ]
}

const explodeFindings = (
  at: Path,
  { field, into }: Explode,
  fields: Fields | undefined
): ReadonlyArray<Finding> => {
  const findings = [...pathFindings([...at, "field"], field, fields)]
  const type = fieldAt(field, fields)?.type
  if (type !== undefined && type !== "array" && type !== "any") {
    const message = `${field} is of type ${type} here; only a list can become many records`
    findings.push(finding("contract_mismatch", [...at, "field"], message))
  }
  if (into !== undefined && isForbiddenKey(into)) {
    findings.push(finding("forbidden_key", [...at, "into"], `${into} is refused as the name of a field`))
  }
  return findings
}

/** What arrives may well be wrong, which is why it is validated; what can never be right is a mistake. */
const validateFindings = (
  at: Path,
  { contract }: Validate,
  fields: Fields | undefined
): ReadonlyArray<Finding> => {
  const compiled = compileContract(contract)
  if (Result.isFailure(compiled)) return [badContract([...at, "contract"], compiled.failure)]
  const present =
    fields && new Map([...fields].map(([field, known]) => [field, { ...known, optional: false }]))
  return agree(present, compiled.success.fields).map((violation) => mismatch([...at, "contract"], violation))
}

const dedupeFindings = (at: Path, { key }: Dedupe, fields: Fields | undefined): ReadonlyArray<Finding> =>
  expressionFindings([...at, "key"], compileValue(key, { fields }))
