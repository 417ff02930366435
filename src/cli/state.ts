/**
 * `millrace state`: time travel. The state of a pipeline as it was at a version or a time.
 *
 * @module
 */
import { DateTime, Effect, Option, Stream } from "effect"
import { Argument, Command, Flag } from "effect/cli"
import { decodePipelineEvent } from "../../events/upcast.ts"
import * as PipelineState from "../../projections/PipelineState.ts"
import { EventLog } from "../log/EventLog.ts"
import { snapshotName } from "../pipeline/loadState.ts"
import { CliFailure } from "./CliFailure.ts"
import { exitCode } from "./exitCode.ts"
import { isoTime } from "./isoTime.ts"
import { findPipeline, onLog } from "./openLog.ts"
import { answer } from "./report.ts"
import { shown } from "./terminal.ts"

export const state = Command.make(
  "state",
  {
    name: Argument.String("name").pipe(Argument.withDescription("Name of the pipeline")),
    at: Flag.String("at").pipe(
      Flag.withDescription("A version of its log, or an ISO 8601 time; now when absent"),
      Flag.withMetavar("<version|time>"),
      Flag.optional
    )
  },
  ({ at, name }) => onLog(showState(name, at))
).pipe(
  Command.withDescription("Show the state of a pipeline as it was"),
  Command.withExamples([
    { command: "millrace state delayed-flights --at 12", description: "After its twelfth event" },
    { command: "millrace state delayed-flights --at 2026-03-29T01:59:59Z", description: "At a moment" }
  ])
)

type Moment = { readonly version: number } | { readonly time: number }

const showState = Effect.fnUntraced(function* (name: string, at: Option.Option<string>) {
  const moment = yield* momentOf(Option.getOrElse(at, () => String(Number.MAX_SAFE_INTEGER)))
  const { stream } = yield* findPipeline(name)
  const log = yield* EventLog
  let found = { ...(yield* startFor(log, stream, moment)), at: 0 }
  // The snapshot's own last event comes once more: when that was, only the log knows.
  const rows = Stream.takeWhile(log.read(stream, { after: Math.max(0, found.version - 1) }), (row) =>
    "version" in moment ? row.version <= moment.version : row.at <= moment.time
  )
  yield* Stream.runForEach(rows, (row) =>
    Effect.map(Effect.fromResult(decodePipelineEvent(row)), (event) => {
      const state = row.version > found.version ? PipelineState.evolve(found.state, event) : found.state
      found = { version: row.version, at: row.at, state }
    })
  )
  const { version } = found
  if (Option.isSome(at) && "version" in moment && moment.version > version) {
    return yield* new CliFailure({
      exit: exitCode.badInput,
      code: "unknown_version",
      message: `the log of ${name} ends at version ${version}`,
      suggestion: `name a version from 0 to ${version}, or a time`
    })
  }
  const result = { version, at: version === 0 ? null : isoTime(found.at), state: found.state }
  yield* answer("state", result, () => [
    version === 0 ? "before its first event" : `after event ${version}, ${isoTime(found.at)}`,
    ...JSON.stringify(found.state, null, 2).split("\n").map(shown)
  ])
})

/** A snapshot that is not later than the moment saves reading what led to it; a time may be before any. */
const startFor = Effect.fnUntraced(function* (log: EventLog["Service"], stream: string, moment: Moment) {
  const saved = Option.filter(
    yield* log.loadSnapshot(stream, snapshotName, PipelineState.foldVersion),
    ({ version }) => "version" in moment && version <= moment.version
  )
  return Option.match(saved, {
    onNone: () => ({ version: 0, state: PipelineState.initial }),
    onSome: ({ state, version }) => ({ version, state: JSON.parse(state) as PipelineState.PipelineState })
  })
})

const momentOf = (text: string): Effect.Effect<Moment, CliFailure> => {
  if (/^\d+$/.test(text)) return Effect.succeed({ version: Number(text) })
  const time = /^\d{4}-\d\d/.test(text) ? DateTime.make(text) : Option.none()
  return Option.isSome(time)
    ? Effect.succeed({ time: DateTime.toEpochMillis(time.value) })
    : Effect.fail(
        new CliFailure({
          exit: exitCode.badInput,
          code: "bad_moment",
          message: `${JSON.stringify(text)} is neither a version nor a time`,
          suggestion: "a version is a whole number, a time looks like 2026-03-29T01:59:59Z"
        })
      )
}
