/**
 * A pipeline as data: what a pipeline file says, what the log keeps, what the engine runs.
 *
 * The wire form (file, HTTP body, stored event) is snake_case and allows short forms; the decoded form
 * is camelCase, with every default filled in, durations in milliseconds and edges as lists. Encoding
 * gives the canonical wire form, so decode ∘ encode is the identity and a definition has one signature.
 *
 * @module
 */
import { Effect, type Result, Schema, SchemaTransformation } from "effect"

/** `250ms`, `5s`, `10m`, `1h`, `7d`; milliseconds once decoded. */
export const DurationText = Schema.String.check(
  Schema.isPattern(/^[0-9]+(?:\.[0-9]+)?(?:ms|s|m|h|d)$/u, {
    message: "a duration like 250ms, 5s, 10m, 1h or 7d"
  })
).annotate({ identifier: "Duration", description: "A duration like 250ms, 5s, 10m, 1h or 7d" })

const unitMs = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const
type Unit = keyof typeof unitMs

const centuryMs = 100 * 366 * unitMs.d

/** Whole milliseconds, up to a century: fractions of a unit are rounded, so that encoding is exact. */
export const DurationMs = DurationText.pipe(
  Schema.decodeTo(
    Schema.Int.check(
      Schema.isBetween({ minimum: 0, maximum: centuryMs }, { message: "a duration of at most a century" })
    ),
    SchemaTransformation.transform({
      decode: (text) => {
        const unit = (/[a-z]+$/.exec(text)?.[0] ?? "ms") as Unit
        return Math.round(Number.parseFloat(text) * unitMs[unit])
      },
      encode: (ms) => {
        for (const unit of ["d", "h", "m", "s"] as const) {
          if (ms !== 0 && ms % unitMs[unit] === 0) return `${ms / unitMs[unit]}${unit}`
        }
        return `${ms}ms`
      }
    })
  )
)

/** Names of pipelines and stages. */
export const namePattern = /^[a-zA-Z0-9_-]{1,100}$/u
export const Name = Schema.String.check(
  Schema.isPattern(namePattern, { message: "1 to 100 letters, digits, _ or -" })
).annotate({ identifier: "Name", description: "1 to 100 letters, digits, _ or -" })

/** A CEL expression over `record`, `metadata`, `key` and `event_time`. */
export const Expression = Schema.String.check(Schema.isMinLength(1, { message: "an expression" })).annotate({
  identifier: "Expression",
  description: "A CEL expression over record, metadata, key and event_time"
})

/**
 * What the records of a stage look like: either a JSON Schema (an object with a `type` that names a
 * JSON type, `$ref`, `properties`, `anyOf` …) or the short form, field names to
 * `string | number | integer | boolean | object | array | any`, with `?` behind a field that may be absent or null.
 */
export const Contract = Schema.Record(Schema.String, Schema.Json).annotate({
  identifier: "Contract",
  description:
    "Field names to string, number, integer, boolean, object, array or any, with ? behind what may be absent; or a JSON Schema"
})
export type Contract = typeof Contract.Type

/** An edge into a stage: from where, and for which records (all, when there is no `when`). */
const EdgeStruct = Schema.Struct({ stage: Name, when: Schema.optionalKey(Expression) })
export type Edge = typeof EdgeStruct.Type
const EdgeWire = Schema.Union([Name, EdgeStruct]).annotate({ expected: "a stage name or { stage, when }" })
const toEdge = (wire: string | Edge): Edge => (typeof wire === "string" ? { stage: wire } : wire)
const fromEdge = (edge: Edge): string | Edge => (edge.when === undefined ? edge.stage : edge)

/** `from: a`, `from: { stage: a, when: … }` or a list of either. */
const EdgesWire = Schema.Union([
  Name,
  EdgeStruct,
  Schema.Array(EdgeWire).check(Schema.isMinLength(1))
]).annotate({
  expected: "a stage name, { stage, when } or a list of them",
  description: "Where the records come from: a stage name, { stage, when } or a list of them"
})
const Edges = EdgesWire.pipe(
  Schema.decodeTo(
    Schema.Array(EdgeStruct).check(Schema.isMinLength(1)),
    SchemaTransformation.transform({
      decode: (wire): ReadonlyArray<Edge> =>
        Array.isArray(wire) ? wire.map(toEdge) : [toEdge(wire as string | Edge)],
      encode: (edges: ReadonlyArray<Edge>): string | Edge | ReadonlyArray<string | Edge> =>
        edges.length === 1 ? fromEdge(edges[0]!) : edges.map(fromEdge)
    })
  )
)

/** A driver by name and its own settings, which its own schema checks. */
const Use = Schema.StructWithRest(Schema.Struct({ use: Schema.NonEmptyString }), [
  Schema.Record(Schema.String, Schema.Json)
])
export type Use = typeof Use.Type

const Expressions = Schema.Record(Schema.String, Expression)

/** A new payload field by field, or an edit of the old one: `set` fields to expressions, `drop` names. */
const MapEdit = Schema.Struct({
  set: Schema.optionalKey(Expressions),
  drop: Schema.optionalKey(Schema.Array(Schema.String))
})
export const isMapEdit = (map: MapStage): map is typeof MapEdit.Type =>
  Object.keys(map).length > 0 &&
  Object.entries(map).every(
    ([key, value]) => (key === "set" && typeof value === "object") || (key === "drop" && Array.isArray(value))
  )
// Expressions first: an edit never decodes as them, while a struct of optional keys would take anything.
const MapStage = Schema.Union([Expressions, MapEdit]).annotate({
  expected: "field names with an expression each, or { set, drop }",
  description: "The new payload, field by field; or an edit of the old one: { set, drop }"
})
export type MapStage = typeof MapStage.Type

/**
 * Enrichment from a table held by a driver. `match` maps a field of the record to a column of the
 * table, `into` is the field the found row goes to (without it the row's columns join the record),
 * `take` the columns wanted (all, when absent).
 */
const Lookup = Schema.StructWithRest(
  Schema.Struct({
    use: Schema.NonEmptyString,
    match: Schema.Record(Schema.String, Schema.String),
    into: Schema.optionalKey(Schema.String),
    take: Schema.optionalKey(Schema.Array(Schema.String)),
    on_miss: Schema.Literals(["pass_through", "drop", "dead_letter", "default"]).pipe(
      Schema.withDecodingDefaultKey(Effect.succeed("pass_through" as const))
    ),
    default: Schema.optionalKey(Schema.Json)
  }),
  [Schema.Record(Schema.String, Schema.Json)]
)
export type Lookup = typeof Lookup.Type

/**
 * A stage whose work is a function of the program. The function is not data: the definition holds what it
 * does and, as `output`, the boundary it promises; a program that resumes a run must provide it again.
 */
const FunctionStage = Schema.Struct({
  does: Schema.Literals(["filter", "map"]),
  over: Schema.Literals(["record", "batch"]).pipe(
    Schema.withDecodingDefaultKey(Effect.succeed("record" as const))
  )
}).annotate({ description: "A function that only a program can provide; a file cannot" })
export type FunctionStage = typeof FunctionStage.Type

/** The kinds of stage; each stage has exactly one of these keys. */
export const stageKinds = ["source", "filter", "map", "lookup", "function", "sink"] as const
export type StageKind = (typeof stageKinds)[number]

export const Stage = Schema.Struct({
  from: Schema.optionalKey(Edges),
  source: Schema.optionalKey(Use),
  filter: Schema.optionalKey(Expression),
  map: Schema.optionalKey(MapStage),
  lookup: Schema.optionalKey(Lookup),
  function: Schema.optionalKey(FunctionStage),
  sink: Schema.optionalKey(Use),
  output: Schema.optionalKey(Contract)
})
export type Stage = typeof Stage.Type

/** No schedule is finer than this: a tick is an event, and a run costs several. */
export const shortestIntervalMs = 1000

/** `catch_up: all` runs at most this many missed ticks, the latest ones; older ones are skipped as missed. */
export const catchUpTicksMost = 1000

const aTimeZone = "A name of the IANA database, like Europe/Berlin"

const Timing = {
  overlap: Schema.Literals(["skip", "buffer_one", "cancel_running"])
    .annotate({
      description:
        "A tick while a run is under way: skip it, let one wait (buffer_one), or stop the run for it (cancel_running)"
    })
    .pipe(Schema.withDecodingDefaultKey(Effect.succeed("skip" as const))),
  catch_up: Schema.Literals(["skip", "one", "all"])
    .annotate({
      description: `Ticks missed while nobody was there: skip them, run the latest (one), or all of the last ${catchUpTicksMost}, one after the other`
    })
    .pipe(Schema.withDecodingDefaultKey(Effect.succeed("one" as const)))
}

/**
 * When runs start. `manual`: when somebody asks. `continuous`: one run is kept going. `interval` (ms once
 * decoded): counted from the instant the schedule took effect. `cron`: five fields, or six with seconds in
 * front, in the local time of an IANA time zone.
 */
export const ScheduleDefinition = Schema.Union([
  Schema.Literals(["manual", "continuous"]),
  Schema.Struct({ interval: DurationMs, ...Timing }),
  Schema.Struct({
    cron: Schema.String.annotate({
      description:
        "minute hour day month weekday, with seconds in front if there are six; or @daily and the like"
    }),
    time_zone: Schema.String.annotate({ description: aTimeZone }).annotateKey({
      messageMissingKey: aTimeZone
    }),
    ...Timing
  })
]).annotate({
  expected: 'manual, continuous, { interval: 5m } or { cron: "0 6 * * *", time_zone: Europe/Berlin }'
})
export type ScheduleDefinition = typeof ScheduleDefinition.Type

const positive = Schema.Int.check(Schema.isGreaterThan(0))

/** A number of times, or `unlimited`. */
const Retries = Schema.Union([
  Schema.Literal("unlimited"),
  Schema.Int.check(Schema.isGreaterThanOrEqualTo(0))
]).annotate({ expected: "a whole number of times, or unlimited" })

/**
 * How a run that lost a driver or its process comes back: after `minBackoff` (ms), times `factor` each time up
 * to `maxBackoff`, at most `maxRetries` times in a row; after `healthyAfter` (ms) of work it counts anew.
 */
const Recovery = Schema.Struct({
  minBackoff: DurationMs.pipe(Schema.withDecodingDefaultKey(Effect.succeed("1s"))),
  maxBackoff: DurationMs.pipe(Schema.withDecodingDefaultKey(Effect.succeed("10m"))),
  factor: Schema.Number.check(Schema.isBetween({ minimum: 1, maximum: 10 })).pipe(
    Schema.withDecodingDefaultKey(Effect.succeed(2))
  ),
  maxRetries: Retries.pipe(Schema.withDecodingDefaultKey(Effect.succeed("unlimited" as const))),
  healthyAfter: DurationMs.pipe(Schema.withDecodingDefaultKey(Effect.succeed("5m")))
}).pipe(
  Schema.encodeKeys({
    minBackoff: "min_backoff",
    maxBackoff: "max_backoff",
    maxRetries: "max_retries",
    healthyAfter: "healthy_after"
  })
)
export type Recovery = typeof Recovery.Type

/**
 * How a pipeline is run. `batchSize` records and `maxBatchBytes` bytes bound a batch, `maxBuffering`
 * (ms) how long a part-filled one waits, `inFlight` the batches read and not yet written;
 * every `checkpointInterval` (ms; 0 = after every batch) sinks are made durable.
 */
const Runtime = Schema.Struct({
  batchSize: positive.pipe(Schema.withDecodingDefaultKey(Effect.succeed(1000))),
  maxBatchBytes: positive.pipe(Schema.withDecodingDefaultKey(Effect.succeed(8 * 1024 * 1024))),
  maxBuffering: DurationMs.pipe(Schema.withDecodingDefaultKey(Effect.succeed("1s"))),
  inFlight: positive.pipe(Schema.withDecodingDefaultKey(Effect.succeed(4))),
  checkpointInterval: DurationMs.pipe(Schema.withDecodingDefaultKey(Effect.succeed("1s"))),
  recovery: Recovery.pipe(Schema.withDecodingDefaultKey(Effect.succeed({})))
}).pipe(
  Schema.encodeKeys({
    batchSize: "batch_size",
    maxBatchBytes: "max_batch_bytes",
    maxBuffering: "max_buffering",
    inFlight: "in_flight",
    checkpointInterval: "checkpoint_interval"
  })
)

/** More than `threshold` dead letters among the last `window` records of a source stop the run; 0 = no limit. */
const DeadLetters = Schema.Struct({
  window: Schema.Int.check(Schema.isGreaterThanOrEqualTo(0)).pipe(
    Schema.withDecodingDefaultKey(Effect.succeed(100))
  ),
  threshold: Schema.Int.check(Schema.isGreaterThanOrEqualTo(0)).pipe(
    Schema.withDecodingDefaultKey(Effect.succeed(10))
  )
})

export const Definition = Schema.Struct({
  name: Name,
  description: Schema.String.pipe(Schema.withDecodingDefaultKey(Effect.succeed(""))),
  schedule: ScheduleDefinition.pipe(Schema.withDecodingDefaultKey(Effect.succeed("manual" as const))),
  stages: Schema.Record(Name, Stage),
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

/** The one kind key of a stage, or `undefined` when it has none or several. */
export const kindOf = (stage: Stage): StageKind | undefined => {
  const kinds = stageKinds.filter((kind) => stage[kind] !== undefined)
  return kinds.length === 1 ? kinds[0] : undefined
}
