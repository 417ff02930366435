/**
 * A definition that no file was sent for, as the log is to keep it.
 *
 * @module
 */
import type { Schema } from "effect"
import { type Definition, encodeDefinition } from "../../events/Definition.ts"
import type { EventOf } from "../../events/PipelineEvent.ts"
import { signature } from "../flow/contract/signature.ts"
import { encodeYaml } from "./PipelineFile.ts"

/** A program's pipeline is kept as the file it would be. `base` is the folder its relative paths resolve against. */
export const definedAs = (definition: Definition, base: string): Omit<EventOf<"Defined">, "_tag" | "id"> => ({
  name: definition.name,
  description: definition.description,
  text: encodeYaml(definition),
  settings: {},
  definition: encodeDefinition(definition) as Schema.Json,
  findings: [],
  signature: signature(definition),
  base
})
