/**
 * The work behind `millrace tail`.
 *
 * @module
 */
import { Effect, Option, Schedule, Stream } from "effect"
import { HttpClientError } from "effect/http"
import { isActive, lifecycles } from "../../projections/transitions.ts"
import type { TailFrame } from "../api/tail.ts"
import { Json } from "./globalFlags.ts"
import { openKeys } from "./keys.ts"
import { say, writeOut } from "./report.ts"
import { onService, Service, someoneAtWork } from "./Service.ts"
import { Signals } from "./Signals.ts"
import { Freezer, tailLine } from "./tailLine.ts"
import { isTerminal, shown, styleOf } from "./terminal.ts"

interface Options {
  readonly name: string
  readonly stage: Option.Option<string>
  readonly where: Option.Option<string>
  readonly rate: number
  readonly limit: Option.Option<number>
}

export const tailRecords = Effect.fnUntraced(function* (options: Options) {
  // Whoever ends it has seen enough: that is no failure.
  const asked = yield* (yield* Signals).drain
  yield* someoneAtWork("no record passes anywhere")
  yield* onService(Effect.raceFirst(follow(options), Effect.asVoid(asked)))
})

const follow = Effect.fnUntraced(function* (options: Options) {
  const service = yield* Service
  const { name } = options
  const { lifecycle } = yield* service.client.pipelines.getPipeline({
    params: { name },
    query: { selector: "status" }
  })
  const json = yield* Json
  const isWatched = !json && isTerminal(process.stdout)
  const freezer = new Freezer()
  const turn = () => {
    freezer.turn()
    Effect.runFork(say(freezer.isFrozen ? "frozen: space goes on" : "going on"))
  }
  const ended = isWatched ? yield* openKeys({ " ": turn }) : Effect.never
  const isAtRest = !lifecycles.some((known) => known === lifecycle && isActive(known))
  if (isAtRest) yield* say(`${shown(name)} is ${shown(lifecycle)}: nothing passes until a run begins`)
  if (isWatched) yield* say("space freezes and goes on, q ends")
  const style = styleOf(process.stdout)
  const render = (frame: TailFrame): string =>
    json
      ? `${shown(JSON.stringify(frame.data))}\n`
      : freezer
          .take(frame.data)
          .map((item) => `${tailLine(item, style, isWatched)}\n`)
          .join("")
  let left = Option.getOrElse(options.limit, () => Number.POSITIVE_INFINITY)
  const told = frames(service, options).pipe(
    Stream.takeUntil(({ data }) => "stage" in data && !freezer.isFrozen && --left <= 0),
    Stream.runForEachArray((some) => writeOut(some.map(render).join("")))
  )
  yield* Effect.raceFirst(told, ended)
}, Effect.scoped)

/** A service that stops ends its answer: it is asked again, and the verb fails when nobody answers any more. */
const frames = ({ following }: Service["Service"], { name, rate, stage, where }: Options) => {
  const query = {
    rate,
    ...(Option.isSome(stage) ? { stage: [stage.value] } : {}),
    ...(Option.isSome(where) ? { where: where.value } : {})
  }
  const once = Effect.gen(function* () {
    const client = yield* following
    const answer = yield* client.history.tailPipeline({ params: { name }, query })
    return Stream.catchIf(answer, HttpClientError.isHttpClientError, () => Stream.empty)
  })
  return Stream.suspend(() => Stream.unwrap(once)).pipe(Stream.repeat(Schedule.spaced("1 second")))
}
