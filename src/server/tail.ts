/**
 * Records of a pipeline as server-sent events, while they pass.
 *
 * The tap is fetched when the reader has taken what it was sent: a slow one misses records, which its next frame
 * counts, and neither the pipeline nor the memory of this process notices.
 *
 * @module
 */
import { type Duration, Effect, Result, Stream } from "effect"
import { HttpServerResponse } from "effect/http"
import { decodeDefinition } from "../../events/Definition.ts"
import { nearest } from "../../events/nearest.ts"
import type { PipelineState } from "../../projections/PipelineState.ts"
import { failed } from "../api/failures.ts"
import { tailRateByDefault } from "../api/tail.ts"
import { compileCondition } from "../flow/expression/Expression.ts"
import type { TapItem, TapOptions } from "../flow/tap/Tap.ts"
import { Taps } from "../flow/tap/Taps.ts"
import { timeText } from "./eventText.ts"

export interface TailQuery {
  readonly stage?: ReadonlyArray<string>
  readonly where?: string
  readonly rate?: number
}

/** What came in a tenth of a second goes out together. */
const together: Duration.Input = "100 millis"
const heartbeat: Duration.Input = "15 seconds"

/** The frames of a tap; it is opened with the answer and closed with it. Refused is what cannot be looked at. */
export const openTail = Effect.fnUntraced(function* (id: string, state: PipelineState, query: TailQuery) {
  const options: TapOptions = {
    stages: yield* stagesOf(state, query.stage ?? []),
    perSecond: query.rate ?? tailRateByDefault,
    where: query.where === undefined ? undefined : yield* conditionOf(query.where)
  }
  const taps = yield* Taps
  // Refused before the answer begins; between here and there others may come, and the stream ends then.
  if (!taps.hasRoom(id)) return yield* tooMany
  return Stream.unwrap(
    Effect.map(taps.open(id, options), (tap) => {
      if (tap === undefined) return Stream.empty
      const soon = Effect.delay(
        Effect.sync(() => tap.drain()),
        together
      )
      const next = Effect.andThen(tap.some, soon)
      return Stream.map(Stream.fromEffectRepeat(next), (items) => items.map(frame).join(""))
    })
  )
})

export const tailResponse = <R>(
  frames: Stream.Stream<string, never, R>
): Effect.Effect<HttpServerResponse.HttpServerResponse, never, R> =>
  Effect.map(Effect.context<R>(), (context) => {
    const beats = Stream.map(Stream.tick(heartbeat), () => ": heartbeat\n\n")
    // Whoever asks hears at once that he is heard: records may be long in coming.
    const opened = Stream.succeed(": open\n\n")
    const all = Stream.concat(
      opened,
      Stream.merge(Stream.provideContext(frames, context), beats, { haltStrategy: "left" })
    )
    return HttpServerResponse.stream(
      Stream.map(all, (text) => encoder.encode(text)),
      {
        contentType: "text/event-stream",
        headers: { "cache-control": "no-store", "x-accel-buffering": "no" }
      }
    )
  })

const encoder = new TextEncoder()

const frame = (item: TapItem): string => {
  if ("dropped" in item) return `event: dropped\ndata: {"dropped":${item.dropped}}\n\n`
  const { after, at, before, isCut, offset, outcome, reason, source, stage } = item
  const head = JSON.stringify({ at: timeText(at), stage, source, offset }).slice(0, -1)
  const tail = JSON.stringify({ outcome, reason, cut: isCut }).slice(1)
  // The records are JSON already, and nothing in them is changed on the way.
  return `event: record\ndata: ${head},"before":${before ?? "null"},"after":${after ?? "null"},${tail}\n\n`
}

const stagesOf = Effect.fnUntraced(function* ({ definition }: PipelineState, wanted: ReadonlyArray<string>) {
  const decoded = decodeDefinition(definition?.definition)
  if (Result.isFailure(decoded)) {
    return yield* Effect.fail(
      failed("BadRequest", "The pipeline has no valid definition, so no record passes any stage", {})
    )
  }
  const { stages } = decoded.success
  const known = Object.keys(stages)
  const unknown = wanted.find((stage) => !known.includes(stage))
  if (unknown !== undefined) {
    const meant = nearest(unknown, known)
    const suggestion = meant === undefined ? `the stages are ${known.join(", ")}` : `did you mean ${meant}?`
    const message = `There is no stage ${JSON.stringify(unknown.slice(0, 100))}`
    return yield* Effect.fail(failed("UnknownStage", message, { suggestion }))
  }
  return new Set(wanted.length > 0 ? wanted : known.filter((name) => stages[name]!.sink !== undefined))
})

const conditionOf = (
  text: string
): Effect.Effect<NonNullable<TapOptions["where"]>, ReturnType<typeof badCondition>> =>
  Effect.mapError(Effect.fromResult(compileCondition(text)), ({ message }) => badCondition(message))

const badCondition = (message: string) =>
  failed("BadRequest", `The condition cannot be used: ${message}`, { where: "query", path: "/where" })

const tooMany = Effect.fail(
  failed("TooManyReaders", "As many look at this pipeline, or at this service, as may", {
    suggestion: "end another tail first"
  })
)
