/**
 * The story of a pipeline's last run, in the log as it is now: which versions it can go back to.
 *
 * @module
 */
import { Effect, Stream } from "effect"
import type { PipelineEvent } from "../../../events/PipelineEvent.ts"
import type { StoredEvent } from "../../../events/StoredEvent.ts"
import { decodePipelineEvent, type UndecodableEvent } from "../../../events/upcast.ts"
import * as DeadLetters from "../../../projections/DeadLetters.ts"
import { own } from "../../../projections/own.ts"
import * as PipelineState from "../../../projections/PipelineState.ts"
import type { Receipt } from "../../drivers/Sink.ts"
import type { EventLog, LogError } from "../../log/EventLog.ts"
import { withoutBytes } from "./withoutBytes.ts"

/** From one version to another, both included. */
interface Span {
  readonly from: number
  readonly to: number
}

export interface Timeline {
  readonly state: PipelineState.PipelineState
  readonly head: number
  /** The version of the last `RunStarted`; 0 when there is none. */
  readonly start: number
  /** What of the last run still counts: a run that was set back has left out what came in between. */
  readonly live: ReadonlyArray<Span>
  /** By sink, what its output was when the run first sealed something for it. C13 */
  readonly bases: ReadonlyMap<string, Receipt>
  /** Without what they say: only which records they are about. */
  readonly letters: DeadLetters.DeadLetters
}

/** Memory is bounded by what the fold keeps and, for a letter, its place. */
export const readTimeline = Effect.fnUntraced(function* (
  log: EventLog["Service"],
  stream: string
): Effect.fn.Return<Timeline, LogError | UndecodableEvent> {
  let state = PipelineState.initial
  let letters = DeadLetters.initial
  let [head, start] = [0, 0]
  let live: ReadonlyArray<Span> = []
  let bases = new Map<string, Receipt>()
  yield* eachEvent(log, stream, 0, (event, { version }) => {
    if (event._tag === "RunStarted") {
      start = version
      bases = new Map()
      live = [{ from: version, to: Number.MAX_SAFE_INTEGER }]
    }
    if (event._tag === "RunSetBack") live = without(live, event.version, version)
    if (event._tag === "BatchSealed" || event._tag === "RedriveSealed") {
      for (const [stage, { base }] of Object.entries(event.branches)) {
        if (base !== undefined && !bases.has(stage)) bases.set(stage, base)
      }
    }
    state = PipelineState.evolve(state, event)
    letters = DeadLetters.evolve(letters, withoutBytes(event))
    head = version
    return true
  })
  return { state, head, start, live, bases, letters }
})

/** Goes through the events after a version as long as `next` says so. */
export const eachEvent = (
  log: EventLog["Service"],
  stream: string,
  after: number,
  next: (event: PipelineEvent, row: StoredEvent) => boolean
): Effect.Effect<void, LogError | UndecodableEvent> =>
  Stream.runForEachWhile(log.read(stream, { after }), (row) =>
    Effect.map(Effect.fromResult(decodePipelineEvent(row)), (event) => next(event, row))
  )

export const isLive = ({ live }: Pick<Timeline, "live">, version: number): boolean =>
  live.some(({ from, to }) => from <= version && version <= to)

const without = (live: ReadonlyArray<Span>, to: number, at: number): ReadonlyArray<Span> => [
  ...live.filter(({ from }) => from <= to).map((span) => ({ from: span.from, to: Math.min(span.to, to) })),
  { from: at, to: Number.MAX_SAFE_INTEGER }
]

/** The receipt of an output as the log had it: of the run so far, or what it was before its first seal. */
export const receiptAt = (
  state: PipelineState.PipelineState,
  { bases }: Timeline,
  stage: string
): Receipt | null => own(state.run?.outputs, stage)?.receipt ?? bases.get(stage) ?? null
