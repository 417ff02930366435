/**
 * A pipeline as data: what a pipeline file says, what the log keeps, what the engine runs.
 *
 * The wire form (file, HTTP body, stored event) is snake_case and allows short forms; the decoded form
 * is camelCase, with every default filled in, durations in milliseconds and edges as lists. Encoding
 * gives the canonical wire form, so decode ∘ encode is the identity and a definition has one signature.
 *
 * @module
 */
import { Effect, type Result, Schema } from "effect"
import { DeadLetters } from "./definition/DeadLetters.ts"
import { Runtime } from "./definition/Runtime.ts"
import { ScheduleDefinition } from "./definition/Schedule.ts"
import { Stage } from "./definition/Stage.ts"
import { Name } from "./definition/Text.ts"

export type { Aggregate, Measure, Window } from "./definition/Aggregate.ts"
export { Contract } from "./definition/Contract.ts"
export type { Dedupe } from "./definition/Dedupe.ts"
export { DurationMs, DurationText } from "./definition/Duration.ts"
export type { Edge } from "./definition/Edges.ts"
export type { EventTime } from "./definition/EventTime.ts"
export type { Explode } from "./definition/Explode.ts"
export type { FunctionStage } from "./definition/FunctionStage.ts"
export { type Lookup, LookupAsk, LookupCache, lookupUse } from "./definition/Lookup.ts"
export { isMapEdit, type MapStage } from "./definition/MapStage.ts"
export type { Recovery } from "./definition/Runtime.ts"
export { catchUpTicksMost, ScheduleDefinition, shortestIntervalMs } from "./definition/Schedule.ts"
export type { Service } from "./definition/Service.ts"
export { kindOf, Stage, type StageKind, stageKinds } from "./definition/Stage.ts"
export { Expression, Name, namePattern } from "./definition/Text.ts"
export type { Use } from "./definition/Use.ts"
export type { Validate } from "./definition/Validate.ts"

/** How the records of several sources meet: as they come, in turns, or by the time they happened. */
const Merge = Schema.Literals(["arrival", "round_robin", "event_time"])

export const Definition = Schema.Struct({
  name: Name,
  description: Schema.String.pipe(Schema.withDecodingDefaultKey(Effect.succeed(""))),
  schedule: ScheduleDefinition.pipe(Schema.withDecodingDefaultKey(Effect.succeed("manual" as const))),
  stages: Schema.Record(Name, Stage),
  merge: Merge.pipe(Schema.withDecodingDefaultKey(Effect.succeed("arrival" as const))),
  onUnrouted: Schema.Literals(["dead_letter", "drop"]).pipe(
    Schema.withDecodingDefaultKey(Effect.succeed("dead_letter" as const))
  ),
  deadLetters: DeadLetters.pipe(Schema.withDecodingDefaultKey(Effect.succeed({}))),
  runtime: Runtime.pipe(Schema.withDecodingDefaultKey(Effect.succeed({})))
}).pipe(Schema.encodeKeys({ onUnrouted: "on_unrouted", deadLetters: "dead_letters" }))
export type Definition = typeof Definition.Type
export type DefinitionWire = typeof Definition.Encoded

export const encodeDefinition = Schema.encodeUnknownSync(Definition)
export const decodeDefinition = (wire: unknown): Result.Result<Definition, Schema.SchemaError> =>
  Schema.decodeUnknownResult(Definition)(wire, { errors: "all", onExcessProperty: "error" })
