/**
 * What became of a program: whether it is valid, and what goes in and comes out of it.
 *
 * @module
 */
import { Schema } from "effect"
import { Count } from "./values.ts"

/** A finding, in the shape clients expect a compiler's message in. Lines and columns count from 1. */
export const CompilerMessage = Schema.Struct({
  start_line_number: Count,
  start_column: Count,
  end_line_number: Count,
  end_column: Count,
  warning: Schema.Boolean,
  /** The finding's code. */
  error_type: Schema.String,
  message: Schema.String,
  snippet: Schema.NullOr(Schema.String)
})
export type CompilerMessage = typeof CompilerMessage.Type

/** A finding as the command line's `check --json` tells it; `pointer` leads into the program. */
export const FindingJson = Schema.Struct({
  severity: Schema.Literals(["error", "warning"]),
  code: Schema.String,
  pointer: Schema.String,
  line: Schema.NullOr(Count),
  column: Schema.NullOr(Count),
  message: Schema.String,
  suggestion: Schema.NullOr(Schema.String)
})
export type FindingJson = typeof FindingJson.Type

/** Poll it until it is `"Success"` or an object that says what is wrong. Validating is quick, and here all there is. */
export const ProgramStatus = Schema.Union([
  Schema.Literals(["Pending", "CompilingSql", "SqlCompiled", "CompilingRust", "Success"]),
  Schema.Struct({ SqlError: Schema.Array(CompilerMessage) }),
  Schema.Struct({ RustError: Schema.String }),
  Schema.Struct({ SystemError: Schema.String })
])
export type ProgramStatus = typeof ProgramStatus.Type

export const ProgramField = Schema.Struct({
  name: Schema.String,
  case_sensitive: Schema.Boolean,
  columntype: Schema.Json
})

/** A source or a sink of the program, with the fields its contract promises. */
export const Relation = Schema.Struct({
  name: Schema.String,
  case_sensitive: Schema.Boolean,
  fields: Schema.Array(ProgramField),
  materialized: Schema.Boolean,
  properties: Schema.Record(Schema.String, Schema.Json)
})

export const ProgramInfo = Schema.Struct({
  schema: Schema.Struct({ inputs: Schema.Array(Relation), outputs: Schema.Array(Relation) }),
  input_connectors: Schema.Record(Schema.String, Schema.Json),
  output_connectors: Schema.Record(Schema.String, Schema.Json),
  udf_stubs: Schema.String
})
export type ProgramInfo = typeof ProgramInfo.Type
