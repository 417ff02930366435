/**
 * Time travel: the state of a pipeline as it was, and what is different between two such states.
 *
 * Nothing but the state is held. The actor's snapshot is where folding begins if it is not later than what is
 * asked for; what is older is folded from the start.
 *
 * @module
 */
import { Effect, Option, Schema, Stream } from "effect"
import type { StoredEvent } from "../../../events/StoredEvent.ts"
import type { UndecodableEvent } from "../../../events/upcast.ts"
import * as PipelineState from "../../../projections/PipelineState.ts"
import { type Difference, diff } from "../../../projections/StateDiff.ts"
import type { EventLog, LogError } from "../../log/EventLog.ts"
import { snapshotName } from "../loadState.ts"
import { type Folded, foldEvents } from "./foldStream.ts"

type Log = EventLog["Service"]

/** After the event of this version, or after the last one that is not later than this time (ms since 1970). */
export type Moment = { readonly version: number } | { readonly time: number }

/** `at` is the time of the event, ms since 1970; `null` before the first one. */
export interface PastState {
  readonly version: number
  readonly at: number | null
  readonly state: PipelineState.PipelineState
}

export interface StateDiff {
  readonly from: Omit<PastState, "state">
  readonly to: Omit<PastState, "state">
  readonly differences: ReadonlyArray<Difference>
}

/** The log does not go as far. */
export class UnknownVersion extends Schema.TaggedError<UnknownVersion>()("UnknownVersion", {
  version: Schema.Int,
  /** Where the log ends. */
  last: Schema.Int,
  message: Schema.String
}) {}

export type PastError = LogError | UndecodableEvent | UnknownVersion

/** The state at a moment; the present one when none is given. */
export const stateAt = Effect.fnUntraced(function* (
  log: Log,
  stream: string,
  moment?: Moment
): Effect.fn.Return<PastState, PastError> {
  const version = yield* versionOf(log, stream, moment)
  return yield* stateOf(log, stream, version, beginning)
})

/** What is different at `to`, seen from `from`; either may be the later one. */
export const diffBetween = Effect.fnUntraced(function* (
  log: Log,
  stream: string,
  from: Moment,
  to: Moment
): Effect.fn.Return<StateDiff, PastError> {
  const left = yield* versionOf(log, stream, from)
  const right = yield* versionOf(log, stream, to)
  // What is folded for the earlier one is not folded again for the later.
  const earlier = yield* stateOf(log, stream, Math.min(left, right), beginning)
  const later = yield* stateOf(log, stream, Math.max(left, right), earlier)
  const [before, after] = left <= right ? [earlier, later] : [later, earlier]
  const { state: was, ...fromHere } = before
  const { state: is, ...toHere } = after
  return { from: fromHere, to: toHere, differences: diff(was, is) }
})

/**
 * The version at a moment, by a few single reads however long the log is. Where the clock was set back several
 * events end a stretch that is not later than a time; one of them is answered.
 */
const versionOf = Effect.fnUntraced(function* (
  log: Log,
  stream: string,
  moment: Moment | undefined
): Effect.fn.Return<number, LogError | UnknownVersion> {
  if (moment === undefined) return yield* lastWhere(log, stream, () => true)
  if ("time" in moment) return yield* lastWhere(log, stream, ({ at }) => at <= moment.time)
  const { version } = moment
  if (version === 0 || (yield* rowAt(log, stream, version)) !== undefined) return version
  const last = yield* lastWhere(log, stream, () => true)
  return yield* new UnknownVersion({
    version,
    last,
    message: `the log ends at version ${last}, there is no ${version}`
  })
})

/** The last version whose event, and every one before it, is as asked; 0 for none. */
const lastWhere = Effect.fnUntraced(function* (log: Log, stream: string, is: (row: StoredEvent) => boolean) {
  const holds = (version: number) =>
    Effect.map(rowAt(log, stream, version), (row) => row !== undefined && is(row))
  let yes = 0
  let no = 1
  while (yield* holds(no)) {
    yes = no
    no *= 2
  }
  while (no - yes > 1) {
    const middle = Math.floor((yes + no) / 2)
    if (yield* holds(middle)) yes = middle
    else no = middle
  }
  return yes
})

const rowAt = (log: Log, stream: string, version: number): Effect.Effect<StoredEvent | undefined, LogError> =>
  Effect.map(Stream.runHead(log.read(stream, { after: version - 1, limit: 1 })), Option.getOrUndefined)

const beginning: Folded<PipelineState.PipelineState> = { state: PipelineState.initial, version: 0 }

const stateOf = Effect.fnUntraced(function* (
  log: Log,
  stream: string,
  version: number,
  known: Folded<PipelineState.PipelineState>
) {
  const saved = Option.filter(
    yield* log.loadSnapshot(stream, snapshotName, PipelineState.foldVersion),
    (snapshot) => snapshot.version <= version && snapshot.version > known.version
  )
  const from = Option.match(saved, {
    onNone: () => known,
    onSome: ({ state, version: of }) => ({
      version: of,
      state: JSON.parse(state) as PipelineState.PipelineState
    })
  })
  const { state } = yield* foldEvents(log, { stream, until: version }, from, PipelineState.evolve)
  const row = version === 0 ? undefined : yield* rowAt(log, stream, version)
  return { version, at: row?.at ?? null, state }
})
