/**
 * What people ask of a pipeline's past, read from its log.
 *
 * @module
 */
import { Effect, Result } from "effect"
import { PipelineEvent } from "../../../events/PipelineEvent.ts"
import type { StoredEvent } from "../../../events/StoredEvent.ts"
import { decodePipelineEvent, schemaVersion, type UndecodableEvent } from "../../../events/upcast.ts"
import * as History from "../../../projections/History.ts"
import * as LetterFates from "../../../projections/LetterFates.ts"
import * as LetterPage from "../../../projections/LetterPage.ts"
import * as Why from "../../../projections/Why.ts"
import type { EventLog, LogError } from "../../log/EventLog.ts"
import { loadState } from "../loadState.ts"
import { type Folded, foldEvents, foldRows } from "./foldStream.ts"

type Log = EventLog["Service"]
type ReadError = LogError | UndecodableEvent

/** Its runs, checkpoints, ticks, speed and causes; only what came after `from` is read, and no more than `most` events. */
export const readHistory = (
  log: Log,
  stream: string,
  from: Folded<History.History> = { state: History.initial, version: 0 },
  most = Number.POSITIVE_INFINITY
): Effect.Effect<Folded<History.History>, ReadError> =>
  foldEvents(log, { stream, until: from.version + most }, from, History.evolve)

/** Why it is what it is. Most events change no status: they are passed over without being looked into. */
export const readWhy = (log: Log, stream: string): Effect.Effect<Folded<Why.Why>, ReadError> =>
  foldRows(log, { stream }, { state: Why.initial, version: 0 }, (why, row) =>
    isWithoutMeaning(why, row)
      ? Result.succeed(why)
      : Result.map(decodePipelineEvent(row), (event) => Why.evolve(why, event, row))
  )

/** An event this release does not know may mean anything, so it is not passed over. */
const isWithoutMeaning = (why: Why.Why, row: StoredEvent): boolean =>
  row.schemaVersion <= schemaVersion &&
  Object.hasOwn(PipelineEvent.cases, row.type) &&
  !Why.concerns(why, row.type)

/**
 * A page of the dead letters, how many there are, and their causes if asked for. Held are one page (`LetterPage.pageCharacters`) and the
 * letters of the batches in flight. A log with replays of new generations is read twice, one with redrives also.
 */
export const readLetters = Effect.fnUntraced(function* (
  log: Log,
  stream: string,
  query: LetterPage.LetterQuery
) {
  const { state, version } = yield* loadState(log, stream)
  const part = { stream, until: version }
  const replays = state.generation === 0 ? [] : (yield* readReplays(log, part)).state.found
  const fates = state.bench === undefined ? undefined : (yield* readFates(log, part)).state
  const initial = { state: LetterPage.initial(query, replays, fates), version: 0 }
  let last = 0
  const page = yield* foldEvents(log, part, initial, (of, event, row) => {
    last = row.at
    return LetterPage.evolve(of, event, row.version, row.at)
  })
  return LetterPage.result(page.state, version, last)
})

const readFates = (log: Log, part: { readonly stream: string; readonly until: number }) =>
  foldRows(log, part, { state: LetterFates.initial, version: 0 }, (fates, row) =>
    LetterFates.concerned.has(row.type)
      ? Result.map(decodePipelineEvent(row), (event) => LetterFates.evolve(fates, event))
      : Result.succeed(fates)
  )

interface Replays {
  readonly generation: number
  readonly found: ReadonlyArray<LetterPage.Replay>
}

const readReplays = (log: Log, part: { readonly stream: string; readonly until: number }) =>
  foldRows<Replays>(log, part, { state: { generation: 0, found: [] }, version: 0 }, (state, row) =>
    row.type !== "ReplayStarted" && row.type !== "RunSetBack"
      ? Result.succeed(state)
      : Result.map(decodePipelineEvent(row), (event) => {
          if (event._tag === "RunSetBack") {
            const setBack = { event, isNew: event.generation > state.generation }
            const replay = { version: row.version, run: event.run, from: [], setBack }
            return { generation: event.generation, found: [...state.found, replay] }
          }
          if (!LetterPage.isNewGeneration(state, event)) return state
          const { from, generation, run } = event
          return { generation, found: [...state.found, { version: row.version, run, from }] }
        })
  )
