/**
 * What is wrong with the service of a stage, before anybody asks it.
 *
 * @module
 */
import { Result } from "effect"
import type { Service } from "../../../events/Definition.ts"
import { type Finding, finding } from "../../../events/Finding.ts"
import type { Fields } from "../contract/Contract.ts"
import { compileValue } from "../expression/Expression.ts"

type Path = ReadonlyArray<string | number>

/** `fields` are those of the records that arrive, where they are known. */
export const serviceFindings = (
  name: string,
  service: Service | undefined,
  fields: Fields | undefined
): ReadonlyArray<Finding> => {
  if (service === undefined) return []
  const at = ["stages", name, "service"]
  return [
    ...endpointFindings(at, service),
    ...hashFindings(at, service, fields),
    ...headerFindings(at, service),
    ...timeFindings(at, service),
    ...healthFindings(at, service)
  ]
}

const endpointFindings = (at: Path, { endpoints }: Service): ReadonlyArray<Finding> => {
  const known = new Set<string>()
  return endpoints.flatMap(({ url }, index) => {
    const where = [...at, "endpoints", index, "url"]
    if (!URL.canParse(url)) {
      return [finding("bad_url", where, `${url} is no URL`, "http://host:port/path")]
    }
    const parsed = new URL(url)
    if (parsed.protocol !== "http:" && parsed.protocol !== "https:") {
      return [finding("bad_url", where, `a service is asked over http or https, not ${parsed.protocol}`)]
    }
    // The text is not repeated here: what stands in it is secret.
    if (parsed.username !== "" || parsed.password !== "") {
      const suggestion = "headers: { authorization: { secret: NAME } }"
      return [
        finding(
          "secret_as_text",
          where,
          "the URL would be stored with the name and password in it",
          suggestion
        )
      ]
    }
    if (parsed.hash !== "") return [finding("bad_url", where, "what stands behind # is never sent")]
    if (known.has(parsed.href)) {
      return [
        finding("duplicate_endpoint", where, `${url} is there already`, "weight: its share among the others")
      ]
    }
    known.add(parsed.href)
    return []
  })
}

const hashFindings = (
  at: Path,
  { balance, hash }: Service,
  fields: Fields | undefined
): ReadonlyArray<Finding> => {
  if (hash === undefined) {
    const message = "consistent_hash needs a hash: which records belong to one endpoint?"
    return balance === "consistent_hash"
      ? [finding("missing_key", [...at, "hash"], message, "hash: key")]
      : []
  }
  if (balance !== "consistent_hash") {
    return [finding("bad_value", [...at, "hash"], `${balance} asks for no hash`, "balance: consistent_hash")]
  }
  const compiled = compileValue(hash, { fields })
  if (Result.isSuccess(compiled)) return []
  const { message, suggestion } = compiled.failure
  return [finding("bad_expression", [...at, "hash"], message, suggestion)]
}

/** The engine writes these itself, or the connection does. */
const ownHeaders = new Set([
  "accept",
  "connection",
  "content-length",
  "content-type",
  "expect",
  "host",
  "keep-alive",
  "te",
  "trailer",
  "transfer-encoding",
  "upgrade"
])
const headerName = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/

const headerFindings = (at: Path, { headers = {} }: Service): ReadonlyArray<Finding> => {
  const known = new Set<string>()
  return Object.entries(headers).flatMap(([name, value]) => {
    const where = [...at, "headers", name]
    const lower = name.toLowerCase()
    if (!headerName.test(name)) return [finding("bad_name", where, `${name} is no name of a header`)]
    if (ownHeaders.has(lower))
      return [finding("bad_name", where, `the header ${name} is written by the engine`)]
    if (known.has(lower)) return [finding("duplicate_key", where, `the header ${name} is there already`)]
    known.add(lower)
    return typeof value === "string" && /[\r\n\0]/.test(value)
      ? [finding("bad_value", where, `the value of ${name} is more than one line`)]
      : []
  })
}

const timeFindings = (at: Path, { health, timeout }: Service): ReadonlyArray<Finding> => [
  ...(timeout > 0 ? [] : [finding("bad_value", [...at, "timeout"], "no service answers within 0 ms", "10s")]),
  ...(health === undefined || health.interval > 0
    ? []
    : [finding("bad_value", [...at, "health", "interval"], "a pause of 0 ms is none", "10s")])
]

const healthFindings = (at: Path, { health }: Service): ReadonlyArray<Finding> =>
  health === undefined || /^\/(?!\/)/.test(health.path)
    ? []
    : [
        finding(
          "bad_value",
          [...at, "health", "path"],
          `${health.path} is no path of the endpoints`,
          "/health"
        )
      ]
