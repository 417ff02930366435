/**
 * What a schema has against a value, as findings in plain words: every issue, each with its place.
 *
 * @module
 */
import { type SchemaAST, SchemaIssue } from "effect"
import { type Finding, finding } from "../../../events/Finding.ts"
import { nearest } from "../../../events/nearest.ts"

type Path = ReadonlyArray<PropertyKey>

/**
 * The findings of one issue. `at` is where the value stands in the document, `value` the value itself.
 * Where a schema allows alternatives, only the one that the value comes nearest to is reported on.
 */
export const schemaFindings = (
  issue: SchemaIssue.Issue,
  at: Path,
  value: unknown
): ReadonlyArray<Finding> => {
  switch (issue._tag) {
    case "Pointer": {
      const path = asWritten(issue.path, value)
      return schemaFindings(issue.issue, [...at, ...path], valueAt(value, path))
    }
    case "Composite":
      return issue.issues.flatMap((each) => schemaFindings(each, at, value))
    case "Encoding":
      return schemaFindings(issue.issue, at, value)
    case "AnyOf":
      return alternatives(issue, at, value)
    case "Filter":
      return filtered(issue, at, value)
    case "UnexpectedKey":
      return [unexpected(issue.ast, at)]
    case "MissingKey":
      return [missing(at, issue.annotations?.messageMissingKey)]
    case "InvalidType":
      return [wrongType(issue.ast, at, value)]
    default:
      return [finding("bad_value", at, `${subject(at)}: ${format(issue)}`)]
  }
}

const format = SchemaIssue.makeFormatterDefault()

/** Issues found after the keys were renamed speak of `maxBuffering` where the document has `max_buffering`. */
const asWritten = (path: Path, value: unknown): Path => {
  let owner = value
  return path.map((key) => {
    const snake = String(key).replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)
    const renamed = isOwner(owner) && !Object.hasOwn(owner, key) && Object.hasOwn(owner, snake)
    owner = valueAt(owner, [renamed ? snake : key])
    return renamed ? snake : key
  })
}

const isOwner = (value: unknown): value is object => typeof value === "object" && value !== null

const valueAt = (value: unknown, path: Path): unknown =>
  path.reduce<unknown>(
    (inner, key) =>
      typeof inner === "object" && inner !== null && Object.hasOwn(inner, key)
        ? (inner as Record<PropertyKey, unknown>)[key]
        : undefined,
    value
  )

const subject = (at: Path): string => {
  const key = at.at(-1)
  if (key === undefined) return "the document"
  return typeof key === "number" ? `item ${key + 1} of ${String(at.at(-2) ?? "the list")}` : String(key)
}

const unexpected = (ast: SchemaAST.AST, at: Path): Finding => {
  const key = String(at.at(-1))
  const known = knownKeys(ast)
  if (ast._tag === "Objects" && ast.indexSignatures.length > 0) {
    return finding("bad_name", at, `${key} cannot be a name here`, nameRule)
  }
  const near = nearest(key, known)
  const others = known.length === 0 ? undefined : `one of ${known.join(", ")}`
  return finding("unknown_key", at, `${key} is not known here`, near ?? others)
}

const nameRule = "1 to 100 letters, digits, _ or -"

const knownKeys = (ast: SchemaAST.AST): ReadonlyArray<string> =>
  ast._tag === "Objects" ? ast.propertySignatures.map(({ name }) => String(name)) : []

/** What a schema has to say about a key that is missing is what to write there. */
const missing = (at: Path, wanted: string | undefined): Finding => {
  const owner = at.length > 1 ? subject(at.slice(0, -1)) : "the document"
  return finding("missing_key", at, `${owner} lacks ${String(at.at(-1))}`, wanted)
}

const wrongType = (ast: SchemaAST.AST, at: Path, value: unknown): Finding =>
  finding("wrong_type", at, `${subject(at)} takes ${describe(ast)}, not ${shown(value)}`)

const filtered = (issue: SchemaIssue.Filter, at: Path, value: unknown): ReadonlyArray<Finding> => {
  // A check over a whole object names the fields it is about.
  if (issue.issue._tag === "Pointer" || issue.issue._tag === "Composite") {
    return schemaFindings(issue.issue, at, value)
  }
  const rule = issue.filter.annotations?.message ?? issue.filter.annotations?.expected
  const told = issue.issue._tag === "InvalidValue" ? issue.issue.annotations?.message : undefined
  if (typeof told === "string") return [finding("bad_value", at, `${subject(at)}: ${told}`)]
  const takes = typeof rule === "string" ? rule : "another value"
  return [finding("bad_value", at, `${subject(at)} takes ${takes}, not ${shown(value)}`)]
}

const alternatives = (issue: SchemaIssue.AnyOf, at: Path, value: unknown): ReadonlyArray<Finding> => {
  const options = literals(issue.ast)
  if (options.length > 0 && typeof value === "string") {
    return [
      finding(
        "bad_value",
        at,
        `${subject(at)} takes ${describe(issue.ast)}, not ${shown(value)}`,
        nearest(value, options)
      )
    ]
  }
  // Which alternative was meant? The one that knows most of the keys, then the one with the least to object to.
  const [best] = issue.issues
    .map((each) => {
      const findings = schemaFindings(each, at, value)
      return { findings, foreign: findings.reduce((sum, found) => sum + foreignness(found), 0) }
    })
    .sort((left, right) => left.foreign - right.foreign || left.findings.length - right.findings.length)
  if (best === undefined) return [wrongType(issue.ast, at, value)]
  if (!isOwner(value) || Array.isArray(value)) return best.findings
  const strange = best.findings.filter((found) => found.code === "unknown_key" && foreignness(found) === 1)
  // Not one of its keys is known, nor nearly: then no alternative was meant more than another.
  if (strange.length === Object.keys(value).length) return [wrongType(issue.ast, at, value)]
  return withoutEchoes(best.findings)
}

/** A key that is nearly one the alternative knows speaks half as much against it. */
const foreignness = ({ code, suggestion }: Finding): number =>
  code === "missing_key" ? 1 : code === "unknown_key" ? (isName(suggestion) ? 0.5 : 1) : 0

const isName = (suggestion: string | undefined): suggestion is string =>
  suggestion !== undefined && !suggestion.includes(" ")

/** A key that is misspelt is missing by the same mistake. */
const withoutEchoes = (findings: ReadonlyArray<Finding>): ReadonlyArray<Finding> => {
  const meant = new Set(
    findings.flatMap(({ code, pointer, suggestion }) =>
      code === "unknown_key" && isName(suggestion)
        ? [`${pointer.slice(0, pointer.lastIndexOf("/"))}/${suggestion}`]
        : []
    )
  )
  return meant.size === 0
    ? findings
    : findings.filter(({ code, pointer }) => code !== "missing_key" || !meant.has(pointer))
}

const literals = (ast: SchemaAST.AST): ReadonlyArray<string> => {
  if (ast._tag === "Literal") return [String(ast.literal)]
  return ast._tag === "Union" ? ast.types.flatMap(literals) : []
}

/** What a schema takes, in words; its own words (`expected`, or a check's `message`) where it has them. */
const describe = (ast: SchemaAST.AST): string => {
  const told = ast.annotations?.expected ?? ast.checks?.at(-1)?.annotations?.message
  if (typeof told === "string") return told
  switch (ast._tag) {
    case "String":
      return "a text"
    case "Number":
      return "a number"
    case "Boolean":
      return "true or false"
    case "Null":
      return "nothing"
    case "Literal":
      return String(ast.literal)
    case "Arrays":
      return "a list"
    case "Objects":
      return "a mapping"
    case "Union":
      return [...new Set(ast.types.map(describe))].join(" or ")
    default:
      return "another value"
  }
}

const shown = (value: unknown): string => {
  if (value === undefined || value === null) return "nothing"
  if (Array.isArray(value)) return "a list"
  if (typeof value === "object") return "a mapping"
  const text = typeof value === "string" ? JSON.stringify(value) : String(value)
  return text.length > 60 ? `${text.slice(0, 57)}…` : text
}
