/**
 * The address book: names to ids, ids to actors. Looking a pipeline up wakes its actor; leaving it
 * alone lets it sleep.
 *
 * @module
 */
import { Context, Effect, Exit, Layer, RcMap, Schedule, Scope, Semaphore } from "effect"
import type { Reason } from "../../events/PipelineEvent.ts"
import type { UndecodableEvent } from "../../events/upcast.ts"
import type * as Catalog from "../../projections/Catalog.ts"
import type { PipelineState } from "../../projections/PipelineState.ts"
import type { Drivers } from "../drivers/Drivers.ts"
import { type Functions, noFunctions } from "../flow/Functions.ts"
import { type EventLog, LogError } from "../log/EventLog.ts"
import type { Asker } from "./Asker.ts"
import { awaitState } from "./awaitState.ts"
import { type CatalogError, type DuplicateName, openCatalog } from "./catalogOwner.ts"
import { type Deadlines, defaultDeadlines } from "./Deadlines.ts"
import { isBenchDue } from "./letters/benchWork.ts"
import * as PipelineActor from "./PipelineActor.ts"
import type { Reaction } from "./Reaction.ts"
import { react } from "./react.ts"

/** An actor and what it makes happen. */
export type HostedPipeline = Reaction

export type RegisterError = CatalogError

export class Pipelines extends Context.Service<
  Pipelines,
  {
    readonly catalog: Effect.Effect<Catalog.Catalog>
    /** The id of the pipeline with this name, registered now if there is none. */
    register(name: string, by: Asker): Effect.Effect<string, RegisterError>
    /** Another name for the pipeline with this id. */
    rename(id: string, name: string, by: Asker): Effect.Effect<void, RegisterError | DuplicateName>
    /** The name is free again; the history stays in the log. Whoever asks has seen that it is shut down. */
    remove(id: string, by: Asker): Effect.Effect<void, RegisterError>
    /** Gives the pipeline of this name the functions of its stages, for runs of this process. */
    provide(name: string, functions: Functions): Effect.Effect<void>
    /** The functions of the pipeline of this name, as they were given. */
    functionsOf(name: string): Functions
    /** The pipeline's actor, awake as long as the scope is open, and a while longer. */
    get(id: string): Effect.Effect<HostedPipeline, LogError | UndecodableEvent, Scope.Scope>
    /** The pipeline's actor if it is awake; looking does not wake it. */
    awake(id: string): Effect.Effect<HostedPipeline | undefined, LogError | UndecodableEvent, Scope.Scope>
    /** Steers the pipeline to where it is wanted (which is said first), awake until it is shut down. */
    adopt(id: string): Effect.Effect<void, LogError | UndecodableEvent>
    /** How far the sources of its run are; empty where nothing is read. Wakes nobody. */
    progress(id: string): Effect.Effect<ReturnType<HostedPipeline["progress"]>>
    /** Drains every adopted pipeline and says that nobody is at work on it any more, for this reason. */
    retire(reason: Reason): Effect.Effect<void>
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
        const context = yield* Effect.context<Drivers | EventLog>()
        const functionsOf = (name: string) => functions.get(name) ?? noFunctions
        const actors = yield* RcMap.make({
          lookup: (id: string) =>
            Effect.gen(function* () {
              const actor = yield* PipelineActor.make(id)
              return yield* react(actor, functionsOf, context, deadlines)
              // Whoever wakes an actor may have another log at hand, and much else that an actor would keep for
              // as long as it is awake: it lives by ours alone.
            }).pipe(
              Effect.updateContext((waker: Context.Context<Scope.Scope>) =>
                Context.add(context, Scope.Scope, Context.get(waker, Scope.Scope))
              )
            ),
          idleTimeToLive: "5 minutes"
        })
        // What could not be woken is not remembered as such: the log may answer the next who asks.
        const wake = (id: string) =>
          Effect.tapError(RcMap.get(actors, id), () => RcMap.invalidate(actors, id))
        // An actor that its log has let down is gone for good; whoever asks next wakes another one.
        const get = (id: string) =>
          Effect.flatMap(wake(id), (pipeline) =>
            Effect.flatMap(pipeline.actor.isGone, (isGone) =>
              isGone ? Effect.andThen(RcMap.invalidate(actors, id), wake(id)) : Effect.succeed(pipeline)
            )
          )
        const { catalog, register, remove, rename } = yield* openCatalog
        const { adopt, progress, retire } = yield* adoptions(get)
        return Pipelines.of({
          catalog,
          register,
          rename,
          remove,
          adopt,
          progress,
          retire,
          functionsOf,
          provide: (name, of) => Effect.sync(() => void functions.set(name, of)),
          get,
          awake: (id) => Effect.flatMap(RcMap.has(actors, id), (has) => (has ? get(id) : Effect.undefined))
        })
      })
    )
  }
}

/** Who is kept awake: whatever is not shut down has something to do, or may have at any time. */
const adoptions = Effect.fnUntraced(function* (get: Pipelines["Service"]["get"]) {
  const scope = yield* Effect.scope
  const one = yield* Semaphore.make(1)
  const kept = new Map<string, HostedPipeline>()
  let isRetired = false

  const adopt = (id: string): Effect.Effect<void, LogError | UndecodableEvent> =>
    Effect.gen(function* () {
      if (isRetired || kept.has(id)) return
      const own = yield* Scope.fork(scope)
      const pipeline = yield* get(id).pipe(
        Scope.provide(own),
        Effect.onError((cause) => Scope.close(own, Exit.failCause(cause)))
      )
      kept.set(id, pipeline)
      yield* pipeline.adopt
      const left = Effect.sync(() => kept.delete(id)).pipe(Effect.andThen(Scope.close(own, Exit.void)))
      yield* asLongAsWanted(pipeline).pipe(
        Effect.andThen(left),
        Effect.catch((error) => Effect.andThen(left, adoptAgain(id, error))),
        Effect.forkIn(scope)
      )
    }).pipe(one.withPermits(1))

  /** Whether it may sleep is looked at where nobody adopts it at the same time: it may be wanted again by now. */
  const asLongAsWanted = ({ actor }: HostedPipeline) => {
    const leave = Effect.map(actor.state, (state) => isAtRest(state) && kept.delete(actor.id)).pipe(
      one.withPermits(1)
    )
    return awaitState(actor, isAtRest).pipe(Effect.andThen(leave), Effect.repeat({ until: (left) => left }))
  }

  /** A log that is back finds its pipelines at work again. One that has a newer owner is that owner's. */
  const adoptAgain = (id: string, { reason }: PipelineActor.ActorStopped): Effect.Effect<void> =>
    reason instanceof LogError && !isRetired
      ? Effect.sleep(againAfter).pipe(
          Effect.andThen(adopt(id)),
          Effect.retry({ schedule: Schedule.spaced(againAfter), while: ({ _tag }) => _tag === "LogError" }),
          Effect.catch((error) => Effect.logError(`pipeline ${id} is left alone: ${error.message}`))
        )
      : Effect.void

  const retire = Effect.fnUntraced(function* (reason: Reason) {
    isRetired = true
    yield* Effect.forEach([...kept.values()], (pipeline) => pipeline.retire(reason), {
      concurrency: "unbounded",
      discard: true
    })
  })
  const progress = (id: string) => Effect.sync(() => kept.get(id)?.progress() ?? [])
  return { adopt, progress, retire }
})

/** Pause between two attempts at a pipeline whose log was away for longer than its actor waits. */
const againAfter = "5 seconds"

const isAtRest = (state: PipelineState): boolean =>
  state.deployment === "Shutdown" && state.desired === "Shutdown" && !isBenchDue(state)
