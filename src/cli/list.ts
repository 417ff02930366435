/**
 * `millrace list`: the pipelines of a data directory.
 *
 * @module
 */
import { Effect } from "effect"
import { Command } from "effect/cli"
import { pipelineStream } from "../../events/PipelineEvent.ts"
import { type LogPlace, logPlace } from "./logPlace.ts"
import { hasLog, onLog, readCatalog } from "./openLog.ts"
import { isLeftBehind, ownerLine, ownerOf } from "./owner.ts"
import { readState } from "./readPipeline.ts"
import { answer } from "./report.ts"
import { shown, styleOf, table } from "./terminal.ts"

export const list = Command.make("list", {}, () =>
  Effect.gen(function* () {
    const place = yield* logPlace
    if (place._tag === "Database" || hasLog(place.directory)) return yield* onLog(listPipelines(place))
    yield* answer("list", { pipelines: [], owner: null }, () => [
      `No pipelines: there is no log in ${place.name}.`
    ])
  })
).pipe(
  Command.withDescription("List the pipelines and how they are"),
  Command.withExamples([
    { command: "millrace list", description: "The pipelines of .millrace" },
    {
      command: "millrace list --data-dir /var/lib/millrace --json",
      description: "Of another folder, for a program"
    }
  ])
)

const listPipelines = Effect.fnUntraced(function* (place: LogPlace) {
  // Who holds a database only its server knows, and it does not tell everybody.
  const owner = place._tag === "Folder" ? yield* ownerOf(place.directory) : null
  const pipelines = yield* Effect.forEach(
    Object.entries((yield* readCatalog).names),
    Effect.fnUntraced(function* ([id, name]) {
      const state = yield* readState(pipelineStream(id))
      return {
        name,
        id,
        deployment_status: state.deployment,
        deployment_desired_status: state.desired,
        lifecycle: state.lifecycle,
        version: state.definition?.version ?? 0,
        left_behind: place._tag === "Folder" && isLeftBehind(state.lifecycle, owner)
      }
    })
  )
  yield* answer("list", { pipelines, owner }, () => {
    if (pipelines.length === 0) return ["No pipelines yet."]
    const style = styleOf(process.stdout)
    const rows = pipelines.map((one) => [
      shown(one.name),
      one.left_behind ? `${one.lifecycle}*` : one.lifecycle,
      one.deployment_status,
      one.deployment_desired_status,
      String(one.version)
    ])
    const [head = "", ...lines] = table([["NAME", "RUN", "DEPLOYMENT", "DESIRED", "VERSION"], ...rows], [4])
    return [
      style.bold(head),
      ...lines,
      ...(pipelines.some((one) => one.left_behind)
        ? ["", "* cut off: no process works on it; `millrace run` goes on with it"]
        : []),
      ...(owner === null ? [] : ["", `in use by ${ownerLine(owner)}`])
    ]
  })
})
