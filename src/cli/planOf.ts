/**
 * What applying a pipeline file would do to what is deployed.
 *
 * Both sides are read here and now, by this release, so a change is a change of what the files say and not of
 * who read them.
 *
 * @module
 */
import { createHash } from "node:crypto"
import { Effect, type Schema } from "effect"
import { type Definition, encodeDefinition } from "../../events/Definition.ts"
import { abandoned } from "../../projections/PipelineState.ts"
import { isUnfinished } from "../../projections/transitions.ts"
import type { SelectedPipeline } from "../api/PipelineResource.ts"
import { parsePipelineFile } from "../config/PipelineFile.ts"
import { canonical } from "../flow/contract/Contract.ts"
import { type Change, definitionDiff } from "./definitionDiff.ts"
import { Service } from "./Service.ts"
import { isRefusal } from "./serviceFailure.ts"

export interface Plan {
  readonly name: string
  readonly action: "create" | "update" | "unchanged"
  /** What is deployed under this name now. */
  readonly deployed: SelectedPipeline | null
  readonly changes: ReadonlyArray<Change>
  /** It is deployed, or on its way: its definition is in use. */
  readonly mustShutDown: boolean
  /** The id of a run that goes on under the present definition, and so keeps it from changing. */
  readonly unfinishedRun: string | null
  /** Names this plan: the same while neither the file nor what is deployed changes. */
  readonly hash: string
}

/** Asks the service for what is deployed. */
export const planOf = Effect.fnUntraced(function* (definition: Definition) {
  const { client } = yield* Service
  const { name } = definition
  const deployed = yield* client.pipelines.getPipeline({ params: { name }, query: { selector: "all" } }).pipe(
    Effect.catchIf(
      (error) => isRefusal(error, "UnknownPipelineName"),
      () => Effect.succeed(null)
    )
  )
  return compare(definition, deployed)
})

/** Pure. */
export const compare = (definition: Definition, deployed: SelectedPipeline | null): Plan => {
  const to = encodeDefinition(definition) as Schema.Json
  const changes = deployed === null ? [] : definitionDiff(wireOf(deployed), to)
  const action = deployed === null ? "create" : changes.length === 0 ? "unchanged" : "update"
  const isUpdate = action === "update"
  return {
    name: definition.name,
    action,
    deployed,
    changes,
    mustShutDown: isUpdate && isDeployed(deployed),
    unfinishedRun: isUpdate ? unfinishedRunOf(deployed) : null,
    hash: hashOf(deployed, to)
  }
}

const isDeployed = (pipeline: SelectedPipeline | null): boolean =>
  pipeline !== null &&
  (pipeline.deployment_status !== "Shutdown" || pipeline.deployment_desired_status !== "Shutdown")

/** A run that was given up has its history and no place; nobody goes on with it. */
const unfinishedRunOf = (pipeline: SelectedPipeline | null): string | null => {
  if (pipeline === null || !isUnfinished(pipeline.lifecycle)) return null
  return pipeline.run?.failure?.code === abandoned ? null : (pipeline.run?.run ?? pipeline.lifecycle)
}

/**
 * `null` where the deployed program cannot be read: it is replaced as a whole. A service has no variables;
 * what `millrace run` has left in the log may.
 */
const wireOf = ({ name, program_code }: SelectedPipeline): Schema.Json => {
  const text = program_code ?? ""
  for (const environment of [{}, process.env]) {
    const { definition } = parsePipelineFile({ text, name, environment })
    if (definition !== undefined) return encodeDefinition({ ...definition, name }) as Schema.Json
  }
  return null
}

/** The pipeline and its version, and all of the new definition: nothing else decides what applying does. */
const hashOf = (deployed: SelectedPipeline | null, to: Schema.Json): string =>
  createHash("sha256")
    .update(canonical({ id: deployed?.id ?? null, version: deployed?.version ?? 0, definition: to }))
    .digest("hex")
    .slice(0, hashLength)

/** 64 bits: enough to tell plans apart, short enough to be read out. */
const hashLength = 16
