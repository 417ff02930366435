/**
 * Logs with a long history: a real run, killed by its first output, and then the batches it would have had
 * if it had gone on, decided and folded by the engine's own rules and appended to its log.
 *
 * @module
 */
import { existsSync, mkdirSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { Effect, type Layer, Redacted, Result, Schedule, Stream } from "effect"
import { idempotencyKey } from "../../events/Checkpoint.ts"
import type { PipelineEvent } from "../../events/PipelineEvent.ts"
import { decodePipelineEvent, schemaVersion } from "../../events/upcast.ts"
import { lastAttempt } from "../../projections/OpenBatch.ts"
import * as PipelineState from "../../projections/PipelineState.ts"
import * as Roster from "../../projections/Roster.ts"
import type { Applied, JournalEntry, Seal } from "../../src/flow/run/Journal.ts"
import { allStreams, EventLog, type Head, type LogError, type NewEvent } from "../../src/log/EventLog.ts"
import { layerPostgres } from "../../src/log/Postgres.ts"
import * as ReadModel from "../../src/log/ReadModel.ts"
import { layerSqlite } from "../../src/log/Sqlite.ts"
import { decide } from "../../src/pipeline/decide.ts"
import { rosterModel } from "../../src/pipeline/LiveRoster.ts"
import { snapshotName } from "../../src/pipeline/loadState.ts"
import { firstOutput, type Place } from "./firstOutput.ts"
import type { Given } from "./Part.ts"
import { connect, databaseUrl, newDatabase } from "./Postgres.ts"

/** A source without end, and a sink that shows one record and takes the others. */
const pipeline = `name: history
stages:
  numbers:
    source: { use: generator }
  kept:
    from: numbers
    filter: record.value < 0.9
  shown:
    from: kept
    sink: { use: console, limit: 1 }
`

export interface History {
  readonly place: Place
  /** Holds `history.yaml`. */
  readonly folder: string
  readonly stream: string
  readonly version: number
}

export const pipelineFile = "history.yaml"

/** A log in the session's folder, made by whoever asks first. */
export const sqliteHistory = (given: Given, events: number): Promise<History> => {
  const directory = join(folderOf(given), `events-${events}`)
  return prepare(folderOf(given), { directory }, existsSync(directory), events)
}

/** A log in a database of its own on the session's server; `url` is the server's. */
export const postgresHistory = async (given: Given, url: string, events: number): Promise<History> => {
  const name = `events_${events}`
  const marker = join(folderOf(given), name)
  const isThere = existsSync(marker)
  if (!isThere) {
    await newDatabase(url, name)
    writeFileSync(marker, "")
  }
  return prepare(folderOf(given), { url: databaseUrl(url, name) }, isThere, events)
}

export const layerOf = (place: Place): Layer.Layer<EventLog, LogError> =>
  "url" in place ? layerPostgres({ url: Redacted.make(place.url) }) : layerSqlite(place)

const folderOf = (given: Given): string => {
  const folder = join(given.folder, "history")
  mkdirSync(folder, { recursive: true })
  writeFileSync(join(folder, pipelineFile), pipeline)
  return folder
}

const prepare = async (folder: string, place: Place, isThere: boolean, events: number): Promise<History> => {
  if (!isThere) await firstOutput(pipelineFile, folder, place)
  // A server needs a moment to see that the process it spoke with is gone.
  const head = await Effect.runPromise(
    Effect.provide(grow(isThere ? 0 : events), layerOf(place)).pipe(
      Effect.retry({
        while: (error) => error._tag === "LogError" && error.reason._tag === "Locked",
        schedule: Schedule.spaced("50 millis"),
        times: 100
      })
    )
  )
  // The server would do it by itself some time later, in the middle of a measurement.
  if ("url" in place && !isThere) await tellStatistics(place.url)
  return { place, folder, stream: head.stream, version: head.version }
}

const tellStatistics = async (url: string): Promise<void> => {
  const connection = await connect(url)
  await connection.query("vacuum analyze millrace.events")
  await connection.close()
}

/** Events of one append. */
const chunk = 1000
/** An actor that wakes folds half of what may follow a snapshot, on average. */
const afterSnapshot = 500

const grow = Effect.fnUntraced(function* (events: number) {
  const log = yield* EventLog
  const known = (yield* log.heads).find(({ stream }) => stream.startsWith("pipeline/"))!
  if (known.version >= events) return known
  let head: Head = yield* log.claim(known.stream)
  let state = yield* fold(log, head.stream)
  const append = Effect.fnUntraced(function* (upTo: number, settles: boolean) {
    while (head.version < upTo) {
      const entries: Array<PipelineEvent> = []
      while (entries.length < chunk && head.version + entries.length < upTo) {
        const isLast = settles && head.version + entries.length + state.open.length >= upTo
        const next = decided(entryOf(state, isLast), state)
        entries.push(...next)
        state = next.reduce(PipelineState.evolve, state)
      }
      head = yield* log.append(
        head.stream,
        { expectedVersion: head.version, epoch: head.epoch },
        entries.map(stamped)
      )
    }
  })
  yield* append(events - afterSnapshot, false)
  const { stream, version } = head
  const saved = { stream, version, fold: snapshotName, foldVersion: PipelineState.foldVersion }
  yield* log.saveSnapshot({ ...saved, state: JSON.stringify(state) })
  // Every process that writes follows the roster, so a log that has grown in the ordinary way has this one too.
  const roster = yield* ReadModel.read(rosterModel)
  const text = Roster.encode(roster.state)
  yield* log.saveSnapshot({
    ...{ stream: allStreams, version: roster.position, state: text ?? "" },
    ...{ fold: rosterModel.name, foldVersion: rosterModel.foldVersion }
  })
  yield* append(events, true)
  return head
})

const fold = Effect.fnUntraced(function* (log: EventLog["Service"], stream: string) {
  let state = PipelineState.initial
  yield* Stream.runForEach(log.read(stream), (row) =>
    Effect.map(Effect.fromResult(decodePipelineEvent(row)), (event) => {
      state = PipelineState.evolve(state, event)
    })
  )
  return state
})

/** What a worker asks for when it keeps up: what is open is confirmed, the next batch is sealed. */
const entryOf = (state: PipelineState.PipelineState, isLast: boolean): JournalEntry => ({
  applied: state.open.map(
    (open): Applied => ({
      stage: "shown",
      batch: open.batch,
      key: idempotencyKey({
        pipeline: state.id,
        generation: open.generation,
        batch: open.batch,
        stage: "shown"
      }),
      attempt: lastAttempt(open),
      records: open.attempts[lastAttempt(open)]!.branches.shown!.records,
      lagMs: 12,
      duplicate: false,
      receipt: null
    })
  ),
  seals: isLast ? [] : [sealOf(state)]
})

const batchRecords = 1000

const sealOf = (state: PipelineState.PipelineState): Seal => {
  const sealed = state.run?.sources.numbers?.sealed ?? null
  const offset = sealed?.offset ?? 0
  const outcome = { delivered: 900, filtered: 100, unrouted: 0, lettered: 0 }
  return {
    batch: state.nextBatch,
    attempt: 1,
    source: "numbers",
    range: { from: sealed?.position ?? null, to: offset + batchRecords },
    offset,
    count: batchRecords,
    digest: "0123456789abcdef".repeat(4),
    branches: { shown: { records: outcome.delivered, ...outcome } },
    totals: outcome,
    letters: []
  }
}

const decided = (entry: JournalEntry, state: PipelineState.PipelineState): ReadonlyArray<PipelineEvent> =>
  Result.getOrThrow(decide({ _tag: "Record", entry }, state))

let ids = 0
const session = crypto.randomUUID().slice(0, 24)

const stamped = (event: PipelineEvent): NewEvent => ({
  eventId: session + (ids++).toString(16).padStart(12, "0"),
  type: event._tag,
  schemaVersion,
  payload: JSON.stringify(event),
  at: 1_767_225_600_000 + ids,
  by: "engine",
  causationId: null,
  correlationId: null
})
