/**
 * `millrace graph`: the stages of a pipeline and how records move between them.
 *
 * @module
 */
import { existsSync } from "node:fs"
import { Effect, Option, Result } from "effect"
import { Argument, Command, Flag } from "effect/cli"
import { type Definition, decodeDefinition } from "../../events/Definition.ts"
import { isError } from "../../events/Finding.ts"
import type { PipelineState } from "../../projections/PipelineState.ts"
import { CliFailure } from "./CliFailure.ts"
import { exitCode } from "./exitCode.ts"
import { graphMermaid } from "./graphMermaid.ts"
import { graphSvg } from "./graphSvg.ts"
import { graphText } from "./graphText.ts"
import { findPipeline, onLog } from "./openLog.ts"
import { readState } from "./readPipeline.ts"
import { answer, findingLines, say } from "./report.ts"
import { onGivenService, Service } from "./Service.ts"
import { styleOf } from "./terminal.ts"

const formats = ["text", "mermaid", "svg"] as const
type Format = (typeof formats)[number]

export const graph = Command.make(
  "graph",
  {
    pipeline: Argument.String("file or name").pipe(
      Argument.withDescription("A pipeline file, or the name of a pipeline in the log")
    ),
    format: Flag.Literals("format", formats).pipe(
      Flag.withDescription("How to draw it"),
      Flag.withDefault("text" as const)
    )
  },
  ({ format, pipeline }) => showGraph(pipeline, format)
).pipe(
  Command.withDescription("Draw the stage graph of a pipeline"),
  Command.withExamples([
    { command: "millrace graph delayed-flights.yaml", description: "As text" },
    { command: "millrace graph delayed-flights --format svg > graph.svg", description: "As a picture" }
  ])
)

const showGraph = Effect.fnUntraced(function* (pipeline: string, format: Format) {
  const looksLikeFile = /[./\\]/.test(pipeline) || existsSync(pipeline)
  const definition = yield* looksLikeFile ? fromFile(pipeline) : deployed(pipeline)
  const drawn = draw[format](definition)
  yield* answer("graph", { name: definition.name, format, graph: drawn }, () => [drawn.trimEnd()])
})

const draw: Readonly<Record<Format, (definition: Definition) => string>> = {
  text: graphText,
  mermaid: graphMermaid,
  svg: graphSvg
}

const fromFile = Effect.fnUntraced(function* (path: string) {
  const { readPipelineFile } = yield* Effect.promise(() => import("./pipelineFiles.ts"))
  const { builtinDrivers } = yield* Effect.promise(() => import("../drivers/builtin.ts"))
  const file = yield* readPipelineFile(path, new Map(builtinDrivers.map((driver) => [driver.name, driver])))
  if (file.definition !== undefined) return file.definition
  const style = styleOf(process.stderr)
  yield* say(file.findings.flatMap((each) => findingLines(each, style)))
  const { code, message, pointer, suggestion } = file.findings.find(isError)!
  return yield* new CliFailure({
    exit: exitCode.badInput,
    code,
    message,
    pointer,
    ...(suggestion === undefined ? {} : { suggestion }),
    told: "person"
  })
})

const deployed = Effect.fnUntraced(function* (name: string) {
  const served = yield* onGivenService(fromService(name))
  return Option.isSome(served) ? served.value : yield* onLog(fromLog(name))
})

/** The state is the fold of the log wherever it is read, so it holds the definition in force. */
const fromService = Effect.fnUntraced(function* (name: string) {
  const { client } = yield* Service
  const { state } = yield* client.history.getState({ params: { name }, query: {} })
  return yield* inForce(name, state as Partial<PipelineState> | null)
})

const fromLog = Effect.fnUntraced(function* (name: string) {
  const { stream } = yield* findPipeline(name)
  return yield* inForce(name, yield* readState(stream))
})

const inForce = Effect.fnUntraced(function* (name: string, state: Partial<PipelineState> | null) {
  const definition = decodeDefinition(state?.definition?.definition)
  return Result.isSuccess(definition)
    ? definition.success
    : yield* new CliFailure({
        exit: exitCode.failed,
        code: "no_definition",
        message: `${name} has no valid definition`,
        suggestion: "`millrace check` on its file shows why"
      })
})
