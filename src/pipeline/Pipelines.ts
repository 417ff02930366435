/**
 * The address book: names to ids, ids to actors. Looking a pipeline up wakes its actor; leaving it
 * alone lets it sleep.
 *
 * @module
 */
import { Clock, Context, Effect, Layer, RcMap, type Scope, Semaphore, Stream } from "effect"
import { type CatalogEvent, catalogStream } from "../../events/CatalogEvent.ts"
import { decodeCatalogEvent, schemaVersion, type UndecodableEvent } from "../../events/upcast.ts"
import * as Catalog from "../../projections/Catalog.ts"
import type { Drivers } from "../drivers/Drivers.ts"
import { type Functions, noFunctions } from "../flow/Functions.ts"
import { EventLog, type Fenced, type LogError, type VersionConflict } from "../log/EventLog.ts"
import { appendPatiently } from "./appendPatiently.ts"
import { type Deadlines, defaultDeadlines } from "./Deadlines.ts"
import { nextId } from "./Identity.ts"
import * as PipelineActor from "./PipelineActor.ts"
import { type Reaction, react } from "./react.ts"

/** An actor and what it makes happen. */
export interface HostedPipeline extends Reaction {
  readonly actor: PipelineActor.PipelineActor
}

export type RegisterError = VersionConflict | Fenced | LogError

export class Pipelines extends Context.Service<
  Pipelines,
  {
    readonly catalog: Effect.Effect<Catalog.Catalog>
    /** The id of the pipeline with this name, registered now if there is none. */
    register(name: string, by: string): Effect.Effect<string, RegisterError>
    /** Gives the pipeline of this name the functions of its stages, for runs of this process. */
    provide(name: string, functions: Functions): Effect.Effect<void>
    /** The pipeline's actor, awake as long as the scope is open, and a while longer. */
    get(id: string): Effect.Effect<HostedPipeline, LogError | UndecodableEvent, Scope.Scope>
  }
>()("millrace/pipeline/Pipelines") {
  /** Actors are fibers of this process. */
  static readonly layerLocal: Layer.Layer<Pipelines, RegisterError | UndecodableEvent, EventLog | Drivers> =
    Pipelines.layerLocalWith(defaultDeadlines)

  static layerLocalWith(
    deadlines: Deadlines
  ): Layer.Layer<Pipelines, RegisterError | UndecodableEvent, EventLog | Drivers> {
    return Layer.effect(
      Pipelines,
      Effect.gen(function* () {
        const functions = new Map<string, Functions>()
        const actors = yield* RcMap.make({
          lookup: Effect.fnUntraced(function* (id: string) {
            const actor = yield* PipelineActor.make(id)
            return {
              actor,
              ...(yield* react(actor, (name) => functions.get(name) ?? noFunctions, deadlines))
            }
          }),
          idleTimeToLive: "5 minutes"
        })
        const { catalog, register } = yield* openCatalog
        return Pipelines.of({
          catalog,
          register,
          provide: (name, of) => Effect.sync(() => void functions.set(name, of)),
          get: (id) => RcMap.get(actors, id)
        })
      })
    )
  }
}

/** The one owner of the catalog stream: registrations go one after the other. */
const openCatalog = Effect.gen(function* () {
  const log = yield* EventLog
  const one = yield* Semaphore.make(1)
  const { epoch, version: claimed } = yield* log.claim(catalogStream)
  let version = claimed
  let catalog = Catalog.initial
  yield* Stream.runForEach(log.read(catalogStream), (row) =>
    Effect.map(Effect.fromResult(decodeCatalogEvent(row)), (event) => {
      catalog = Catalog.evolve(catalog, event)
    })
  )
  const register = Effect.fnUntraced(function* (name: string, by: string) {
    const known = Catalog.idOf(catalog, name)
    if (known !== undefined) return known
    const id = yield* nextId
    const event: CatalogEvent = { _tag: "PipelineRegistered", id, name }
    const head = yield* appendPatiently(log, catalogStream, { expectedVersion: version, epoch }, [
      {
        eventId: yield* nextId,
        type: event._tag,
        schemaVersion,
        payload: JSON.stringify(event),
        at: yield* Clock.currentTimeMillis,
        by,
        causationId: null,
        correlationId: null
      }
    ])
    version = head.version
    catalog = Catalog.evolve(catalog, event)
    return id
  }, one.withPermits(1))
  return { catalog: Effect.sync(() => catalog), register }
})
