/**
 * The work behind `millrace run`.
 *
 * A file with findings is not defined and not run; the other files are. Every pipeline runs in a scope
 * of its own on one log, so one that fails does not stop the others.
 *
 * @module
 */
import { Cause, Clock, Effect, Exit, Layer } from "effect"
import { type Definition, encodeDefinition } from "../../events/Definition.ts"
import { type Finding, finding, isError } from "../../events/Finding.ts"
import { Drivers } from "../drivers/Drivers.ts"
import { signature } from "../flow/contract/signature.ts"
import { LiveRoster } from "../pipeline/LiveRoster.ts"
import { Pipelines } from "../pipeline/Pipelines.ts"
import { runOnce } from "../pipeline/runOnce.ts"
import { layerTelemetry } from "../server/layerTelemetry.ts"
import { CliFailure, failureOf } from "./CliFailure.ts"
import { driversFor } from "./driversFor.ts"
import { combined, exitCode, signalCode } from "./exitCode.ts"
import { Json } from "./globalFlags.ts"
import { localUser } from "./localUser.ts"
import { layerWriter, logPlace } from "./logPlace.ts"
import { findingJson, findingsOf, readPipelineFiles } from "./pipelineFiles.ts"
import { type Board, openBoard } from "./progress.ts"
import type { ReadFile } from "./ReadFile.ts"
import { answer, failureLines, say, writeErr, writeOut } from "./report.ts"
import { type Ended, failureOfRun, resultOf, summary } from "./runSummary.ts"
import { Signals } from "./Signals.ts"
import { styleOf } from "./terminal.ts"

interface Options {
  readonly files: ReadonlyArray<string>
  readonly abandon: boolean
}

type Valid = ReadFile & { readonly definition: Definition }

export const runFiles = Effect.fnUntraced(
  function* ({ abandon, files }: Options) {
    const read = yield* readPipelineFiles(files)
    const style = styleOf(process.stderr)
    for (const file of read) {
      const lines = findingsOf(file, style, files.length === 1)
      if (lines.length > 0) yield* say(lines)
    }
    const valid = read.filter((file): file is Valid => file.definition !== undefined)
    const bad = read.flatMap((file) => file.findings).find(isError)
    const ended = valid.length === 0 ? [] : yield* runAll(valid, abandon)
    const findings = [
      ...read.flatMap((file) => file.findings.map((each) => findingJson(file.path, each))),
      ...ended.flatMap(({ failure, path }) => refusal(path, failure))
    ]
    const printsRecords = valid.some(({ definition }) => usesConsole(definition))
    yield* tell({ ended, findings, badFiles: bad === undefined ? [] : [badFile(bad)], printsRecords })
  },
  (run) => Effect.flatMap(Json, (json) => Effect.provide(run, Drivers.layer(driversFor(json))))
)

export const usesConsole = ({ stages }: Definition): boolean =>
  Object.values(stages).some(({ sink }) => sink?.use === "console")

const runAll = Effect.fnUntraced(function* (files: ReadonlyArray<Valid>, abandon: boolean) {
  const place = yield* logPlace
  const drain = yield* (yield* Signals).drain
  const layer = Layer.provideMerge(Layer.merge(Pipelines.layerLocal, LiveRoster.layer), layerWriter(place))
  const board = yield* openBoard
  const run = Effect.forEach(files, (file) => runFile(file, { abandon, board, drain }), {
    concurrency: "unbounded"
  })
  return yield* run.pipe(Effect.provide(layer), Effect.ensuring(board.close), Effect.provide(layerTelemetry))
}, Effect.scoped)

interface Surroundings {
  readonly abandon: boolean
  readonly board: Board
  /** Resolves when the run is to stop. */
  readonly drain: Effect.Effect<unknown>
}

const runFile = Effect.fnUntraced(function* (file: Valid, { abandon, board, drain }: Surroundings) {
  const { definition } = file
  const signals = yield* Signals
  const began = yield* Clock.currentTimeMillis
  yield* (yield* Pipelines).provide(definition.name, file.functions)
  const exit = yield* runOnce({
    define: {
      name: definition.name,
      description: definition.description,
      text: file.text,
      settings: {},
      definition: encodeDefinition(definition),
      findings: [],
      signature: signature(definition),
      base: file.base
    },
    by: localUser(),
    reason: "millrace run",
    abandon,
    stop: Effect.andThen(drain, board.note(definition.name, "stopping: writing what is in flight")),
    onStarted: (pipeline, resumedFrom) => board.add(definition.name, pipeline, resumedFrom)
  }).pipe(Effect.scoped, Effect.exit)
  yield* board.remove(definition.name)
  const durationMs = (yield* Clock.currentTimeMillis) - began
  const ran = Exit.isSuccess(exit) ? exit.value : undefined
  return {
    name: definition.name,
    path: file.path,
    durationMs,
    ran,
    failure: Exit.isSuccess(exit)
      ? failureOfRun(definition.name, exit.value.state, signals.received())
      : failureOf(Cause.squash(exit.cause))
  } satisfies Ended
})

/** A run that was refused for what its file says is a finding of that file. */
const refusal = (path: string, failure: CliFailure | undefined) =>
  failure?.exit === exitCode.badInput
    ? [findingJson(path, finding(failure.code, [], failure.message, failure.suggestion))]
    : []

interface Told {
  readonly ended: ReadonlyArray<Ended>
  readonly findings: ReadonlyArray<ReturnType<typeof findingJson>>
  readonly badFiles: ReadonlyArray<CliFailure>
  /** Records were printed to stdout, so nothing else may be. */
  readonly printsRecords: boolean
}

/** Answers, and fails with the one exit code of everything that went wrong. */
const tell = Effect.fnUntraced(function* ({ badFiles, ended, findings, printsRecords }: Told) {
  const failures = [...badFiles, ...ended.flatMap(({ failure }) => (failure === undefined ? [] : [failure]))]
  const result = { pipelines: ended.flatMap(resultOf), findings }
  if (!(yield* Json)) yield* tellPerson(ended, printsRecords)
  else if (failures.length === 0) return yield* answer("run", result, () => [])
  const first = failures[0]
  if (first === undefined) return
  const signal = (yield* Signals).received()
  const wasCutOff = signal !== undefined && failures.some(({ code }) => code === "interrupted")
  const { code, message, pointer, suggestion } = first
  return yield* new CliFailure({
    exit: wasCutOff ? signalCode[signal] : combined(failures.map((failure) => failure.exit)),
    code,
    message,
    ...(pointer === undefined ? {} : { pointer }),
    ...(suggestion === undefined ? {} : { suggestion }),
    result,
    told: "person"
  })
})

export const tellPerson = Effect.fnUntraced(function* (ended: ReadonlyArray<Ended>, printsRecords: boolean) {
  const style = styleOf(printsRecords ? process.stderr : process.stdout)
  const write = printsRecords ? writeErr : writeOut
  for (const one of ended) {
    const lines = summary(one, style)
    if (lines.length > 0) yield* write(`${lines.join("\n")}\n`)
    if (one.failure === undefined) continue
    const named = new CliFailure({ ...one.failure, message: `${one.name}: ${one.failure.message}` })
    yield* say(failureLines(named, styleOf(process.stderr)))
  }
})

const badFile = ({ code, message, pointer, suggestion }: Finding): CliFailure =>
  new CliFailure({
    exit: exitCode.badInput,
    code,
    message,
    pointer,
    ...(suggestion === undefined ? {} : { suggestion })
  })
