/**
 * `millrace list`: the pipelines of a data directory.
 *
 * @module
 */
import { Effect, Option } from "effect"
import { Command } from "effect/cli"
import { catalogStream } from "../../events/CatalogEvent.ts"
import * as Roster from "../../projections/Roster.ts"
import { read } from "../log/ReadModel.ts"
import type { Holder } from "../log/Sqlite.ts"
import { rosterModel } from "../pipeline/LiveRoster.ts"
import { CliFailure } from "./CliFailure.ts"
import { exitCode } from "./exitCode.ts"
import { type LogPlace, logPlace } from "./logPlace.ts"
import { hasLog, onLog } from "./openLog.ts"
import { isLeftBehind, ownerLine, ownerOf } from "./owner.ts"
import { answer } from "./report.ts"
import { wordAtRest } from "./runWord.ts"
import { onGivenService, Service } from "./Service.ts"
import { shown, styleOf, table } from "./terminal.ts"

export const list = Command.make("list", {}, () =>
  Effect.gen(function* () {
    if (Option.isSome(yield* onGivenService(listOfService))) return
    const place = yield* logPlace
    if (place._tag === "Database" || hasLog(place.directory)) return yield* onLog(listPipelines(place))
    yield* answer("list", { pipelines: [], owner: null }, () => [
      `No pipelines: there is no log in ${place.name}.`
    ])
  })
).pipe(
  Command.withDescription("List the pipelines of a data directory, or of a service, and how they are"),
  Command.withExamples([
    { command: "millrace list", description: "The pipelines of .millrace" },
    {
      command: "millrace list --data-dir /var/lib/millrace --json",
      description: "Of another folder, for a program"
    },
    { command: "millrace list --url http://flights:7070", description: "Those of a service" }
  ])
)

const listPipelines = Effect.fnUntraced(function* (place: LogPlace) {
  // Who holds a database only its server knows, and it does not tell everybody.
  const owner = place._tag === "Folder" ? yield* ownerOf(place.directory) : null
  const { state: roster } = yield* read(rosterModel)
  const trouble = roster.unreadable[catalogStream]
  if (trouble !== undefined) return yield* unreadable(trouble)
  const pipelines = Roster.list(roster).map((one) => ({
    name: one.name,
    id: one.id,
    deployment_status: one.deployment.value,
    deployment_desired_status: one.desired.value,
    lifecycle: one.lifecycle.value,
    version: one.version.value,
    left_behind: place._tag === "Folder" && isLeftBehind(one.lifecycle.value, owner),
    unreadable: one.unreadable
  }))
  yield* tell(pipelines, owner)
})

const listOfService = Effect.gen(function* () {
  const { client } = yield* Service
  const all = yield* client.pipelines.listPipelines({ query: { selector: "status" } })
  const pipelines = all.map((one) => ({
    name: one.name,
    id: one.id,
    deployment_status: one.deployment_status,
    deployment_desired_status: one.deployment_desired_status,
    lifecycle: one.lifecycle,
    version: one.version,
    // It is the service itself that says how it is.
    left_behind: false,
    unreadable: null
  }))
  yield* tell(pipelines, null)
})

interface Row {
  readonly name: string
  readonly id: string
  readonly deployment_status: string
  readonly deployment_desired_status: string
  readonly lifecycle: string
  readonly version: number
  readonly left_behind: boolean
  readonly unreadable: string | null
}

const tell = Effect.fnUntraced(function* (pipelines: ReadonlyArray<Row>, owner: Holder | null) {
  yield* answer("list", { pipelines, owner }, () => {
    if (pipelines.length === 0) return ["No pipelines yet."]
    const style = styleOf(process.stdout)
    const rows = pipelines.map((one) => [
      shown(one.name),
      `${wordAtRest(one.lifecycle, one.deployment_status)}${one.left_behind ? "*" : ""}${one.unreadable === null ? "" : "?"}`,
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
      ...pipelines.flatMap((one) => (one.unreadable === null ? [] : ["", `? ${shown(one.unreadable)}`])),
      ...(owner === null ? [] : ["", `in use by ${ownerLine(owner)}`])
    ]
  })
})

/** Without the catalog nobody can say which pipelines there are. */
const unreadable = (message: string) =>
  new CliFailure({
    exit: exitCode.failed,
    code: "undecodable_event",
    message,
    suggestion:
      "use the release that wrote it, or a newer one; `millrace verify` tells whether the log is damaged"
  })
