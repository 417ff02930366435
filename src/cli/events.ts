/**
 * `millrace events`: the log of one pipeline, as a story or as data.
 *
 * @module
 */
import { Effect, Option, Result, Stream } from "effect"
import { Argument, Command, Flag } from "effect/cli"
import { nearest } from "../../events/nearest.ts"
import { PipelineEvent } from "../../events/PipelineEvent.ts"
import type { StoredEvent } from "../../events/StoredEvent.ts"
import { decodePipelineEvent } from "../../events/upcast.ts"
import { describe } from "../../projections/Timeline.ts"
import { EventLog } from "../log/EventLog.ts"
import { followEvents } from "../pipeline/History.ts"
import { eventText } from "../server/eventText.ts"
import { CliFailure, failureOf } from "./CliFailure.ts"
import { exitCode } from "./exitCode.ts"
import { Json } from "./globalFlags.ts"
import { isoTime } from "./isoTime.ts"
import { findPipeline, onLog } from "./openLog.ts"
import { errorBody, writeOut } from "./report.ts"
import { onGivenService } from "./Service.ts"
import { type Style, shown, styleOf } from "./terminal.ts"

const flags = {
  name: Argument.String("name").pipe(Argument.withDescription("Name of the pipeline")),
  after: Flag.Int("after").pipe(
    Flag.withDescription("Only events after this version"),
    Flag.withMetavar("<version>"),
    Flag.withDefault(0)
  ),
  limit: Flag.Int("limit").pipe(
    Flag.withDescription("At most this many events; all when absent"),
    Flag.withMetavar("<count>"),
    Flag.filter(
      (limit) => limit > 0,
      () => "Expected a number greater than 0"
    ),
    Flag.optional
  ),
  type: Flag.String("type").pipe(
    Flag.withDescription("Only events of this type; may be given several times"),
    Flag.withMetavar("<type>"),
    Flag.atLeast(0)
  ),
  follow: Flag.Boolean("follow").pipe(
    Flag.withAlias("f"),
    Flag.withDescription("Go on as new events arrive; with --json one object a line"),
    Flag.withDefault(false)
  )
}

interface Options {
  readonly name: string
  readonly after: number
  readonly limit: Option.Option<number>
  readonly type: ReadonlyArray<string>
  readonly follow: boolean
}

export const events = Command.make("events", flags, (options) =>
  Effect.gen(function* () {
    const types = yield* checkTypes(options.type)
    const served = Effect.flatMap(eventsOfService(options, types), (rows) => tell(rows, options))
    if (Option.isSome(yield* onGivenService(served))) return
    yield* onLog(Effect.flatMap(eventsOfLog(options, types), (rows) => tell(rows, options)))
  })
).pipe(
  Command.withDescription("Show the log of a pipeline: everything that ever happened to it"),
  Command.withExamples([
    { command: "millrace events delayed-flights", description: "The whole story" },
    {
      command: "millrace events delayed-flights --type Failed --type Crashed",
      description: "What went wrong"
    },
    {
      command: "millrace events delayed-flights --follow --json",
      description: "One object a line, as it happens"
    }
  ])
)

type Rows<E, R> = Stream.Stream<StoredEvent, E, R>

const tell = Effect.fnUntraced(function* <E, R>(rows: Rows<E, R>, { follow, limit }: Options) {
  const wanted = Option.match(limit, { onNone: () => rows, onSome: (limit) => Stream.take(rows, limit) })
  const style = styleOf(process.stdout)
  if (!(yield* Json)) return yield* writePages(wanted, (row) => `${line(row, style)}\n`)
  if (follow) return yield* writePages(wanted, (row) => `${eventText(row)}\n`)
  // Written as it is read: a long history takes no more memory than a short one.
  let first = true
  yield* writeOut(`{"command":"events","result":{"events":[`)
  yield* writePages(wanted, (row) => {
    const comma = first ? "" : ","
    first = false
    return comma + eventText(row)
  }).pipe(Effect.catch(closeWith))
  yield* writeOut(`]},"ok":true,"error":null}\n`)
})

/** The object is begun: a failure must end it, so that what was printed stays one object. */
const closeWith = Effect.fnUntraced(function* (error: unknown) {
  const failure = failureOf(error)
  yield* writeOut(`]},"ok":false,"error":${JSON.stringify(errorBody(failure))}}\n`)
  return yield* new CliFailure({
    exit: failure.exit,
    code: failure.code,
    message: failure.message,
    told: "everybody"
  })
})

/** Loaded where a service is asked. */
const eventsOfService = Effect.fnUntraced(function* (options: Options, types: ReadonlySet<string>) {
  const { servedEvents } = yield* Effect.promise(() => import("./servedEvents.ts"))
  return yield* servedEvents(options.name, { after: options.after, follow: options.follow, types })
})

const eventsOfLog = Effect.fnUntraced(function* (options: Options, types: ReadonlySet<string>) {
  const { stream } = yield* findPipeline(options.name)
  const log = yield* EventLog
  const rows = options.follow
    ? followEvents(log, stream, options.after)
    : log.read(stream, { after: options.after })
  return types.size === 0 ? rows : Stream.filter(rows, (row) => types.has(row.type))
})

const writePages = <E, R>(rows: Rows<E, R>, render: (row: StoredEvent) => string) =>
  Stream.runForEachArray(rows, (page) => writeOut(page.map(render).join("")))

const line = (row: StoredEvent, style: Style): string => {
  const event = decodePipelineEvent(row)
  const said = Result.isFailure(event) ? event.failure.message : describe(event.success)
  const text = `${row.type.padEnd(19)} ${shown(said)}`
  const isBad = Result.isFailure(event) || row.type === "Failed" || row.type === "Crashed"
  return `${String(row.version).padStart(6)}  ${style.dim(isoTime(row.at))}  ${isBad ? style.red(text) : text}`
}

const checkTypes = Effect.fnUntraced(function* (given: ReadonlyArray<string>) {
  const known = Object.keys(PipelineEvent.cases)
  const types = given.flatMap((text) => text.split(",")).filter((type) => type !== "")
  for (const type of types) {
    if (known.includes(type)) continue
    const meant = nearest(type, known)
    return yield* new CliFailure({
      exit: exitCode.badInput,
      code: "unknown_event_type",
      message: `there is no event type ${JSON.stringify(type)}`,
      suggestion: meant === undefined ? `the types are ${known.join(", ")}` : `did you mean ${meant}?`
    })
  }
  return new Set(types)
})
