/**
 * `millrace show`: one pipeline, all that is known of it.
 *
 * @module
 */
import { Effect, Option } from "effect"
import { Argument, Command, Flag } from "effect/cli"
import * as PipelineState from "../../projections/PipelineState.ts"
import { EventLog } from "../log/EventLog.ts"
import {
  type PastRun,
  pipelineOf,
  readHistory,
  readLetters,
  readWhy,
  runs as runsOf
} from "../pipeline/History.ts"
import { whyJson } from "../server/historyJson.ts"
import { CliFailure } from "./CliFailure.ts"
import { eventTimeJson } from "./eventTime.ts"
import { exitCode } from "./exitCode.ts"
import { isoTime } from "./isoTime.ts"
import { logPlace } from "./logPlace.ts"
import { findPipeline, onLog } from "./openLog.ts"
import { isLeftBehind, ownerOf } from "./owner.ts"
import { answer } from "./report.ts"
import { onGivenService } from "./Service.ts"
import { type Known, showLines } from "./showLines.ts"
import { styleOf } from "./terminal.ts"
import { whyLines } from "./whyLines.ts"

/** Runs that are listed; all of them are in the log. */
const runsShown = 10

export const show = Command.make(
  "show",
  {
    name: Argument.String("name").pipe(Argument.withDescription("Name of the pipeline")),
    why: Flag.Boolean("why").pipe(
      Flag.withDescription("Show why it is in this state: who asked for what, and what followed"),
      Flag.withDefault(false)
    )
  },
  ({ name, why }) =>
    Effect.gen(function* () {
      if (Option.isSome(why ? yield* onGivenService(whyOfService) : yield* onGivenService(ofService(name))))
        return
      yield* onLog(why ? showWhy(name) : showPipeline(name))
    })
).pipe(
  Command.withDescription("Show a pipeline: definition, run, counts, checkpoints, outputs, dead letters"),
  Command.withExamples([
    { command: "millrace show delayed-flights", description: "Everything about one pipeline" },
    { command: "millrace show delayed-flights --why", description: "Who asked, and what followed" },
    { command: "millrace show delayed-flights --url http://flights:7070", description: "As a service has it" }
  ])
)

/** Loaded where a service is asked. */
const ofService = Effect.fnUntraced(function* (name: string) {
  const { showServed } = yield* Effect.promise(() => import("./showServed.ts"))
  yield* showServed(name, runsShown)
})

const whyOfService = Effect.fail(
  new CliFailure({
    exit: exitCode.badInput,
    code: "needs_the_log",
    message: "why a pipeline is in its state is read from the log itself, not asked of a service",
    suggestion: "leave --url and MILLRACE_URL out, and name its folder with --data-dir"
  })
)

const showPipeline = Effect.fnUntraced(function* (name: string) {
  const { stream } = yield* findPipeline(name)
  const place = yield* logPlace
  const owner = place._tag === "Folder" ? yield* ownerOf(place.directory) : null
  const log = yield* EventLog
  const { state: history } = yield* readHistory(log, stream)
  const letters = yield* readLetters(log, stream, { limit: 1, after: null })
  const known: Known = {
    state: pipelineOf(history),
    runs: runsOf(history, runsShown),
    telemetry: history.telemetry,
    letters: letters.total,
    version: history.version,
    at: history.at
  }
  const leftBehind = place._tag === "Folder" && isLeftBehind(known.state.lifecycle, owner)
  yield* answer("show", { ...resultOf(name, known), left_behind: leftBehind, owner }, () =>
    showLines(name, known, leftBehind, owner, styleOf(process.stdout))
  )
})

const showWhy = Effect.fnUntraced(function* (name: string) {
  const { id, stream } = yield* findPipeline(name)
  const { state: why, version } = yield* readWhy(yield* EventLog, stream)
  const { version: _, ...causes } = whyJson(why, version)
  yield* answer("show", { name, id, log_version: version, why: causes }, () =>
    whyLines(name, why, styleOf(process.stdout))
  )
})

const resultOf = (name: string, { at, letters, runs, state, telemetry, version }: Known) => {
  return {
    name,
    id: state.id,
    description: state.definition?.description ?? "",
    version: state.definition?.version ?? 0,
    log_version: version,
    last_event_at: version === 0 ? null : isoTime(at),
    deployment_status: state.deployment,
    deployment_desired_status: state.desired,
    deployment_error: state.deploymentError,
    lifecycle: state.lifecycle,
    base: state.definition?.base ?? null,
    signature: state.definition?.signature ?? null,
    definition: state.definition?.definition ?? null,
    findings: state.definition?.findings ?? [],
    generation: state.generation,
    run: state.run === null || runs[0] === undefined ? null : historyJson(runs[0]),
    checkpoints: PipelineState.checkpoints(state),
    ...eventTimeJson(state),
    outputs: state.run?.outputs ?? {},
    open_batches: state.open.length,
    dead_letters: letters,
    stages: Object.entries(telemetry.stages).map(([stage, of]) => ({
      stage,
      batches: of.batches,
      records: of.records,
      lag_ms_last: of.lagMsLast,
      lag_ms_max: of.lagMsMax,
      retries: of.retries
    })),
    runs: runs.toReversed().map(historyJson)
  }
}

const historyJson = (run: PastRun) => ({
  run: run.id,
  outcome: run.outcome,
  started_at: isoTime(run.startedAt),
  ended_at: run.endedAt === null ? null : isoTime(run.endedAt),
  resumes: run.resumes,
  failure: run.failure,
  read: run.counts.read,
  filtered: run.counts.filtered,
  unrouted: run.counts.unrouted,
  dead_lettered: run.counts.lettered,
  ...(run.counts.aggregated === undefined ? {} : { aggregated: run.counts.aggregated }),
  applied: run.counts.applied,
  batches: run.counts.batches
})
