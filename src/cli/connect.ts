/**
 * Can the ends of a pipeline be reached? Sources and lookups are opened and closed again; sinks are not,
 * because opening one may already leave something behind: only their folder is looked at.
 *
 * @module
 */
import { accessSync, constants, existsSync, statSync } from "node:fs"
import { dirname, isAbsolute } from "node:path"
import { Effect, Result, Schema } from "effect"
import { type Definition, lookupUse, type Stage } from "../../events/Definition.ts"
import { type Finding, finding } from "../../events/Finding.ts"
import { deadLettersBranch } from "../../events/PipelineEvent.ts"
import type { AnyOffer, DriverContext } from "../drivers/Driver.ts"
import type { DriverError } from "../drivers/DriverError.ts"
import { Drivers } from "../drivers/Drivers.ts"
import { codeOfRun, exitCode } from "./exitCode.ts"

export interface Connected {
  readonly findings: ReadonlyArray<Finding>
  /** There are findings, and none of them is about the file: the same check may succeed later. */
  readonly isUnreachable: boolean
}

/** Tries every end of a valid definition; all that fail are told at once. */
export const connect = Effect.fnUntraced(function* (definition: Definition, base: string) {
  const drivers = yield* Drivers
  const findings: Array<Finding> = []
  let unreachable = 0
  const stages = Object.entries(definition.stages).map(([name, stage]) => ({
    name,
    stage,
    at: ["stages", name]
  }))
  const { sink } = definition.deadLetters
  if (sink !== undefined) stages.push({ name: deadLettersBranch, stage: { sink }, at: [deadLettersBranch] })
  for (const { at, name, stage } of stages) {
    const context = { pipeline: { id: "check", name: definition.name }, stage: name, base }
    const tried = yield* Effect.result(Effect.scoped(tryStage(stage, drivers, context)))
    if (Result.isSuccess(tried)) continue
    const { error, kind } = tried.failure
    const { code, message, suggestion } = error.reason
    findings.push(finding(code, [...at, kind], message, suggestion))
    if (error.isRetryable || codeOfRun(code) === exitCode.environment) unreachable += 1
  }
  return { findings, isUnreachable: unreachable > 0 && unreachable === findings.length } satisfies Connected
})

interface Failed {
  readonly kind: "source" | "lookup" | "sink"
  readonly error: Told
}
type Told = Pick<DriverError, "isRetryable" | "reason">

const tryStage = Effect.fnUntraced(function* (
  stage: Stage,
  drivers: Drivers["Service"],
  context: DriverContext
) {
  const failed = (kind: Failed["kind"]) => Effect.mapError((error: Told): Failed => ({ kind, error }))
  if (stage.source !== undefined) {
    const { use, ...settings } = stage.source
    const source = yield* make(drivers.get(use)?.source, settings, context).pipe(failed("source"))
    if (source !== undefined) yield* source.open(null).pipe(failed("source"))
  }
  if (stage.lookup !== undefined) {
    const { use, ...settings } = lookupUse(stage.lookup)
    const lookup = yield* make(drivers.get(use)?.lookup, settings, context).pipe(failed("lookup"))
    if (lookup !== undefined) yield* lookup.open(Object.values(stage.lookup.match)).pipe(failed("lookup"))
  }
  if (stage.sink !== undefined) {
    const { use, ...settings } = stage.sink
    const offer = drivers.get(use)?.sink
    yield* make(offer, settings, context).pipe(failed("sink"))
    yield* writable(offer, settings, context).pipe(failed("sink"))
  }
})

/** A definition that passed the check has settings that decode; what does not is not tried. */
const make = <End>(offer: AnyOffer<End> | undefined, settings: unknown, context: DriverContext) => {
  const config = offer === undefined ? undefined : Schema.decodeUnknownResult(offer.config)(settings)
  return offer === undefined || config === undefined || Result.isFailure(config)
    ? Effect.succeed(undefined)
    : offer.make(config.success, context)
}

const writable = <End>(offer: AnyOffer<End> | undefined, settings: unknown, context: DriverContext) =>
  Effect.suspend((): Effect.Effect<void, Told> => {
    const config = offer === undefined ? undefined : Schema.decodeUnknownResult(offer.config)(settings)
    const path =
      config !== undefined && Result.isSuccess(config)
        ? offer?.resource?.(config.success, context)
        : undefined
    if (path === undefined || !isAbsolute(path)) return Effect.void
    const why = obstacle(path)
    return why === undefined
      ? Effect.void
      : Effect.fail({
          isRetryable: false,
          reason: {
            _tag: "Unauthorized",
            code: "output_not_writable",
            message: why,
            suggestion: "check the path and the permissions of the folder"
          }
        })
  })

/** Why nothing can be written there. A folder that is not there yet is made by the run, below one that is. */
const obstacle = (path: string): string | undefined => {
  if (existsSync(path) && !statSync(path).isFile()) return `${path} is not a regular file`
  let folder = dirname(path)
  while (!existsSync(folder) && dirname(folder) !== folder) folder = dirname(folder)
  if (!statSync(folder).isDirectory()) return `${folder} is not a folder`
  try {
    accessSync(folder, constants.W_OK | constants.X_OK)
    return undefined
  } catch {
    return `${folder} may not be written by this user`
  }
}
