/**
 * A pipeline file as a JSON value whose every part knows its line and column.
 *
 * YAML 1.2 core schema, of which JSON is a part. What YAML can do beyond plain data is bounded or refused
 * here: size, depth, aliases, tags, merge keys, several documents, keys that are no texts.
 *
 * @module
 */
import {
  isAlias,
  isMap,
  isScalar,
  isSeq,
  LineCounter,
  type Node,
  type Pair,
  parseDocument,
  type Scalar
} from "yaml"
import { type Finding, finding } from "../../events/Finding.ts"
import { isForbiddenKey } from "../flow/expression/celEnvironment.ts"
import { type Environment, substitute } from "./environment.ts"
import { type Locate, locator } from "./locate.ts"

/** The bounds of a file; each is a `too_large` or `too_deep` finding. */
export const limits = {
  bytes: 256 * 1024,
  depth: 32,
  aliases: 20,
  values: 20_000,
  syntaxFindings: 20
} as const

export interface ReadDocument {
  /** `undefined` when the text is no document at all. */
  readonly value: unknown
  readonly findings: ReadonlyArray<Finding>
  readonly locate: Locate
}

/**
 * Reads a text; findings have no lines yet, `locate` gives them theirs. Without an environment `${…}` is text
 * like any other. `what` is what findings call the document.
 */
export const readDocument = (
  text: string,
  format: "yaml" | "json",
  environment: Environment | null,
  what = "A pipeline file"
): ReadDocument => {
  const nowhere: Locate = () => ({ line: 1, column: 1 })
  if (text.length > limits.bytes || Buffer.byteLength(text) > limits.bytes) {
    const message = `${what} has at most ${limits.bytes / 1024} KiB`
    return { value: undefined, findings: [finding("too_large", [], message)], locate: nowhere }
  }
  const strict = format === "json" ? jsonFindings(text) : []
  if (strict.length > 0) return { value: undefined, findings: strict, locate: nowhere }
  const lines = new LineCounter()
  // Duplicate keys and aliases are watched by `convert`: the parser's own check for duplicates takes time
  // quadratic in the keys, and its alias limit comes only after the fact.
  const document = withoutStacks(() =>
    parseDocument(text, {
      version: "1.2",
      schema: "core",
      merge: false,
      uniqueKeys: false,
      prettyErrors: false,
      lineCounter: lines
    })
  )
  const locate = locator(document.contents, lines)
  const syntax = [...document.errors, ...document.warnings].slice(0, limits.syntaxFindings).map((error) => {
    const { line, col } = lines.linePos(error.pos[0])
    return {
      ...syntaxFinding(error.code, error.message, format, what),
      line: Math.max(1, line),
      column: Math.max(1, col)
    }
  })
  const tooDeep = syntax.filter(({ code }) => code === "too_deep").slice(0, 1)
  if (syntax.length > 0) return { value: undefined, findings: tooDeep.length > 0 ? tooDeep : syntax, locate }
  const { findings, stopped, value } = new Conversion(document.contents, environment, what)
  return { value: stopped ? undefined : value, findings, locate }
}

/** The parser makes an error of every mistake, and a text can be nothing else: their stacks would take most of the time. */
const withoutStacks = <A>(parse: () => A): A => {
  const limit = Error.stackTraceLimit
  Error.stackTraceLimit = 0
  try {
    return parse()
  } finally {
    Error.stackTraceLimit = limit
  }
}

const syntaxFinding = (code: string, message: string, format: "yaml" | "json", what: string): Finding => {
  if (code === "RESOURCE_EXHAUSTION") {
    return finding("too_deep", [], `${what} is at most ${limits.depth} levels deep`)
  }
  if (code === "MULTIPLE_DOCS") {
    return finding("several_documents", [], "One file holds one pipeline", "A file for each of them")
  }
  return finding(`${format}_syntax`, [], message.split("\n")[0] ?? message)
}

const jsonFindings = (text: string): ReadonlyArray<Finding> => {
  try {
    JSON.parse(text)
    return []
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error)
    const [, line, column] = /\(line (\d+) column (\d+)\)/.exec(message) ?? []
    const place = { line: Number(line ?? 1), column: Number(column ?? 1) }
    return [{ ...finding("json_syntax", [], message), ...place }]
  }
}

/** Does the number stand for other digits than the ones that are written? */
const isInexact = (value: number, source: string): boolean =>
  !Number.isSafeInteger(value) && String(value) !== source.replace("+", "")

type Path = ReadonlyArray<string | number>

class Conversion {
  readonly value: unknown
  readonly findings: Array<Finding> = []
  readonly #environment: Environment | null
  readonly #what: string
  readonly #anchors = new Map<string, Node>()
  #aliases = 0
  #values = 0
  stopped = false

  constructor(root: Node | null, environment: Environment | null, what: string) {
    this.#environment = environment
    this.#what = what
    this.value = this.#convert(root, [], false)
  }

  #complain(code: string, at: Path, message: string, suggestion?: string): undefined {
    this.findings.push(finding(code, at, message, suggestion))
  }

  /** A bound was hit: one finding, and the rest is not looked at. */
  #stop(code: string, at: Path, message: string): undefined {
    if (!this.stopped) this.#complain(code, at, message)
    this.stopped = true
  }

  #convert(node: Node | null, at: Path, aliased: boolean): unknown {
    if (this.stopped) return undefined
    if (at.length > limits.depth) {
      return this.#stop("too_deep", at, `${this.#what} is at most ${limits.depth} levels deep`)
    }
    if (++this.#values > limits.values) {
      return this.#stop(
        "too_large",
        at,
        `${this.#what} has at most ${limits.values} values, aliases counted out`
      )
    }
    if (node === null) return null
    if (isAlias(node)) return this.#follow(node.source, at)
    if (!aliased && node.anchor !== undefined) this.#anchors.set(node.anchor, node)
    if (isMap(node))
      return this.#map(node.items as ReadonlyArray<Pair<Node | null, Node | null>>, at, aliased)
    if (isSeq(node)) {
      return (node.items as ReadonlyArray<Node | null>).map((item, index) =>
        this.#convert(item, [...at, index], aliased)
      )
    }
    return isScalar(node) ? this.#scalar(node, at) : null
  }

  #follow(name: string, at: Path): unknown {
    if (++this.#aliases > limits.aliases) {
      return this.#stop("too_large", at, `${this.#what} has at most ${limits.aliases} aliases`)
    }
    const target = this.#anchors.get(name)
    if (target === undefined)
      return this.#complain("yaml_syntax", at, `There is no anchor ${name} before this alias`)
    return this.#convert(target, at, true)
  }

  #map(pairs: ReadonlyArray<Pair<Node | null, Node | null>>, at: Path, aliased: boolean): unknown {
    const converted: Record<string, unknown> = {}
    for (const pair of pairs) {
      const key = this.#key(pair.key, at)
      if (key === undefined) continue
      const here = [...at, key]
      if (isForbiddenKey(key)) this.#complain("forbidden_key", here, `${key} is refused as a key`)
      else if (key === "<<") {
        this.#complain(
          "merge_key",
          here,
          "Merge keys are not supported",
          "Repeat the keys, or use an alias for a whole value"
        )
      } else if (Object.hasOwn(converted, key)) this.#complain("duplicate_key", here, `${key} is there twice`)
      else converted[key] = this.#convert(pair.value, here, aliased)
    }
    return converted
  }

  #key(node: unknown, at: Path): string | undefined {
    const value = isScalar(node) ? node.value : undefined
    if (typeof value === "string") return value
    if (value === undefined || value === null) return this.#complain("bad_key", at, "A key is a text")
    this.#complain("bad_key", [...at, String(value)], `The key ${value} is no text`, `"${value}"`)
    return String(value)
  }

  #scalar({ source, value }: Scalar, at: Path): unknown {
    switch (typeof value) {
      case "string":
        if (this.#environment === null) return value
        return substitute(value, this.#environment, ({ code, message, suggestion }) => {
          const severity = code === "unset_variable" ? "error" : "warning"
          this.findings.push({ ...finding(code, at, message, suggestion), severity })
        })
      case "number":
        if (!Number.isFinite(value)) return this.#complain("bad_value", at, `${value} is no JSON number`)
        if (source !== undefined && /^[-+]?[0-9]+$/.test(source) && isInexact(value, source)) {
          return this.#complain("bad_value", at, "The number is too large to be exact", "Put it in quotes")
        }
        return value
      case "boolean":
        return value
      default:
        return null
    }
  }
}
