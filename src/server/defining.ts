/**
 * From what was sent to what is defined: the program is read and checked, and kept whatever came of it.
 *
 * @module
 */
import { Result, type Schema } from "effect"
import { type Definition, decodeDefinition, encodeDefinition } from "../../events/Definition.ts"
import type { Finding } from "../../events/Finding.ts"
import type { EventOf } from "../../events/PipelineEvent.ts"
import type { DefinitionState } from "../../projections/PipelineState.ts"
import type { PatchPipeline, PostPutPipeline } from "../api/PipelineResource.ts"
import { parsePipelineFile } from "../config/PipelineFile.ts"
import type { Drivers } from "../drivers/Drivers.ts"
import { signature } from "../flow/contract/signature.ts"
import { type ResourceSettings, settingsOf, withRuntimeConfig } from "./ResourceSettings.ts"

/** A definition without its id, which the catalog gives. */
export type Defining = Omit<EventOf<"Defined">, "_tag" | "id">

export interface Surroundings {
  readonly drivers: Drivers["Service"]
  /** The folder that relative paths resolve against. */
  readonly base: string
}

/** What a whole pipeline comes to: what was left out takes the empty value of its type. */
export const definingOf = (sent: PostPutPipeline, around: Surroundings): Defining => {
  const description = sent.description ?? undefined
  const settings: ResourceSettings = {
    ...(description === undefined ? {} : { description }),
    runtime_config: sent.runtime_config ?? {},
    program_config: sent.program_config ?? {},
    udf_rust: sent.udf_rust ?? "",
    udf_toml: sent.udf_toml ?? ""
  }
  return compiled(sent.name, sent.program_code, settings, around)
}

/** What some changed fields come to: the others stay as they are, a program that is not touched included. */
export const redefining = (
  sent: PatchPipeline,
  name: string,
  before: DefinitionState,
  around: Surroundings
): Defining => {
  const kept = settingsOf(before)
  const description = sent.description ?? kept.description
  const settings: ResourceSettings = {
    ...(description === undefined ? {} : { description }),
    runtime_config: sent.runtime_config ?? kept.runtime_config,
    program_config: sent.program_config ?? kept.program_config,
    udf_rust: sent.udf_rust ?? kept.udf_rust,
    udf_toml: sent.udf_toml ?? kept.udf_toml
  }
  if (sent.program_code != null) return compiled(name, sent.program_code, settings, around)
  const { base, text } = before
  if (sent.runtime_config != null) return compiled(name, text, settings, { ...around, base })
  return relabelled(before, { name, description: sent.description ?? before.description, settings })
}

/** The same program under another name or description. */
const relabelled = (
  { base, definition, findings, text }: DefinitionState,
  { description, name, settings }: { name: string; description: string; settings: ResourceSettings }
): Defining => {
  const wire = definition === null ? null : { ...(definition as object), name, description }
  return {
    name,
    description,
    text,
    settings: settings as unknown as Schema.Json,
    definition: wire as Schema.Json,
    findings,
    signature: wire === null ? null : signature(Result.getOrThrow(decodeDefinition(wire))),
    base
  }
}

/** Does it change anything? The same program in another folder is another pipeline. */
export const isChange = (
  before: DefinitionState,
  { base, description, name, settings, text }: Defining
): boolean =>
  before.text !== text ||
  before.name !== name ||
  before.description !== description ||
  before.base !== base ||
  JSON.stringify(before.settings) !== JSON.stringify(settings)

const compiled = (name: string, text: string, settings: ResourceSettings, around: Surroundings): Defining => {
  const { base, drivers } = around
  // The environment of the service is nobody's business who may only send programs to it.
  const read = parsePipelineFile({ text, name, base, drivers, environment: {}, format: formatOf(text) })
  const findings: ReadonlyArray<Finding> = read.findings
  const kept = { name, text, settings: settings as unknown as Schema.Json, findings, base }
  if (read.definition === undefined) {
    return { ...kept, description: settings.description ?? "", definition: null, signature: null }
  }
  const description = settings.description ?? read.definition.description
  const definition: Definition = {
    ...read.definition,
    description,
    runtime: withRuntimeConfig(read.definition.runtime, settings.runtime_config)
  }
  return {
    ...kept,
    description,
    definition: encodeDefinition(definition) as Schema.Json,
    signature: signature(definition)
  }
}

/** JSON is a part of YAML, but its own reader says better what is wrong with it. */
const formatOf = (text: string): "yaml" | "json" => {
  try {
    JSON.parse(text)
    return "json"
  } catch {
    return "yaml"
  }
}
