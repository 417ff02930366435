/**
 * Pipeline files: a text in, a definition and everything there is to say about it out; and back again.
 *
 * @module
 */
import { stringify } from "yaml"
import { type Definition, encodeDefinition } from "../../events/Definition.ts"
import { type Finding, finding, isError } from "../../events/Finding.ts"
import type { Driver } from "../drivers/Driver.ts"
import { isSecret, validateDrivers } from "../flow/graph/validateDrivers.ts"
import { validateGraph } from "../flow/graph/validateGraph.ts"
import { scheduleFindings } from "../schedule/scheduleFindings.ts"
import { continuousFindings } from "./continuous.ts"
import { readDocument } from "./document.ts"
import type { Environment } from "./environment.ts"
import { lint } from "./lint.ts"
import { placed } from "./placed.ts"
import { salvage } from "./salvage.ts"

export type { Environment } from "./environment.ts"

export interface PipelineFileInput {
  readonly text: string
  /** The file's own name; `.json` makes it JSON. */
  readonly path?: string | undefined
  readonly format?: "yaml" | "json" | undefined
  readonly environment: Environment
  /** The name the pipeline has, whatever the text says; it may then leave its own out. */
  readonly name?: string | undefined
  /** Without drivers, their settings are not looked at. */
  readonly drivers?: ReadonlyMap<string, Driver> | undefined
  /** The folder relative paths resolve against; needed to see two ends on one file. */
  readonly base?: string | undefined
}

export interface PipelineFile {
  /** There when no finding is an error. */
  readonly definition?: Definition
  /** In the order of the text. */
  readonly findings: ReadonlyArray<Finding>
}

/** Reads a pipeline file. It never fails: what is wrong is in the findings. */
export const parsePipelineFile = (input: PipelineFileInput): PipelineFile => {
  const format = input.format ?? (input.path?.endsWith(".json") === true ? "json" : "yaml")
  const document = readDocument(input.text, format, input.environment)
  if (document.value === undefined) return { findings: placed(document.findings, document.locate) }
  const { misnamed, value } = named(document.value, input.name)
  const { definition, findings, trace } = salvage(value)
  const checked =
    definition === undefined ? [] : check(definition, input).flatMap((each) => trace(each) ?? [])
  const found = [...misnamed, ...findings, ...checked.map((each) => asWritten(each, value))]
  const all = placed([...document.findings, ...found.filter(isNews(document.findings))], document.locate)
  return definition === undefined || all.some(isError) ? { findings: all } : { definition, findings: all }
}

/** Everything a decoded definition is checked for; pointers are those of the canonical wire form. */
export const check = (
  definition: Definition,
  options: Pick<PipelineFileInput, "drivers" | "base"> = {}
): ReadonlyArray<Finding> => [
  ...validateGraph(definition),
  ...(options.drivers === undefined
    ? []
    : validateDrivers(definition, options.drivers, { base: options.base ?? "." })),
  ...scheduleFindings(definition.schedule),
  ...continuousFindings(definition),
  ...lint(definition)
]

/** The definition as a YAML text; reading it gives the same definition. */
export const encodeYaml = (definition: Definition): string =>
  stringify(escaped(encodeDefinition(definition)), {
    version: "1.2",
    schema: "core",
    aliasDuplicateObjects: false,
    lineWidth: 0
  })

/** The names of all secrets the definition refers to, each once. */
export const secretNames = (definition: Definition): ReadonlyArray<string> => {
  const names = new Set<string>()
  const visit = (value: unknown): void => {
    if (isSecret(value)) names.add(value.secret)
    else if (typeof value === "object" && value !== null) Object.values(value).forEach(visit)
  }
  for (const { source, lookup, service, sink } of Object.values(definition.stages))
    [source, lookup, service, sink].forEach(visit)
  return [...names]
}

/** The document under the name it is given from outside. */
const named = (
  value: unknown,
  name: string | undefined
): { readonly value: unknown; readonly misnamed: ReadonlyArray<Finding> } => {
  if (name === undefined || typeof value !== "object" || value === null || Array.isArray(value)) {
    return { value, misnamed: [] }
  }
  const own = (value as { readonly name?: unknown }).name
  const message = `The program calls itself ${JSON.stringify(own)}; the pipeline is ${name}`
  const differs: Finding = {
    ...finding("other_name", ["name"], message, "leave the name out of the program"),
    severity: "warning"
  }
  return { value: { ...value, name }, misnamed: own === undefined || own === name ? [] : [differs] }
}

/** Texts with `${` would be taken for variables when they are read again. */
const escaped = (value: unknown): unknown => {
  if (typeof value === "string") return value.replaceAll("${", () => "$${")
  if (Array.isArray(value)) return value.map(escaped)
  if (typeof value !== "object" || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([key, part]) => [key, escaped(part)]))
}

/**
 * Where the text itself is at fault, what the schema says of the same value is the same mistake again; so
 * is what a driver says of settings of which one has no value.
 */
const isNews = (before: ReadonlyArray<Finding>): ((finding: Finding) => boolean) => {
  const faulty = before.filter(isError).map(({ pointer }) => pointer)
  const pointers = new Set(faulty)
  const ends = new Set(
    faulty.map((pointer) => /^\/stages\/[^/]+\/(?:source|sink|lookup)(?=\/)/.exec(pointer)?.[0])
  )
  return ({ code, pointer }) => {
    const end = /^\/stages\/[^/]+\/(?:source|sink|lookup)/.exec(pointer)?.[0]
    return !pointers.has(pointer) && (end === undefined || !ends.has(end) || code.startsWith("unknown_"))
  }
}

const edgeCodes = new Set(["unknown_stage", "sink_with_outgoing", "duplicate_edge"])

/** A single edge may be written as a list of one. */
const asWritten = (found: Finding, document: unknown): Finding => {
  const [, top, name, key, ...rest] = found.pointer.split("/")
  if (top !== "stages" || name === undefined || key !== "from") return found
  if (rest[0] !== "when" && !edgeCodes.has(found.code)) return found
  const stages = (document as { readonly stages?: Readonly<Record<string, { readonly from?: unknown }>> })
    .stages
  const from = stages !== undefined && Object.hasOwn(stages, name) ? stages[name]?.from : undefined
  if (!Array.isArray(from) || from.length !== 1) return found
  return { ...found, pointer: ["", top, name, key, "0", ...rest].join("/") }
}
