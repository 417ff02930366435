/**
 * May requests be sent here? Not while it starts, not while it drains, and not while the log takes nothing.
 *
 * @module
 */
import { Clock, Context, Effect, Layer } from "effect"
import { catalogStream } from "../../events/CatalogEvent.ts"
import { type Failure, failed } from "../api/failures.ts"
import { EventLog, type LogError } from "../log/EventLog.ts"

export type Phase = "starting" | "serving" | "draining"

/** How long an answer about the log holds, in milliseconds: anybody may ask, and asking writes. */
const holdsMs = 1000

/** How long the log has to answer, in milliseconds. */
const patienceMs = 2000

export class Readiness extends Context.Service<
  Readiness,
  {
    readonly enter: (phase: Phase) => Effect.Effect<void>
    /** Fails with why not. */
    readonly check: Effect.Effect<void, Failure<"NotReady" | "ShuttingDown" | "LogUnavailable">>
  }
>()("millrace/server/Readiness") {
  static readonly layer: Layer.Layer<Readiness, never, EventLog> = Layer.effect(
    Readiness,
    Effect.gen(function* () {
      const log = yield* EventLog
      let phase: Phase = "starting"
      let looked: { readonly at: number; readonly failure: Failure<"LogUnavailable"> | undefined } | undefined
      const look = Effect.gen(function* () {
        const at = yield* Clock.currentTimeMillis
        if (looked !== undefined && at - looked.at < holdsMs) return looked.failure
        const failure = yield* whatIsWrong(log)
        looked = { at, failure }
        return failure
      })
      return Readiness.of({
        enter: (next) =>
          Effect.sync(() => {
            phase = next
          }),
        check: Effect.gen(function* () {
          if (phase === "starting") return yield* Effect.fail(starting)
          if (phase === "draining") return yield* Effect.fail(draining)
          const failure = yield* look
          if (failure !== undefined) return yield* Effect.fail(failure)
        })
      })
    })
  )
}

const starting = failed("NotReady", "The service is still looking after the pipelines it found", {
  suggestion: "ask again in a moment"
})

const draining = failed("ShuttingDown", "The service is shutting down")

/** A snapshot nobody reads is written over and over: what cannot take it cannot take an event. */
const whatIsWrong = (log: EventLog["Service"]) =>
  log
    .saveSnapshot({ stream: catalogStream, fold: "readiness", foldVersion: 1, version: 0, state: "{}" })
    .pipe(
      Effect.as(undefined),
      Effect.catch((error) => Effect.succeed(unavailable(messageOf(error)))),
      Effect.timeoutOrElse({
        duration: patienceMs,
        orElse: () => Effect.succeed(unavailable("the log does not answer"))
      })
    )

const messageOf = ({ reason }: LogError): string =>
  "message" in reason ? reason.message : `the log is ${reason._tag}`

const unavailable = (message: string): Failure<"LogUnavailable"> =>
  failed("LogUnavailable", message, { suggestion: "`millrace doctor` looks at the log's surroundings" })
