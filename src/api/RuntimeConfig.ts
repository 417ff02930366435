/**
 * How a pipeline runs, in the names clients of the `/v0/pipelines` API know. What we have no meaning for is
 * kept as it was sent and given back.
 *
 * @module
 */
import { Schema } from "effect"
import { Count, FreeRecord } from "./values.ts"

const given = <S extends Schema.Top>(schema: S) => Schema.optionalKey(Schema.NullOr(schema))
const others = [FreeRecord] as const

/** `checkpoint_interval_secs: 0` settles at the end of a run, or when asked to. */
export const FaultTolerance = Schema.StructWithRest(
  Schema.Struct({ checkpoint_interval_secs: given(Count) }),
  others
)

/**
 * An explicit value here wins over the file's `runtime:`. A batch is handed on once it holds
 * `min_batch_size_records`, or `max_buffering_delay_usecs` (microseconds) after its first record.
 */
export const RuntimeConfig = Schema.StructWithRest(
  Schema.Struct({
    workers: given(Count),
    max_buffering_delay_usecs: given(Count),
    min_batch_size_records: given(Count),
    fault_tolerance: given(FaultTolerance),
    clock_resolution_usecs: given(Count),
    tracing: given(Schema.Boolean),
    tracing_endpoint_jaeger: given(Schema.String),
    resources: given(FreeRecord),
    storage: given(Schema.Union([Schema.Boolean, FreeRecord]))
  }),
  others
)
export type RuntimeConfig = typeof RuntimeConfig.Type

/** Kept and given back; nothing here is compiled. */
export const ProgramConfig = Schema.StructWithRest(
  Schema.Struct({ profile: given(Schema.String), cache: given(Schema.Boolean) }),
  others
)
export type ProgramConfig = typeof ProgramConfig.Type
