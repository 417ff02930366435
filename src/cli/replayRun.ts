/**
 * The work behind `millrace replay`.
 *
 * @module
 */
import { Cause, Clock, DateTime, Effect, Exit, Layer, Option } from "effect"
import { Drivers } from "../drivers/Drivers.ts"
import { EventLog } from "../log/EventLog.ts"
import { Pipelines } from "../pipeline/Pipelines.ts"
import type { Generation, ReplayFrom, ReplayImpact, ReplayRequest } from "../pipeline/replay/ReplayRequest.ts"
import { planReplay, replayOnce } from "../pipeline/replay/replay.ts"
import { CliFailure, failureOf } from "./CliFailure.ts"
import { driversFor } from "./driversFor.ts"
import { exitCode } from "./exitCode.ts"
import { Json } from "./globalFlags.ts"
import { isoTime } from "./isoTime.ts"
import { localUser } from "./localUser.ts"
import { layerWriter, logPlace } from "./logPlace.ts"
import { findPipeline, onLog, requireLog } from "./openLog.ts"
import { ownerOf } from "./owner.ts"
import { openBoard } from "./progress.ts"
import { answer } from "./report.ts"
import { tellPerson } from "./runFiles.ts"
import { type Ended, failureOfRun, resultOf } from "./runSummary.ts"
import { Signals } from "./Signals.ts"
import { grouped, plural, shown } from "./terminal.ts"

interface Options {
  readonly name: string
  readonly from: string
  readonly stage: Option.Option<string>
  readonly generation: Generation
  readonly dryRun: boolean
}

export const replayRun = Effect.fnUntraced(
  function* ({ dryRun, from, generation, name, stage }: Options) {
    const request = { from: yield* placeOf(from), stage: Option.getOrUndefined(stage), generation }
    yield* dryRun ? tellImpact(name, request) : run(name, request)
  },
  (run) => Effect.flatMap(Json, (json) => Effect.provide(run, Drivers.layer(driversFor(json))))
)

const tellImpact = Effect.fnUntraced(function* (name: string, request: ReplayRequest) {
  const place = yield* logPlace
  // A folder nobody holds has nobody at work in it; who holds a database only its server knows.
  const isLeft = place._tag === "Folder" && (yield* ownerOf(place.directory)) === null
  const { impact } = yield* onLog(
    Effect.gen(function* () {
      const { id } = yield* findPipeline(name)
      return yield* planReplay(yield* EventLog, id, request, isLeft)
    })
  )
  yield* answer("replay", { dry_run: true, ...impactJson(name, impact) }, () => impactLines(name, impact))
})

const run = Effect.fnUntraced(function* (name: string, request: ReplayRequest) {
  const place = yield* logPlace
  yield* requireLog
  const layer = Layer.provideMerge(Pipelines.layerLocal, layerWriter(place))
  const drain = yield* (yield* Signals).drain
  const board = yield* openBoard
  const began = yield* Clock.currentTimeMillis
  const exit = yield* Effect.gen(function* () {
    const { id } = yield* findPipeline(name)
    const pipeline = yield* (yield* Pipelines).get(id)
    return yield* replayOnce(pipeline, yield* EventLog, {
      ...request,
      by: localUser(),
      reason: "millrace replay",
      stop: Effect.andThen(drain, board.note(name, "stopping: writing what is in flight")),
      onStarted: (hosted, resumedFrom) => board.add(name, hosted, resumedFrom)
    })
  }).pipe(Effect.scoped, Effect.provide(layer), Effect.exit, Effect.ensuring(board.close))
  if (Exit.isFailure(exit)) return yield* failureOf(Cause.squash(exit.cause))
  const { impact, ...ran } = exit.value
  const durationMs = (yield* Clock.currentTimeMillis) - began
  const failure = failureOfReplay(name, failureOfRun(name, ran.state, (yield* Signals).received()))
  const ended: Ended = { name, path: name, durationMs, ran, failure }
  const result = { dry_run: false, ...impactJson(name, impact), pipelines: resultOf(ended) }
  if (!(yield* Json)) yield* tellPerson([ended], false)
  else if (failure === undefined) return yield* answer("replay", result, () => [])
  if (failure !== undefined) return yield* new CliFailure({ ...failure, result, told: "person" })
}, Effect.scoped)

/** The same command would begin the replay again; a run goes on from where this one stopped. */
const failureOfReplay = (name: string, failure: CliFailure | undefined): CliFailure | undefined =>
  failure?.code === "interrupted"
    ? new CliFailure({
        ...failure,
        suggestion: `\`millrace run\` with the file of ${name} goes on where it stopped`
      })
    : failure

/** `start`, a version, a time, `batch:<n>` or `<source>:<offset>`. */
const placeOf = (text: string): Effect.Effect<ReplayFrom, CliFailure> => {
  if (text === "start") return Effect.succeed("start")
  if (/^\d{1,15}$/.test(text)) return Effect.succeed({ version: Number(text) })
  const time = /^\d{4}-\d\d/.test(text) ? DateTime.make(text) : Option.none()
  if (Option.isSome(time)) return Effect.succeed({ time: DateTime.toEpochMillis(time.value) })
  const [, source, place] = /^(.+):(\d{1,15})$/.exec(text) ?? []
  if (source === undefined) {
    return Effect.fail(
      new CliFailure({
        exit: exitCode.badInput,
        code: "bad_place",
        message: `${JSON.stringify(text)} is no place to replay from`,
        suggestion: "name `start`, a version, a time like 2026-03-29T01:59:59Z, batch:7, or flights:8000"
      })
    )
  }
  return Effect.succeed(
    source === "batch"
      ? { checkpoint: { batch: Number(place) } }
      : { checkpoint: { source, offset: Number(place) } }
  )
}

const impactJson = (name: string, impact: ReplayImpact) => ({
  name,
  run: impact.run,
  version: impact.version,
  at: isoTime(impact.at),
  generation: impact.generation,
  stage: impact.stage,
  sources: impact.sources,
  sinks: impact.sinks,
  dead_letters_voided: impact.lettersVoided
})

const impactLines = (name: string, impact: ReplayImpact): ReadonlyArray<string> => [
  `${shown(name)} would go back to version ${grouped(impact.version)}, ${isoTime(impact.at)}, generation ${impact.generation}`,
  ...impact.sources.map(
    ({ offset, records, source }) =>
      `  ${shown(source)}: from record ${grouped(offset)}, ${plural(records, "record")} to read again`
  ),
  ...impact.sinks.map(
    ({ new: fresh, rewritten, stage, suppressed }) =>
      `  → ${shown(stage)}: ${plural(rewritten, "key")} rewritten, ${grouped(suppressed)} suppressed, ${grouped(fresh)} new`
  ),
  ...(impact.lettersVoided === 0 ? [] : [`  ${plural(impact.lettersVoided, "dead letter")} voided`])
]
