/**
 * What the settings of a stage say that cannot be: of explode, validate, dedupe and service.
 *
 * @module
 */
import { Result } from "effect"
import type { Dedupe, Explode, Service, Stage, Validate } from "../../../events/Definition.ts"
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
  const { dedupe, explode, service, validate } = stage
  const at = (kind: string): Path => ["stages", name, kind]
  return [
    ...(explode === undefined ? [] : explodeFindings(at("explode"), explode, fields)),
    ...(validate === undefined ? [] : validateFindings(at("validate"), validate, fields)),
    ...(dedupe === undefined ? [] : dedupeFindings(at("dedupe"), dedupe, fields)),
    ...(service === undefined ? [] : serviceFindings(at("service"), service, fields))
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

const serviceFindings = (
  at: Path,
  { balance, endpoints, hash }: Service,
  fields: Fields | undefined
): ReadonlyArray<Finding> => [
  ...endpoints.flatMap(({ url }, index) => {
    const place = [...at, "endpoints", index, "url"]
    if (!isHttpUrl(url)) {
      return [
        finding("bad_value", place, `${url} is no address of a service`, "http:// or https://, and a host")
      ]
    }
    const twin = endpoints.findIndex((other) => other.url === url)
    return twin === index
      ? []
      : [finding("duplicate_endpoint", place, `${url} is there twice`, "a weight says how much one is to do")]
  }),
  ...(hash === undefined ? [] : expressionFindings([...at, "hash"], compileValue(hash, { fields }))),
  ...(balance === "consistent_hash" && hash === undefined
    ? [finding("missing_key", [...at, "hash"], "consistent_hash needs a hash: what decides who is asked")]
    : [])
]

const isHttpUrl = (text: string): boolean => {
  const url = URL.parse(text)
  return url !== null && (url.protocol === "http:" || url.protocol === "https:")
}
