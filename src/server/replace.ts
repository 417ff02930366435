/**
 * Another definition for a pipeline that is there, and perhaps another name.
 *
 * @module
 */
import { Effect, Result } from "effect"
import { abandoned, type DefinitionState, hasUnfinishedRun } from "../../projections/PipelineState.ts"
import { checkName } from "../api/checkName.ts"
import { failed } from "../api/failures.ts"
import type { Asker } from "../pipeline/Asker.ts"
import { mayDefine } from "../pipeline/decideDeployment.ts"
import type { PipelineActor } from "../pipeline/PipelineActor.ts"
import { Pipelines } from "../pipeline/Pipelines.ts"
import { current } from "./create.ts"
import { type Defining, isChange } from "./defining.ts"
import { refuseStale } from "./etag.ts"
import { lookUp, unknownPipeline } from "./findPipeline.ts"
import { refusing } from "./refusalOf.ts"

export interface Replacement {
  /** The name it was asked for under. */
  readonly name: string
  readonly ifMatch: string | undefined
  /** Gives an unfinished run up. */
  readonly abandon: boolean
  readonly defining: (before: DefinitionState) => Defining
}

/**
 * Nothing is changed before it is certain that everything may be: nobody else changes the pipeline meanwhile
 * (`Changes.alone`), and a pipeline that is shut down does nothing by itself.
 */
export const replace = Effect.fnUntraced(function* (id: string, asked: Replacement, by: Asker) {
  const { name } = asked
  const listed = yield* lookUp(name)
  if (listed?.id !== id) return yield* unknownPipeline(name)
  const version = listed.version.value
  const stale = refuseStale(asked.ifMatch, version)
  if (stale !== undefined) return yield* Effect.fail(stale)
  const pipelines = yield* Pipelines
  const change = Effect.gen(function* () {
    const { actor } = yield* pipelines.get(id)
    const before = yield* actor.state
    if (before.definition === null) return yield* unknownPipeline(name)
    const defining = asked.defining(before.definition)
    const wrong = checkName(defining.name)
    if (wrong !== undefined) return yield* Effect.fail(wrong)
    if (before.deployment !== "Shutdown" || before.desired !== "Shutdown") return yield* deployed(name)
    if (!isChange(before.definition, defining) && defining.name === name) return name
    if (asked.abandon) yield* giveUp(actor, by)
    yield* Effect.fromResult(Result.map(mayDefine(yield* actor.state, version), () => undefined))
    yield* pipelines.rename(id, defining.name, by)
    yield* actor.send({ _tag: "Define", definition: { ...defining, id }, ifVersion: version }, by)
    return defining.name
  })
  const now = yield* refusing(Effect.scoped(change))
  return (yield* current(id)) ?? (yield* unknownPipeline(now))
})

const giveUp = Effect.fnUntraced(function* (actor: PipelineActor, by: Asker) {
  if (!hasUnfinishedRun(yield* actor.state)) return
  yield* actor.send({ _tag: "FailRun", reason: { code: abandoned, message: "given up by a person" } }, by)
})

const deployed = (name: string) =>
  Effect.fail(
    failed("CannotUpdateNonShutdownPipeline", `The pipeline ${name} is not shut down`, {
      suggestion: "shut it down first and wait until deployment_status is Shutdown"
    })
  )
