/**
 * A new pipeline: its name, then its definition. A process that dies in between leaves a name without a
 * definition, and whoever creates it again goes on from there.
 *
 * @module
 */
import { Effect, Stream } from "effect"
import { catalogStream } from "../../events/CatalogEvent.ts"
import { pipelineStream } from "../../events/PipelineEvent.ts"
import type { StoredEvent } from "../../events/StoredEvent.ts"
import { decodeCatalogEvent, decodePipelineEvent } from "../../events/upcast.ts"
import * as PipelineState from "../../projections/PipelineState.ts"
import type { RememberedCommand } from "../../projections/RememberedCommands.ts"
import * as Roster from "../../projections/Roster.ts"
import { checkName } from "../api/checkName.ts"
import type { PipelineResource } from "../api/PipelineResource.ts"
import { EventLog } from "../log/EventLog.ts"
import type { Asker } from "../pipeline/Asker.ts"
import type { Rejection } from "../pipeline/Command.ts"
import { DuplicateName } from "../pipeline/catalogOwner.ts"
import { Pipelines } from "../pipeline/Pipelines.ts"
import { Changes } from "./Changes.ts"
import { Definitions } from "./Definitions.ts"
import type { Defining } from "./defining.ts"
import { lookUp } from "./findPipeline.ts"
import { Premises } from "./Premises.ts"
import { duplicateName, refusing } from "./refusalOf.ts"
import { resourceOf } from "./resourceOf.ts"

/** Fails with `DuplicateName` when there is a pipeline of this name. */
export const create = Effect.fnUntraced(function* (defining: Defining, by: Asker) {
  const { name } = defining
  const wrong = checkName(name)
  if (wrong !== undefined) return yield* Effect.fail(wrong)
  if ((yield* lookUp(name)) !== undefined) return yield* Effect.fail(duplicateName(name))
  const id = yield* refusing((yield* Pipelines).register(name, by))
  // Nobody removes it before it has been shown.
  return yield* (yield* Changes).alone(id, define(id, defining, by))
})

const define = Effect.fnUntraced(function* (id: string, defining: Defining, by: Asker) {
  const pipelines = yield* Pipelines
  const definition = { ...defining, id }
  const told = Effect.flatMap(pipelines.get(id), ({ actor }) =>
    actor.send({ _tag: "Define", definition, ifVersion: 0 }, by)
  )
  // Of two that create the same name at once, the second finds the definition of the first.
  const isSecond = (error: { readonly _tag: string }) =>
    error._tag === "Rejection" && (error as Rejection).code === "stale_version"
  yield* refusing(
    Effect.mapError(Effect.scoped(told), (error) =>
      isSecond(error) ? new DuplicateName({ name: defining.name }) : error
    )
  )
  const made = yield* current(id)
  return made ?? (yield* Effect.die(new Error(`pipeline ${id} was removed while nobody could remove it`)))
})

/** The pipeline as it is now, `undefined` when it is gone. */
export const current = Effect.fnUntraced(function* (id: string) {
  const found = yield* (yield* Definitions).of(id)
  const { version } = yield* Premises
  return found === undefined ? undefined : resourceOf(found.listed, found.definition, version)
})

/**
 * What a creation was answered with, as the log has it: the pipeline at its first definition. `undefined`
 * when it was not defined: then it is still to be done.
 */
export const answerAgain = Effect.fnUntraced(function* (stream: string, { first }: RememberedCommand) {
  const log = yield* EventLog
  const registered = yield* refusing(
    stream === catalogStream ? rowsOf(log, catalogStream, first) : registrationOf(log, stream)
  )
  const row = registered[0]
  const event = row === undefined ? undefined : yield* refusing(Effect.fromResult(decodeCatalogEvent(row)))
  if (row === undefined || event === undefined) return undefined
  const [defined] = yield* refusing(rowsOf(log, pipelineStream(event.id), 1))
  if (defined === undefined) return undefined
  const listed = Roster.find([row, defined].reduce(Roster.evolve, Roster.initial), event.id)
  const state = PipelineState.replay([yield* refusing(Effect.fromResult(decodePipelineEvent(defined)))])
  if (listed === undefined || state.definition === null) return undefined
  const resource: PipelineResource = resourceOf(listed, state.definition, (yield* Premises).version)
  return resource
})

const rowsOf = (log: EventLog["Service"], stream: string, version: number) =>
  Stream.runCollect(log.read(stream, { after: version - 1, limit: 1 }))

/** The event that gave the pipeline of this stream its first name. */
const registrationOf = (log: EventLog["Service"], stream: string) =>
  Stream.runCollect(
    Stream.take(
      Stream.filter(
        log.read(catalogStream),
        ({ payload, type }: StoredEvent) =>
          type === "PipelineRegistered" && pipelineStream(JSON.parse(payload).id) === stream
      ),
      1
    )
  )
