/**
 * A stage that only a program can provide.
 *
 * @module
 */
import { Effect, Schema } from "effect"

/**
 * A stage whose work is a function of the program. The function is not data: the definition holds what it
 * does and, as `output`, the boundary it promises; a program that resumes a run must provide it again.
 */
export const FunctionStage = Schema.Struct({
  does: Schema.Literals(["filter", "map", "explode", "custom"]),
  over: Schema.Literals(["record", "batch"]).pipe(
    Schema.withDecodingDefaultKey(Effect.succeed("record" as const))
  )
}).annotate({ description: "A function that only a program can provide; a file cannot" })
export type FunctionStage = typeof FunctionStage.Type
