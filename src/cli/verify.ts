/**
 * `millrace verify`: is the log what was written, and does it still mean the same?
 *
 * @module
 */
import { isDeepStrictEqual } from "node:util"
import { Effect, Option, Result } from "effect"
import { Argument, Command } from "effect/cli"
import { catalogStream } from "../../events/CatalogEvent.ts"
import type { StoredEvent } from "../../events/StoredEvent.ts"
import { decodeCatalogEvent, decodePipelineEvent } from "../../events/upcast.ts"
import * as PipelineState from "../../projections/PipelineState.ts"
import { EventLog, type Snapshot } from "../log/EventLog.ts"
import { type BadRow, verify as walk } from "../log/verify.ts"
import { snapshotName } from "../pipeline/loadState.ts"
import { CliFailure } from "./CliFailure.ts"
import { exitCode } from "./exitCode.ts"
import { findPipeline, onLog } from "./openLog.ts"
import { answer } from "./report.ts"
import { plural, styleOf } from "./terminal.ts"
import { verifyRoster } from "./verifyRoster.ts"

export const verify = Command.make(
  "verify",
  {
    name: Argument.String("name").pipe(
      Argument.withDescription("Only this pipeline; all of the log when absent"),
      Argument.optional
    )
  },
  ({ name }) => onLog(verifyLog(name))
).pipe(
  Command.withDescription("Walk the hash chain, fold everything twice, compare the saved snapshots"),
  Command.withExamples([
    { command: "millrace verify", description: "The whole log" },
    { command: "millrace verify delayed-flights", description: "The events of one pipeline" }
  ])
)

const verifyLog = Effect.fnUntraced(function* (name: Option.Option<string>) {
  const stream = Option.isNone(name) ? undefined : (yield* findPipeline(name.value)).stream
  const folds = makeFolds(yield* snapshotsOf(stream))
  const roster = stream === undefined ? yield* verifyRoster : undefined
  const onEvent = (row: StoredEvent): void => {
    folds.step(row)
    roster?.step(row)
  }
  const { events, firstBad, streams } = yield* walk({ stream, onEvent })
  const bad = firstBad ?? folds.end() ?? roster?.end() ?? null
  const result = {
    streams,
    events,
    first_bad: bad === null ? null : { stream: bad.stream, version: bad.version, reason: bad.reason }
  }
  if (bad !== null) {
    return yield* new CliFailure({
      exit: exitCode.failed,
      code: "log_not_intact",
      message: `${bad.stream}, version ${bad.version}: ${bad.reason}`,
      suggestion: "keep a copy of the data directory for inspection and restore the last good backup",
      result
    })
  }
  yield* answer("verify", result, () => [
    `${styleOf(process.stdout).green("✓")} the log is intact: ${plural(events, "event")} in ${plural(streams, "stream")}`
  ])
})

const snapshotsOf = Effect.fnUntraced(function* (stream: string | undefined) {
  const log = yield* EventLog
  const snapshots = new Map<string, Snapshot>()
  for (const head of yield* log.heads) {
    if (stream !== undefined && head.stream !== stream) continue
    const saved = yield* log.loadSnapshot(head.stream, snapshotName, PipelineState.foldVersion)
    if (Option.isSome(saved)) snapshots.set(head.stream, saved.value)
  }
  return snapshots
})

interface Fold {
  once: PipelineState.PipelineState
  again: PipelineState.PipelineState
  version: number
}

/**
 * Two folds of every pipeline, side by side and sharing nothing, and at a snapshot's version a third
 * opinion. Memory grows with the number of pipelines, not of events.
 */
const makeFolds = (snapshots: ReadonlyMap<string, Snapshot>) => {
  const folds = new Map<string, Fold>()
  let firstBad: BadRow | null = null
  const bad = ({ stream, version }: Pick<StoredEvent, "stream" | "version">, reason: string) => {
    firstBad ??= { stream, version, reason }
  }
  const step = (row: StoredEvent): void => {
    if (firstBad !== null) return
    if (row.stream === catalogStream) {
      const event = decodeCatalogEvent(row)
      if (Result.isFailure(event)) bad(row, event.failure.message)
      return
    }
    const [event, same] = [decodePipelineEvent(row), decodePipelineEvent(row)]
    if (Result.isFailure(event) || Result.isFailure(same)) {
      bad(row, Result.isFailure(event) ? event.failure.message : "the event could be read only once")
      return
    }
    const fold = folds.get(row.stream) ?? {
      once: PipelineState.initial,
      again: PipelineState.initial,
      version: 0
    }
    folds.set(row.stream, fold)
    fold.once = PipelineState.evolve(fold.once, event.success)
    fold.again = PipelineState.evolve(fold.again, same.success)
    fold.version = row.version
    const snapshot = snapshots.get(row.stream)
    if (snapshot?.version === row.version && !isSame(fold.once, snapshot.state)) {
      bad(row, "the saved snapshot differs from what the events fold to")
    }
  }
  const end = (): BadRow | null => {
    for (const [stream, { again, once, version }] of folds) {
      if (!isDeepStrictEqual(once, again)) bad({ stream, version }, "two folds of the same events differ")
    }
    for (const [stream, { version }] of snapshots) {
      const last = folds.get(stream)?.version ?? 0
      if (version > last) bad({ stream, version }, `a snapshot is ahead of the events, which end at ${last}`)
    }
    return firstBad
  }
  return { step, end }
}

/** As JSON, which is what a snapshot can hold. */
const isSame = (state: PipelineState.PipelineState, text: string): boolean => {
  try {
    return isDeepStrictEqual(JSON.parse(JSON.stringify(state)), JSON.parse(text))
  } catch {
    return false
  }
}
