/**
 * Saying where a pipeline is wanted: what `start`, `pause` and `stop` have in common.
 *
 * @module
 */
import { Effect, Option, Schedule } from "effect"
import { Argument, Flag } from "effect/cli"
import type { DesiredStatus, SelectedPipeline } from "../api/PipelineResource.ts"
import type { ApiClient } from "./ApiClient.ts"
import { CliFailure } from "./CliFailure.ts"
import { exitCode } from "./exitCode.ts"
import { answer } from "./report.ts"
import { onService, Service, someoneAtWork } from "./Service.ts"
import { hasArrived, nextLines, statusJson, statusOf } from "./tellStatus.ts"
import { shown, styleOf } from "./terminal.ts"

type Desired = (typeof DesiredStatus.literals)[number]

export const pipelineName = Argument.String("name").pipe(Argument.withDescription("Name of the pipeline"))

export const desireFlags = {
  name: pipelineName,
  wait: Flag.Int("wait").pipe(
    Flag.withDescription("Wait until it is so, at most this many seconds"),
    Flag.withMetavar("<seconds>"),
    Flag.filter(
      (seconds) => seconds > 0,
      () => "Expected a number greater than 0"
    ),
    Flag.optional
  )
}

export interface DesireOptions {
  readonly name: string
  readonly wait: Option.Option<number>
}

/** The operation that says it. */
const operations = {
  Running: "startPipeline",
  Paused: "pausePipeline",
  Shutdown: "shutdownPipeline"
} as const satisfies Record<Desired, keyof ApiClient["lifecycle"]>

/** Asks for the status; the service goes there by itself. */
export const ask = (name: string, desired: Desired) =>
  Effect.flatMap(Service, ({ client }) =>
    client.lifecycle[operations[desired]]({ params: { name }, headers: {} })
  )

/** `millrace <verb> <name>`. */
export const desire = (verb: string, desired: Desired, { name, wait }: DesireOptions) =>
  Effect.gen(function* () {
    if (Option.isSome(wait)) yield* someoneAtWork("waiting for it would never end")
    yield* onService(
      Effect.gen(function* () {
        const service = yield* Service
        yield* ask(name, desired)
        const pipeline = yield* Option.match(wait, {
          onNone: () => statusOf(name),
          onSome: (seconds) => arrival(name, desired, seconds)
        })
        yield* answer(verb, statusJson(pipeline, service.url), () => {
          const style = styleOf(process.stdout)
          const is = hasArrived(pipeline) ? `is ${desired}` : `is wanted ${desired}`
          return [`${style.green("✓")} ${shown(name)} ${is}`, ...nextLines(pipeline, service, style)]
        })
      })
    )
  })

const lookEvery = Schedule.spaced("200 millis")

/** Resolves once the pipeline is where it is wanted; fails where it can never be, or not in time. */
export const arrival = Effect.fnUntraced(function* (name: string, desired: Desired, seconds: number) {
  const pipeline = yield* statusOf(name).pipe(
    Effect.repeat({ schedule: lookEvery, until: isSettled(desired) }),
    Effect.timeoutOption(seconds * 1000)
  )
  if (Option.isNone(pipeline)) {
    return yield* notThere("not_yet", yield* statusOf(name), `not ${desired} after ${seconds} s`)
  }
  const { value } = pipeline
  if (value.deployment_desired_status !== desired) {
    const wanted = `somebody wants it ${value.deployment_desired_status} by now`
    return yield* notThere("overruled", value, wanted)
  }
  if (value.deployment_status === "Failed" && desired !== "Shutdown") {
    const why = value.deployment_error
    return yield* notThere("deployment_failed", value, why?.message ?? "its deployment failed")
  }
  return value
})

/** There is nothing more to wait for. */
const isSettled =
  (desired: Desired) =>
  (pipeline: SelectedPipeline): boolean =>
    pipeline.deployment_desired_status !== desired ||
    pipeline.deployment_status === desired ||
    (pipeline.deployment_status === "Failed" && desired !== "Shutdown")

const notThere = Effect.fnUntraced(function* (code: string, pipeline: SelectedPipeline, why: string) {
  const { url } = yield* Service
  return yield* new CliFailure({
    exit: exitCode.failed,
    code,
    message: `${pipeline.name} is ${pipeline.deployment_status}: ${why}`,
    suggestion:
      code === "deployment_failed"
        ? `mend the cause, then \`millrace stop ${pipeline.name}\` and start it again`
        : `\`millrace show ${pipeline.name}\` tells how it is`,
    result: statusJson(pipeline, url)
  })
})
