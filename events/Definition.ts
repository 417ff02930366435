/**
 * A pipeline as data: what a pipeline file says, what the log keeps, what the engine runs.
 *
 * The wire form (file, HTTP body, stored event) is snake_case and allows short forms; the decoded form
 * is camelCase, with every default filled in, durations in milliseconds and edges as lists. Encoding
 * gives the canonical wire form, so decode ∘ encode is the identity and a definition has one signature.
 *
 * @module
 */
import { Effect, Result, Schema } from "effect"
import { DeadLetters } from "./definition/DeadLetters.ts"
import { Runtime } from "./definition/Runtime.ts"
import { ScheduleDefinition } from "./definition/Schedule.ts"
import { Stage } from "./definition/Stage.ts"
import { Name } from "./definition/Text.ts"
import { beyond } from "./extent.ts"

export type { Aggregate, Measure, Window } from "./definition/Aggregate.ts"
export { type Comparison, Condition, comparisons, type JsonType } from "./definition/Condition.ts"
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

/**
 * How the records of several sources meet. `arrival`: as they come. `round_robin`: one of each source in turn; one
 * that has nothing for `max_buffering` is passed over until it has. `event_time`: the record that happened first;
 * one that has nothing for its `idle_timeout` holds the others up no more. Each source's own order stays in any case.
 */
const Merge = Schema.Literals(["arrival", "round_robin", "event_time"]).annotate({
  description:
    "How the records of sources that meet are put in order: as they arrive, one of each source in turn (round_robin), " +
    "or by the time they happened (event_time); each source keeps its own order"
})

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

/** Settings of drivers and conditions nest; a value deeper than this would be the end of the stack, not a finding. */
const deepest = { depth: 64, values: 200_000 } as const

const decodeBounded = Schema.decodeUnknownResult(
  Schema.Unknown.check(
    Schema.makeFilter(
      (wire) =>
        beyond(wire, deepest) === undefined || `it is more than ${deepest.depth} levels deep, or too large`
    )
  )
)

/** Every mistake in the value at once. */
export const decodeDefinition = (wire: unknown): Result.Result<Definition, Schema.SchemaError> =>
  Result.flatMap(decodeBounded(wire), (bounded) =>
    Schema.decodeUnknownResult(Definition)(bounded, { errors: "all", onExcessProperty: "error" })
  )

/** The same for a definition in its decoded form, as programs build it. */
export const checkDefinition = (value: unknown): Result.Result<Definition, Schema.SchemaError> =>
  Result.flatMap(decodeBounded(value), Schema.decodeUnknownResult(Schema.toType(Definition)))
