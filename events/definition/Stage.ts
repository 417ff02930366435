/**
 * A stage: what it does, where its records come from, and what they look like behind it.
 *
 * @module
 */
import { Schema } from "effect"
import { Aggregate } from "./Aggregate.ts"
import { Condition } from "./Condition.ts"
import { Contract } from "./Contract.ts"
import { Dedupe } from "./Dedupe.ts"
import { Edges } from "./Edges.ts"
import { EventTime } from "./EventTime.ts"
import { Explode } from "./Explode.ts"
import { FunctionStage } from "./FunctionStage.ts"
import { Lookup } from "./Lookup.ts"
import { MapStage } from "./MapStage.ts"
import { Service } from "./Service.ts"
import { Use } from "./Use.ts"
import { Validate } from "./Validate.ts"

/** The kinds of stage; each stage has exactly one of these keys. */
export const stageKinds = [
  "source",
  "filter",
  "map",
  "explode",
  "validate",
  "dedupe",
  "lookup",
  "service",
  "aggregate",
  "function",
  "sink"
] as const
export type StageKind = (typeof stageKinds)[number]

/** `eventTime` belongs to sources alone. */
export const Stage = Schema.Struct({
  from: Schema.optionalKey(Edges),
  source: Schema.optionalKey(Use),
  filter: Schema.optionalKey(Condition),
  map: Schema.optionalKey(MapStage),
  explode: Schema.optionalKey(Explode),
  validate: Schema.optionalKey(Validate),
  dedupe: Schema.optionalKey(Dedupe),
  lookup: Schema.optionalKey(Lookup),
  service: Schema.optionalKey(Service),
  aggregate: Schema.optionalKey(Aggregate),
  function: Schema.optionalKey(FunctionStage),
  sink: Schema.optionalKey(Use),
  output: Schema.optionalKey(Contract),
  eventTime: Schema.optionalKey(EventTime)
}).pipe(Schema.encodeKeys({ eventTime: "event_time" }))
export type Stage = typeof Stage.Type

/** The one kind key of a stage, or `undefined` when it has none or several. */
export const kindOf = (stage: Stage): StageKind | undefined => {
  const kinds = stageKinds.filter((kind) => stage[kind] !== undefined)
  return kinds.length === 1 ? kinds[0] : undefined
}
