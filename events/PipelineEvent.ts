/**
 * The vocabulary of one pipeline's stream: facts in the past tense, one per decision or per batch,
 * never per record. A released event is never renamed or re-meant; a changed meaning is a new tag
 * and an upcaster.
 *
 * Every schema here has the same shape decoded and encoded, so that the JSON text in the log is the
 * event and folding a long history costs little more than `JSON.parse`.
 *
 * @module
 */
import { Schema } from "effect"
import { RestoredMemory, SealedTime, StageDelta } from "./BatchMemory.ts"
import { Checkpoint, Position } from "./Checkpoint.ts"
import { deadLetterEvents, OpenRedrive } from "./deadLetterEvents.ts"
import { Finding } from "./Finding.ts"
import { Json } from "./Json.ts"
import { Letter, Reason, RestoredBatch, SealedBranch, Totals } from "./Seal.ts"

export { OpenRedrive, RedriveFailure } from "./deadLetterEvents.ts"
export {
  deadLettersBranch,
  Letter,
  LetterNote,
  leftBefore,
  Raw,
  Reason,
  RestoredBatch,
  SealedBranch,
  Totals
} from "./Seal.ts"

const Text = Schema.String
const Count = Schema.Int

/** Where a person wants a pipeline to be, and where it is. */
export const Desired = Schema.Literals(["Running", "Paused", "Shutdown"])
export type Desired = typeof Desired.Type

export const PipelineEvent = Schema.TaggedUnion({
  // Definition
  Defined: {
    id: Text,
    name: Text,
    description: Text,
    text: Text,
    settings: Json,
    definition: Schema.NullOr(Json),
    findings: Schema.Array(Finding),
    signature: Schema.NullOr(Text),
    base: Text
  },

  // Deployment
  DesiredStatusSet: { desired: Desired, reason: Text },
  ProvisioningStarted: {},
  InitializingStarted: {},
  Deployed: {},
  Paused: {},
  Resumed: {},
  BecameUnavailable: { reason: Reason },
  BecameAvailable: {},
  DeploymentFailed: { error: Reason },
  ShutdownStarted: {},
  ShutDown: {},

  // Schedule. Every tick that falls due ends in exactly one `Triggered` or `TickSkipped` (see Tick.ts).
  /**
   * With `anchor`: a schedule takes effect at that instant, and `tick` is its first. Without: the ticks from
   * `tick` to `until` (`count` of them; left out, this one) have come due and wait for their turn.
   */
  Scheduled: {
    tick: Text,
    dueAt: Schema.Int,
    anchor: Schema.optionalKey(Schema.Int),
    until: Schema.optionalKey(Text),
    count: Schema.optionalKey(Count)
  },
  /** From `tick` to `until`, both included, `count` ticks of the schedule; left out, this one. */
  TickSkipped: {
    tick: Text,
    reason: Schema.Literals(["overlap", "missed", "paused", "failed", "unavailable", "shutdown"]),
    until: Schema.optionalKey(Text),
    count: Schema.optionalKey(Count)
  },
  Triggered: { reason: Text, tick: Schema.optionalKey(Text) },

  // Run
  RunStarted: { run: Text, signature: Text, from: Schema.Array(Checkpoint) },
  BatchSealed: {
    run: Text,
    batch: Count,
    attempt: Count,
    generation: Count,
    source: Text,
    range: Schema.Struct({ from: Schema.NullOr(Position), to: Position }),
    offset: Count,
    count: Count,
    digest: Text,
    branches: Schema.Record(Text, SealedBranch),
    totals: Totals,
    letters: Schema.Array(Letter),
    /** Only in a first seal: event time behind the batch, and what each stage with a memory learned from it. */
    time: Schema.optionalKey(SealedTime),
    memory: Schema.optionalKey(Schema.Record(Text, StageDelta))
  },
  StageApplied: {
    stage: Text,
    batch: Count,
    key: Text,
    attempt: Count,
    records: Count,
    lagMs: Count,
    checkpoint: Schema.NullOr(Schema.Struct({ source: Text, batch: Count, offset: Count })),
    receipt: Schema.optionalKey(Json)
  },
  DuplicateSuppressed: { stage: Text, batch: Count, key: Text, attempt: Count },
  OutputFinished: { stage: Text, output: Json },
  Retried: { stage: Text, batch: Schema.NullOr(Count), attempt: Count, reason: Reason, delayMs: Count },
  Completed: { run: Text },
  Failed: { run: Text, reason: Reason },
  Crashed: { run: Text, reason: Reason },
  ReplayStarted: {
    run: Text,
    fromStage: Schema.NullOr(Text),
    from: Schema.Array(Checkpoint),
    generation: Count
  },
  /**
   * A run goes back to what the log said at `version`, and waits there like one that was cut off at that
   * moment. What was sealed later is void, unless `open` names it again (the same generation). `branches`
   * are the sinks that take part, `null` for all; `sources` and `outputs` name only what goes back.
   */
  RunSetBack: {
    run: Text,
    version: Count,
    reason: Text,
    generation: Count,
    fromStage: Schema.NullOr(Text),
    branches: Schema.NullOr(Schema.Array(Text)),
    sources: Schema.Record(
      Text,
      Schema.Struct({
        sealed: Schema.NullOr(Schema.Struct({ position: Position, offset: Count })),
        checkpoint: Schema.NullOr(Checkpoint)
      })
    ),
    /** What each output is cut back to; `null` where nothing of the run was recorded by then. */
    outputs: Schema.Record(Text, Schema.NullOr(Schema.Json)),
    counts: Schema.Struct({
      read: Count,
      delivered: Count,
      filtered: Count,
      unrouted: Count,
      lettered: Count,
      aggregated: Schema.optionalKey(Count),
      batches: Count,
      applied: Schema.Record(Text, Count)
    }),
    open: Schema.Array(RestoredBatch),
    /** Left out where the run remembers nothing. */
    memory: Schema.optionalKey(RestoredMemory),
    /** Redrives whose effects came after that version: they are done again, under the keys they had. */
    redrives: Schema.optionalKey(Schema.Array(OpenRedrive))
  },

  // Dead letters. They arise in `BatchSealed`.
  ...deadLetterEvents
})
export type PipelineEvent = typeof PipelineEvent.Type
export type EventOf<Tag extends PipelineEvent["_tag"]> = Extract<PipelineEvent, { readonly _tag: Tag }>

export const {
  Defined,
  DesiredStatusSet,
  ProvisioningStarted,
  InitializingStarted,
  Deployed,
  Paused,
  Resumed,
  BecameUnavailable,
  BecameAvailable,
  DeploymentFailed,
  ShutdownStarted,
  ShutDown,
  Scheduled,
  TickSkipped,
  Triggered,
  RunStarted,
  BatchSealed,
  StageApplied,
  DuplicateSuppressed,
  OutputFinished,
  Retried,
  Completed,
  Failed,
  Crashed,
  ReplayStarted,
  RunSetBack,
  RedriveRequested,
  RedriveSealed,
  RedriveApplied,
  RedrivesWithdrawn,
  RedrivesStalled,
  DeadLettersDiscarded,
  OutputsPublished
} = PipelineEvent.cases

/** The stream of the pipeline with this id. */
export const pipelineStream = (id: string): string => `pipeline/${id}`
