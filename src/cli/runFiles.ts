/**
 * The work behind `millrace run`.
 *
 * A file with findings is not defined and not run; the other files are. Every pipeline runs in a scope
 * of its own on one log, so one that fails does not stop the others.
 *
 * @module
 */
import { userInfo } from "node:os"
import { Cause, Clock, Effect, Exit, Layer } from "effect"
import { type Definition, encodeDefinition } from "../../events/Definition.ts"
import { type Finding, isError } from "../../events/Finding.ts"
import { signature } from "../config/PipelineFile.ts"
import { builtinDrivers } from "../drivers/builtin.ts"
import { Drivers } from "../drivers/Drivers.ts"
import { layerSqlite } from "../log/Sqlite.ts"
import { Pipelines } from "../pipeline/Pipelines.ts"
import { runOnce } from "../pipeline/runOnce.ts"
import { CliFailure, failureOf } from "./CliFailure.ts"
import { combined, exitCode, signalCode } from "./exitCode.ts"
import { DataDirectory, Json } from "./globalFlags.ts"
import { findingsOf, type ReadFile, readPipelineFiles } from "./pipelineFiles.ts"
import { type Board, openBoard } from "./progress.ts"
import { answer, errorBody, failureLines, say, writeOut } from "./report.ts"
import { type Ended, endOf, resultOf, summary } from "./runSummary.ts"
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
    const findings = read.flatMap((file) => file.findings)
    const bad = findings.find(isError)
    const ended = valid.length === 0 ? [] : yield* runAll(valid, abandon)
    yield* tell(ended, findings, bad === undefined ? [] : [badFile(bad)])
  },
  Effect.provide(Drivers.layer(builtinDrivers))
)

const runAll = Effect.fnUntraced(function* (files: ReadonlyArray<Valid>, abandon: boolean) {
  const directory = yield* DataDirectory
  const layer = Layer.provideMerge(Pipelines.layerLocal, layerSqlite({ directory }))
  const board = yield* openBoard
  const run = Effect.forEach(files, (file) => runFile(file, abandon, board), { concurrency: "unbounded" })
  return yield* run.pipe(Effect.provide(layer), Effect.ensuring(board.close))
}, Effect.scoped)

const runFile = Effect.fnUntraced(function* (file: Valid, abandon: boolean, board: Board) {
  const { definition } = file
  const signals = yield* Signals
  const began = yield* Clock.currentTimeMillis
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
    stop: Effect.andThen(signals.drain, board.note(definition.name, "stopping: writing what is in flight")),
    onStarted: (pipeline, resumedFrom) => board.add(definition.name, pipeline, resumedFrom)
  }).pipe(Effect.scoped, Effect.exit)
  yield* board.remove(definition.name)
  const durationMs = (yield* Clock.currentTimeMillis) - began
  if (Exit.isSuccess(exit)) return endOf(definition.name, exit.value, durationMs, signals.received())
  return {
    name: definition.name,
    failure: failureOf(Cause.squash(exit.cause)),
    durationMs,
    ran: undefined
  } satisfies Ended
})

/** Answers, and fails with the one exit code of everything that went wrong. */
const tell = Effect.fnUntraced(function* (
  ended: ReadonlyArray<Ended>,
  findings: ReadonlyArray<Finding>,
  badFiles: ReadonlyArray<CliFailure>
) {
  const json = yield* Json
  const [out, err] = [styleOf(process.stdout), styleOf(process.stderr)]
  const result = { pipelines: ended.flatMap(resultOf), findings }
  const failures = [...badFiles, ...ended.flatMap(({ failure }) => (failure === undefined ? [] : [failure]))]
  if (failures.length === 0)
    return yield* answer("run", result, () => ended.flatMap((one) => summary(one, out)))
  if (!json) {
    for (const one of ended) {
      const lines = summary(one, out)
      if (lines.length > 0) yield* writeOut(`${lines.join("\n")}\n`)
      if (one.failure === undefined) continue
      const named = { ...errorBody(one.failure)!, message: `${one.name}: ${one.failure.message}` }
      yield* say(failureLines(named, err))
    }
  }
  const signal = (yield* Signals).received()
  const wasCutOff = signal !== undefined && failures.some(({ code }) => code === "interrupted")
  const exit = wasCutOff ? signalCode[signal] : combined(failures.map((failure) => failure.exit))
  const { code, message, pointer, suggestion } = failures[0]!
  return yield* new CliFailure({
    exit,
    code,
    message,
    ...(pointer === undefined ? {} : { pointer }),
    ...(suggestion === undefined ? {} : { suggestion }),
    result,
    told: "person"
  })
})

const badFile = ({ code, message, pointer, suggestion }: Finding): CliFailure =>
  new CliFailure({
    exit: exitCode.badInput,
    code,
    message,
    pointer,
    ...(suggestion === undefined ? {} : { suggestion })
  })

const localUser = (): string => {
  try {
    return userInfo().username
  } catch {
    // A container may run under a number that has no name.
    return "local"
  }
}
