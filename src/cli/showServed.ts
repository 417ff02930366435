/**
 * `millrace show` of a service: the same answer, put together from its operations, so that a long history
 * stays where it is.
 *
 * @module
 */
import { Effect } from "effect"
import * as PipelineState from "../../projections/PipelineState.ts"
import type { SelectedPipeline } from "../api/PipelineResource.ts"
import type { Run } from "../api/Run.ts"
import { eventTimeJson, eventTimeRows } from "./eventTime.ts"
import { answer } from "./report.ts"
import { runWord, wasStopped } from "./runWord.ts"
import { Service } from "./Service.ts"
import { failureLines, lettersLine } from "./showLines.ts"
import { grouped, plural, type Style, shown, styleOf, table } from "./terminal.ts"

/** `runsShown` is how many of the last runs are told. */
export const showServed = Effect.fnUntraced(function* (name: string, runsShown: number) {
  const { client, name: place } = yield* Service
  const params = { name }
  const pipeline = yield* client.pipelines.getPipeline({ params, query: { selector: "status" } })
  const [past, { runs }, letters, { stages }] = yield* Effect.all(
    [
      client.history.getState({ params, query: {} }),
      client.history.getRuns({ params, query: { limit: runsShown } }),
      client.deadLetters.listDeadLetters({ params, query: { limit: 1 } }),
      client.history.getStats({ params })
    ],
    { concurrency: "unbounded" }
  )
  // The fold of the log, wherever it was made; a service of another release may leave something out of it.
  const state = { ...PipelineState.initial, ...(past.state as Partial<PipelineState.PipelineState> | null) }
  const result = {
    ...identityOf(pipeline),
    log_version: past.version,
    last_event_at: past.at,
    base: state.definition?.base ?? null,
    signature: state.definition?.signature ?? null,
    definition: state.definition?.definition ?? null,
    findings: state.definition?.findings ?? [],
    generation: state.generation,
    run: state.run === null ? null : (runs[0] ?? null),
    checkpoints: PipelineState.checkpoints(state),
    ...eventTimeJson(state),
    outputs: state.run?.outputs ?? {},
    open_batches: state.open.length,
    dead_letters: letters.total,
    stages: stages.map((of) => ({
      stage: of.stage,
      batches: of.batches,
      records: of.records,
      lag_ms_last: of.lag_ms_last,
      lag_ms_max: of.lag_ms_max,
      retries: of.retries
    })),
    runs: runs.toReversed(),
    // The service itself has said how it is.
    left_behind: false,
    owner: null
  }
  yield* answer("show", result, () => servedLines(result, state, place, styleOf(process.stdout)))
})

const identityOf = (pipeline: SelectedPipeline) => {
  const trouble = pipeline.deployment_error
  return {
    name: pipeline.name,
    id: pipeline.id,
    description: pipeline.description,
    version: pipeline.version,
    deployment_status: pipeline.deployment_status,
    deployment_desired_status: pipeline.deployment_desired_status,
    deployment_error: trouble === null ? null : { code: trouble.error_code, message: trouble.message },
    lifecycle: pipeline.lifecycle
  }
}

type Shown = ReturnType<typeof identityOf> & {
  readonly log_version: number
  readonly last_event_at: string | null
  readonly checkpoints: ReadonlyArray<{
    readonly source: string
    readonly offset: number
    readonly batch: number
  }>
  readonly open_batches: number
  readonly dead_letters: number
  readonly run: Run | null
}

const servedLines = (
  of: Shown,
  state: PipelineState.PipelineState,
  place: string,
  style: Style
): ReadonlyArray<string> => [
  `${style.bold(shown(of.name))}${of.description === "" ? "" : `  ${shown(of.description)}`}`,
  "",
  ...table([
    ["  run", wasStopped(state) ? runWord({ ...state, deployment: of.deployment_status }) : of.lifecycle],
    ["  deployment", `${of.deployment_status}, wanted ${of.deployment_desired_status}`],
    ["  definition", `version ${of.version} on ${shown(place)}`],
    ["  log", `${plural(of.log_version, "event")}, the last one ${shown(of.last_event_at ?? "-")}`]
  ]),
  ...(of.deployment_error === null
    ? []
    : [`  ${style.red(`✗ ${of.deployment_error.code}`)}  ${shown(of.deployment_error.message)}`]),
  ...(of.run === null ? [] : ["", style.bold("Last run"), ...runLines(of, of.run, state, style)])
]

const runLines = (
  of: Shown,
  run: Run,
  state: PipelineState.PipelineState,
  style: Style
): ReadonlyArray<string> => [
  ...table([
    ["  id", shown(run.run)],
    ["  started", shown(run.started_at)],
    ...(run.ended_at === null
      ? []
      : [[`  ${wasStopped(state) ? "stopped" : run.outcome.toLowerCase()}`, shown(run.ended_at)]]),
    ...(run.resumes === 0 ? [] : [["  resumed", plural(run.resumes, "time")]]),
    ["  read", plural(run.read, "record")],
    ["  filtered", grouped(run.filtered)],
    ...(run.unrouted === 0 ? [] : [["  unrouted", grouped(run.unrouted)]]),
    ...(run.aggregated === undefined ? [] : [["  aggregated", grouped(run.aggregated)]]),
    ...Object.entries(run.applied).map(([sink, records]) => [`  → ${shown(sink)}`, grouped(records)]),
    ...of.checkpoints.map(({ batch, offset, source }) => [
      "  checkpoint",
      `${shown(source)} at record ${grouped(offset)}, batch ${batch}`
    ]),
    ...eventTimeRows(state).map(([label, value]) => [`  ${label}`, shown(value)]),
    ...(of.open_batches === 0 ? [] : [["  owed", plural(of.open_batches, "batch", "batches")]]),
    ["  dead letters", lettersLine(run.dead_lettered, of.dead_letters, of.name, style)]
  ]),
  ...failureLines(state, run.failure, style).map((line) => `  ${line}`)
]
