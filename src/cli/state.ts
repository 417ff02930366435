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
import { momentOf, past, placeLine } from "./moment.ts"
import { findPipeline, onLog } from "./openLog.ts"
import { answer } from "./report.ts"
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
  ({ at, name }) => onLog(showState(name, at))
).pipe(
  Command.withDescription("Show the state of a pipeline as it was"),
  Command.withExamples([
    { command: "millrace state delayed-flights --at 12", description: "After its twelfth event" },
    { command: "millrace state delayed-flights --at 2026-03-29T01:59:59Z", description: "At a moment" }
  ])
)

const showState = Effect.fnUntraced(function* (name: string, at: Option.Option<string>) {
  const moment = Option.isNone(at) ? undefined : yield* momentOf(at.value)
  const { stream } = yield* findPipeline(name)
  const found = yield* past(name, History.stateAt(yield* EventLog, stream, moment))
  yield* answer("state", { ...placeJson(found), state: found.state }, () => [
    placeLine(found),
    ...JSON.stringify(found.state, null, 2).split("\n").map(shown)
  ])
})
