/**
 * Where a test stands between a pipeline and a memory end.
 *
 * @module
 */
import type { Effect } from "effect"
import type { DriverError } from "../DriverError.ts"

export type MemoryOperation =
  | "source.open"
  | "source.next"
  | "source.ack"
  | "lookup.find"
  | "sink.open"
  | "sink.held"
  | "sink.write"
  | "sink.flush"
  | "sink.finish"
  | "sink.publish"

/** Runs an operation of an end with what stands between. */
export type Through = <A>(
  operation: MemoryOperation,
  name: string,
  effect: Effect.Effect<A, DriverError>
) => Effect.Effect<A, DriverError>
