/**
 * The work behind `millrace apply`.
 *
 * A change names the version it was planned against, so whoever changes the pipeline meanwhile makes the plan
 * stale and loses nothing. With `--restart` the pipeline is down between the first step and the last: what
 * goes wrong in between starts it again as it was, and if this process dies, it stays down and keeps its place.
 *
 * @module
 */
import { Effect, Option } from "effect"
import type { PipelineResource } from "../api/PipelineResource.ts"
import { CliFailure } from "./CliFailure.ts"
import { type DeployableFile, readDeployable } from "./deployableFile.ts"
import { arrival, ask } from "./desire.ts"
import { exitCode } from "./exitCode.ts"
import { findingsAt } from "./planFile.ts"
import { planJson, planLines } from "./planLines.ts"
import { type Plan, planOf } from "./planOf.ts"
import { answer, say } from "./report.ts"
import { onService, Service } from "./Service.ts"
import { isRefusal } from "./serviceFailure.ts"
import { nextLines, statusJson, statusOf } from "./tellStatus.ts"
import { shown, styleOf } from "./terminal.ts"

interface Options {
  readonly file: string
  readonly plan: Option.Option<string>
  readonly restart: boolean
  readonly abandon: boolean
}

export const applyFile = Effect.fnUntraced(function* (options: Options) {
  const file = yield* readDeployable(options.file)
  yield* onService(applyOn(file, options), { isNew: true, base: file.base })
})

const applyOn = Effect.fnUntraced(function* (file: DeployableFile, options: Options) {
  const service = yield* Service
  const plan = yield* planOf(file.definition)
  const findings = yield* findingsAt(file, service.url)
  const planned = planJson(plan, file.path, findings, service.url)
  yield* refuse(plan, planned, options, service)
  const restarts = plan.mustShutDown
  const { abandon } = options
  if (plan.action !== "unchanged")
    yield* restarts ? restarted(file, plan, abandon) : change(file, plan, abandon)
  const pipeline = yield* statusOf(plan.name)
  const applied = plan.action !== "unchanged"
  yield* answer(
    "apply",
    { ...statusJson(pipeline, service.url), plan: planned, applied, restarted: restarts },
    () => {
      const style = styleOf(process.stdout)
      if (!applied) return planLines(plan, service.name, style)
      const done = plan.action === "create" ? "created" : `changed to version ${pipeline.version}`
      const again = restarts ? ", and started again" : ""
      return [
        `${style.green("✓")} ${shown(plan.name)} is ${done} on ${shown(service.name)}${again}`,
        ...next(plan, style.dim("→")),
        ...nextLines(pipeline, service, style)
      ]
    }
  )
})

const next = ({ action, name }: Plan, arrow: string): ReadonlyArray<string> =>
  action === "create" ? [`  ${arrow} \`millrace start ${shown(name)}\` has it run`] : []

/** Why it is not done; nothing has been touched yet. */
const refuse = Effect.fnUntraced(function* (
  plan: Plan,
  result: unknown,
  { abandon, file, plan: named, restart }: Options,
  { name: place, url }: Service["Service"]
) {
  const no = (exit: number, code: string, message: string, suggestion: string) =>
    new CliFailure({ exit, code, message, suggestion, result: { plan: result } })
  const { deployed, hash, mustShutDown, name, unfinishedRun } = plan
  if (Option.isSome(named) && named.value !== hash) {
    const message = `the plan is ${hash} by now, not ${named.value}: the file or ${name} has changed since`
    return yield* no(exitCode.badInput, "stale_plan", message, `look again: \`millrace plan ${file}\``)
  }
  if (unfinishedRun !== null && !abandon) {
    const message = `run ${unfinishedRun} of ${name} is unfinished, and goes on under the present definition`
    const suggestion = "let it run to its end, or give it up with --abandon"
    return yield* no(exitCode.badInput, "unfinished_run", message, suggestion)
  }
  if (!mustShutDown) return
  const status = `${name} is ${deployed?.deployment_status}, wanted ${deployed?.deployment_desired_status}`
  if (url === null && deployed?.deployment_status !== "Shutdown") {
    const message = `${status}, and no process works on ${place} that could shut it down`
    return yield* no(
      exitCode.environment,
      "nobody_at_work",
      message,
      "`millrace serve` starts a service there"
    )
  }
  if (!restart) {
    const message = `${status}: its definition is in use`
    const suggestion = `apply it with --restart, or \`millrace stop ${name}\` first`
    return yield* no(exitCode.failed, "not_shut_down", message, suggestion)
  }
})

/** Creates or changes it; fails with `stale_plan` where somebody else was quicker. */
const change = Effect.fnUntraced(function* (file: DeployableFile, plan: Plan, abandon: boolean) {
  const { deployed, name } = plan
  const { client } = yield* Service
  // The description is the file's, unless somebody gave the pipeline another one over the API.
  const payload = { program_code: file.program }
  const sent: Effect.Effect<PipelineResource, unknown> =
    deployed === null
      ? client.pipelines.createPipeline({ headers: {}, payload: { name, ...payload } })
      : client.pipelines.patchPipeline({
          params: { name },
          query: { abandon },
          headers: { "if-match": `"${deployed.version}"` },
          payload
        })
  const { program_status } = yield* Effect.catchIf(sent, isOvertaken, () =>
    Effect.fail(
      new CliFailure({
        exit: exitCode.badInput,
        code: "stale_plan",
        message: `somebody else has changed ${name} meanwhile`,
        suggestion: `look again: \`millrace plan ${file.path}\``
      })
    )
  )
  if (typeof program_status === "string") return
  return yield* new CliFailure({
    exit: exitCode.badInput,
    code: "invalid_program",
    message: `${name} is deployed, but the service finds errors in it: ${whyOf(program_status)}`,
    suggestion: "it cannot be started like this; the service has an environment and drivers of its own"
  })
})

const isOvertaken = (error: unknown): boolean =>
  isRefusal(error, "VersionMismatch") ||
  isRefusal(error, "OutdatedPipelineVersion") ||
  isRefusal(error, "DuplicateName")

const whyOf = (status: Exclude<PipelineResource["program_status"], string>): string => {
  if ("RustError" in status) return status.RustError
  if ("SystemError" in status) return status.SystemError
  return status.SqlError.map(({ error_type, message }) => `${error_type}: ${message}`).join("\n")
}

/** Longest wait for what is in flight to be written before it is given up, in seconds. */
const shutdownWithin = 300

const restarted = Effect.fnUntraced(function* (file: DeployableFile, plan: Plan, abandon: boolean) {
  const { name } = plan
  const wanted = plan.deployed?.deployment_desired_status ?? "Shutdown"
  const again = wanted === "Shutdown" ? Effect.void : ask(name, wanted)
  const cutOff = say(`${shown(name)} is being shut down; \`millrace start ${shown(name)}\` has it run again`)
  yield* Effect.gen(function* () {
    yield* ask(name, "Shutdown")
    yield* arrival(name, "Shutdown", shutdownWithin)
    // What was refused leaves the old definition, which goes on; what has errors cannot be started.
    yield* Effect.tapError(change(file, plan, abandon), (error) =>
      isInvalid(error) ? Effect.void : Effect.ignore(again)
    )
  }).pipe(Effect.onInterrupt(() => cutOff))
  yield* again
})

const isInvalid = (error: unknown): boolean => error instanceof CliFailure && error.code === "invalid_program"
