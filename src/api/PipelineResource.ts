/**
 * The pipeline resource. Its names and values are a contract with clients that exist: nothing here is
 * renamed, and what is ours (`lifecycle`, `run`, `progress`) only stands beside it.
 *
 * @module
 */
import { Schema } from "effect"
import { deployments, lifecycles } from "../../projections/transitions.ts"
import { FindingJson, ProgramInfo, ProgramStatus } from "./Program.ts"
import { Progress, Run } from "./Run.ts"
import { ProgramConfig, RuntimeConfig } from "./RuntimeConfig.ts"
import { type Count, OptionalText, Timestamp } from "./values.ts"

export const DeploymentStatus = Schema.Literals(deployments)
export const DesiredStatus = Schema.Literals(["Shutdown", "Paused", "Running"])

/** `status` leaves out what can be long: program, configuration and what was found out about the program. */
export const Selector = Schema.Literals(["all", "status"])
export type Selector = typeof Selector.Type

const always = {
  id: Schema.String,
  name: Schema.String,
  description: Schema.String,
  created_at: Timestamp,
  /** Grows with every change of the definition. */
  version: Schema.Int,
  platform_version: Schema.String,
  /** Grows with every change of the program. */
  program_version: Schema.Int,
  program_status: ProgramStatus,
  program_status_since: Timestamp,
  deployment_status: DeploymentStatus,
  deployment_status_since: Timestamp,
  deployment_desired_status: DesiredStatus,
  deployment_error: Schema.NullOr(
    Schema.Struct({
      message: Schema.String,
      error_code: Schema.String,
      details: Schema.Record(Schema.String, Schema.Json)
    })
  ),
  /** Grows with `version`, and whenever the program was validated anew. */
  refresh_version: Schema.Int,
  lifecycle: Schema.Literals(lifecycles),
  run: Schema.NullOr(Run),
  progress: Schema.NullOr(Progress)
}

const onlyAll = {
  runtime_config: RuntimeConfig,
  program_code: Schema.String,
  udf_rust: Schema.String,
  udf_toml: Schema.String,
  program_config: ProgramConfig,
  program_info: Schema.NullOr(ProgramInfo),
  /** Everything there is to say about the program, warnings of a valid one included. */
  program_findings: Schema.Array(FindingJson)
}

/** A pipeline with everything that is known of it. */
export const PipelineResource = Schema.Struct({ ...always, ...onlyAll }).annotate({ identifier: "Pipeline" })
export type PipelineResource = typeof PipelineResource.Type

/** A pipeline as `?selector=` has it: with `status` the long fields are absent. */
export const SelectedPipeline = Schema.Struct({
  ...always,
  runtime_config: Schema.optionalKey(onlyAll.runtime_config),
  program_code: Schema.optionalKey(onlyAll.program_code),
  udf_rust: Schema.optionalKey(onlyAll.udf_rust),
  udf_toml: Schema.optionalKey(onlyAll.udf_toml),
  program_config: Schema.optionalKey(onlyAll.program_config),
  program_info: Schema.optionalKey(onlyAll.program_info),
  program_findings: Schema.optionalKey(onlyAll.program_findings)
}).annotate({ identifier: "SelectedPipeline" })
export type SelectedPipeline = typeof SelectedPipeline.Type

/** The fields that `selector=status` leaves out. */
export const longFields: ReadonlyArray<string> = Object.keys(onlyAll)

const optionalFields = {
  description: OptionalText,
  runtime_config: Schema.optionalKey(Schema.NullOr(RuntimeConfig)),
  program_config: Schema.optionalKey(Schema.NullOr(ProgramConfig)),
  udf_rust: OptionalText,
  udf_toml: OptionalText
}

/** The whole of a pipeline, for POST and PUT: what is left out, or `null`, takes the empty value of its type. */
export const PostPutPipeline = Schema.Struct({
  name: Schema.String,
  program_code: Schema.String,
  ...optionalFields
}).annotate({ identifier: "PostPutPipeline" })
export type PostPutPipeline = typeof PostPutPipeline.Type

/** What is to change: a field that is left out, or `null`, stays; one that is given is replaced as a whole. */
export const PatchPipeline = Schema.Struct({
  name: OptionalText,
  program_code: OptionalText,
  ...optionalFields
}).annotate({ identifier: "PatchPipeline" })
export type PatchPipeline = typeof PatchPipeline.Type

/** Most characters of a pipeline's name. */
export const nameMost: typeof Count.Type = 100
