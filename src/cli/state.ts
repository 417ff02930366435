/**
 * `millrace state`: time travel. The state of a pipeline as it was at a version or a time.
 *
 * @module
 */
import { Effect, Option } from "effect"
import { Argument, Command, Flag } from "effect/cli"
import { EventLog } from "../log/EventLog.ts"
import * as History from "../pipeline/History.ts"
import { placeJson } from "../server/historyJson.ts"
import { isoTime } from "./isoTime.ts"
import { momentOf, past } from "./moment.ts"
import { findPipeline, onLog } from "./openLog.ts"
import { answer } from "./report.ts"
import { onGivenService, Service } from "./Service.ts"
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
  ({ at, name }) =>
    Effect.gen(function* () {
      const moment = yield* Effect.transposeOption(Option.map(at, momentOf))
      if (Option.isNone(yield* onGivenService(stateOfService(name, moment)))) {
        yield* onLog(showState(name, moment))
      }
    })
).pipe(
  Command.withDescription("Show the state of a pipeline as it was"),
  Command.withExamples([
    { command: "millrace state delayed-flights --at 12", description: "After its twelfth event" },
    { command: "millrace state delayed-flights --at 2026-03-29T01:59:59Z", description: "At a moment" }
  ])
)

const showState = Effect.fnUntraced(function* (name: string, at: Option.Option<History.Moment>) {
  const { stream } = yield* findPipeline(name)
  const read = History.stateAt(yield* EventLog, stream, Option.getOrUndefined(at))
  const found = yield* past(name, read)
  yield* tell({ ...placeJson(found), state: found.state })
})

const stateOfService = Effect.fnUntraced(function* (name: string, at: Option.Option<History.Moment>) {
  const { client } = yield* Service
  const moment = Option.getOrUndefined(at)
  const query = moment === undefined ? {} : "version" in moment ? moment : { at: isoTime(moment.time) }
  yield* tell(yield* client.history.getState({ params: { name }, query }))
})

const tell = (result: { readonly version: number; readonly at: string | null; readonly state: unknown }) =>
  answer("state", result, () => [
    result.at === null ? "before its first event" : `after event ${result.version}, ${shown(result.at)}`,
    ...JSON.stringify(result.state, null, 2).split("\n").map(shown)
  ])
