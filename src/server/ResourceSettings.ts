/**
 * What the resource keeps of a pipeline besides its program, as the log has it: unchanged, so that it is given
 * back as it was sent.
 *
 * @module
 */
import { Schema } from "effect"
import type { Definition } from "../../events/Definition.ts"
import type { DefinitionState } from "../../projections/PipelineState.ts"
import { ProgramConfig, RuntimeConfig } from "../api/RuntimeConfig.ts"

const Kept = Schema.Struct({
  /** Only where it was given besides the program. */
  description: Schema.optionalKey(Schema.String),
  runtime_config: Schema.optionalKey(RuntimeConfig),
  program_config: Schema.optionalKey(ProgramConfig),
  udf_rust: Schema.optionalKey(Schema.String),
  udf_toml: Schema.optionalKey(Schema.String)
})

export interface ResourceSettings {
  readonly description?: string
  readonly runtime_config: RuntimeConfig
  readonly program_config: ProgramConfig
  readonly udf_rust: string
  readonly udf_toml: string
}

const decode = Schema.decodeUnknownOption(Kept)

/** Of a definition; what was defined by another way has none of them. */
export const settingsOf = ({ settings }: Pick<DefinitionState, "settings">): ResourceSettings => {
  const kept = decode(settings)
  return {
    runtime_config: {},
    program_config: {},
    udf_rust: "",
    udf_toml: "",
    ...(kept._tag === "Some" ? kept.value : {})
  }
}

/** Never in a run's life, in milliseconds: as long as a setting can say. */
const neverMs = 100 * 366 * 86_400_000

/** What is said explicitly wins over the program's own `runtime:`. */
export const withRuntimeConfig = (
  runtime: Definition["runtime"],
  { fault_tolerance, max_buffering_delay_usecs, min_batch_size_records }: RuntimeConfig
): Definition["runtime"] => {
  const seconds = fault_tolerance?.checkpoint_interval_secs ?? undefined
  return {
    ...runtime,
    // A batch that may hold fewer records than this would be handed on too soon.
    batchSize: Math.max(runtime.batchSize, min_batch_size_records ?? 0),
    maxBuffering:
      max_buffering_delay_usecs == null
        ? runtime.maxBuffering
        : Math.min(neverMs, Math.ceil(max_buffering_delay_usecs / 1000)),
    checkpointInterval:
      seconds === undefined
        ? runtime.checkpointInterval
        : seconds === 0
          ? neverMs
          : Math.min(neverMs, seconds * 1000)
  }
}
