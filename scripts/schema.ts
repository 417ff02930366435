/**
 * Writes `pipeline.schema.json`, which editors complete and check pipeline files with, from the schema of
 * the Definition. `--check` writes nothing and exits 1 when the file is not what it would write.
 *
 * @module
 */
import { readFileSync, writeFileSync } from "node:fs"
import { fileURLToPath } from "node:url"
import { type JsonSchema, Schema } from "effect"
import { Definition, stageKinds } from "../events/Definition.ts"

/** The file as it should be. */
export const pipelineSchema = (): string => {
  const { definitions, schema } = Schema.toJsonSchemaDocument(Definition, { onExcessProperty: "error" })
  const document = {
    $schema: "https://json-schema.org/draft/2020-12/schema",
    title: "Millrace pipeline",
    description: "A data pipeline: stages that records pass from sources to sinks, and how they are run.",
    ...withOneKind(schema),
    $defs: definitions
  }
  return `${JSON.stringify(document, null, 2)}\n`
}

/** What a Schema cannot say of its keys: a stage has exactly one kind. */
const withOneKind = (schema: JsonSchema.JsonSchema): JsonSchema.JsonSchema => {
  const document = structuredClone(schema) as {
    readonly properties: {
      readonly stages: { readonly patternProperties: Record<string, JsonSchema.JsonSchema> }
    }
  }
  for (const stage of Object.values(document.properties.stages.patternProperties)) {
    stage.oneOf = stageKinds.map((kind) => ({ required: [kind] }))
  }
  return document
}

export const pipelineSchemaFile = fileURLToPath(new URL("../pipeline.schema.json", import.meta.url))

if (import.meta.main) {
  const wanted = pipelineSchema()
  if (!process.argv.includes("--check")) {
    writeFileSync(pipelineSchemaFile, wanted)
  } else if (readFileSync(pipelineSchemaFile, "utf8") !== wanted) {
    console.error("pipeline.schema.json is not up to date: npm run schema")
    process.exitCode = 1
  }
}
