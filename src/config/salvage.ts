/**
 * The part of a faulty document that still makes a definition, so that the graph can be looked at although
 * a setting is misspelt, and a person sees all findings at once.
 *
 * @module
 */
import { Result, Schema } from "effect"
import { Definition } from "../../events/Definition.ts"
import { type Finding, pointer } from "../../events/Finding.ts"
import { schemaFindings } from "../flow/graph/schemaFindings.ts"

export interface Salvaged {
  readonly definition: Definition | undefined
  /** What the schema has against the document as it is written. */
  readonly findings: ReadonlyArray<Finding>
  /** A finding about the salvaged definition as one about the document; `undefined` when salvaging caused it. */
  readonly trace: (finding: Finding) => Finding | undefined
}

type Json = Record<string, unknown>

/** Decodes, and while that fails, mends or takes out what the findings point at. */
export const salvage = (document: unknown): Salvaged => {
  const first = decode(document)
  if (Result.isSuccess(first)) {
    return { definition: first.success, findings: [], trace: (finding) => finding }
  }
  if (!isMapping(document) || !isMapping(document.stages)) {
    return { definition: undefined, findings: first.failure, trace: () => undefined }
  }
  const mended = new Mended(structuredClone(document))
  let findings = first.failure
  // Taking one thing out can uncover another; each round removes something, a few are enough.
  for (let round = 0; round < 12; round++) {
    for (const finding of findings) mended.mend(finding)
    const again = decode(mended.document)
    if (Result.isSuccess(again)) {
      return {
        definition: again.success,
        findings: first.failure,
        trace: (finding) => mended.trace(finding, again.success)
      }
    }
    findings = again.failure
  }
  return { definition: undefined, findings: first.failure, trace: () => undefined }
}

const decode = (document: unknown): Result.Result<Definition, ReadonlyArray<Finding>> =>
  Result.mapError(
    Schema.decodeUnknownResult(Definition)(document, { errors: "all", onExcessProperty: "error" }),
    (error) => schemaFindings(error.issue, [], document)
  )

class Mended {
  readonly document: Json
  /** Pointers as mended to pointers as written. */
  readonly #renamed = new Map<string, string>()
  readonly #stages = new Set<string>()

  constructor(document: Json) {
    this.document = document
  }

  mend(finding: Finding): void {
    const path = finding.pointer
      .split("/")
      .slice(1)
      .map((part) => part.replaceAll("~1", "/").replaceAll("~0", "~"))
    if (path[0] === "stages" && path[1] !== undefined) this.#stages.add(path[1])
    const key = path.at(-1)
    if (key === undefined) return
    const owner = this.#at(path.slice(0, -1))
    const condition = conditionOf(path)
    if (finding.code === "missing_key") {
      if (condition === undefined) this.#fill(path, owner)
      else this.#remove(condition)
    } else if (finding.code === "unknown_key") {
      if (isMapping(owner)) this.#rename(owner, path, finding.suggestion)
    } else {
      this.#remove(condition ?? path)
    }
  }

  #fill(path: ReadonlyArray<string>, owner: unknown): void {
    const key = path.at(-1)!
    if (path.length > 1) this.#remove(path.slice(0, -1))
    else if (isMapping(owner)) owner[key] = "unnamed"
  }

  #rename(owner: Json, path: ReadonlyArray<string>, suggestion: string | undefined): void {
    const key = path.at(-1)!
    const plain = suggestion !== undefined && !suggestion.includes(" ") && !Object.hasOwn(owner, suggestion)
    if (plain) {
      owner[suggestion] = owner[key]
      this.#renamed.set(pointer([...path.slice(0, -1), suggestion]), pointer(path))
    }
    delete owner[key]
  }

  #remove(path: ReadonlyArray<string>): void {
    const key = path.at(-1)
    const owner = this.#at(path.slice(0, -1))
    if (path.length === 1 && key === "name" && isMapping(owner)) owner[key] = "unnamed"
    // The stage stays as a name, so that edges from it are no findings of their own.
    else if (path.length === 2 && path[0] === "stages" && isMapping(owner) && !isMapping(owner[key!]))
      owner[key!] = {}
    else if (Array.isArray(owner)) this.#remove(path.slice(0, -1))
    else if (isMapping(owner) && key !== undefined) delete owner[key]
  }

  #at(path: ReadonlyArray<string>): unknown {
    return path.reduce<unknown>(
      (inner, key) =>
        typeof inner === "object" && inner !== null && Object.hasOwn(inner, key)
          ? (inner as Json)[key]
          : undefined,
      this.document
    )
  }

  trace(finding: Finding, definition: Definition): Finding | undefined {
    const [, top, stage] = finding.pointer.split("/")
    const touched = top === "stages" && stage !== undefined && this.#stages.has(stage)
    if (touched && structural.has(finding.code)) return undefined
    const anyTouched = this.#stages.size > 0
    if (anyTouched && ofTheWhole.has(finding.code)) return undefined
    const someUnfed = [...this.#stages].some((name) => definition.stages[name]?.from === undefined)
    if (someUnfed && finding.code === "dead_end") return undefined
    for (const [mended, written] of this.#renamed) {
      if (finding.pointer === mended || finding.pointer.startsWith(`${mended}/`)) {
        return { ...finding, pointer: written + finding.pointer.slice(mended.length) }
      }
    }
    return finding
  }
}

/** The path of the condition that a path leads into: half a condition would be another one, so it goes as a whole. */
const conditionOf = (path: ReadonlyArray<string>): ReadonlyArray<string> | undefined => {
  if (path[0] !== "stages") return undefined
  if (path[2] === "filter") return path.slice(0, 3)
  const when = path[2] === "from" ? path.indexOf("when", 3) : -1
  return when === -1 ? undefined : path.slice(0, when + 1)
}

/** Findings that any stage may bring about out of which something was taken. */
const ofTheWhole = new Set(["no_source", "no_sink", "disconnected"])

/** Findings that a stage may have only because something was taken out of it. */
const structural = new Set(["stage_kind", "missing_from", "dead_end", "unreachable"])

const isMapping = (value: unknown): value is Json =>
  typeof value === "object" && value !== null && !Array.isArray(value)
