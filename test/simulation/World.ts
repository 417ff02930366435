/**
 * A pipeline, its log, its sources and sinks, and a way to die at any crossing of the border between
 * them. Every call of the log and of a driver is two crossings, before and after; a life that is told
 * to die at the n-th stops there as SIGKILL would: nothing after it happens, nothing is cleaned up.
 *
 * @module
 */
import { Clock, Deferred, Effect, Exit, Fiber, Layer, References, Result, Scope } from "effect"
import { decodeDefinition, encodeDefinition } from "../../events/Definition.ts"
import type { PipelineEvent } from "../../events/PipelineEvent.ts"
import type { StoredEvent } from "../../events/StoredEvent.ts"
import * as Catalog from "../../projections/Catalog.ts"
import type { Driver } from "../../src/drivers/Driver.ts"
import { Drivers } from "../../src/drivers/Drivers.ts"
import {
  type Interpose,
  type MemoryCall,
  type MemoryHub,
  makeMemoryHub
} from "../../src/drivers/memory/MemoryHub.ts"
import type { Functions } from "../../src/flow/Functions.ts"
import { EventLog } from "../../src/log/EventLog.ts"
import { type HostedPipeline, Pipelines } from "../../src/pipeline/Pipelines.ts"
import { virtualTime } from "../../src/pipeline/rehearse/virtualTime.ts"
import type { ReplayRequest } from "../../src/pipeline/replay/ReplayRequest.ts"
import { replayOnce } from "../../src/pipeline/replay/replay.ts"
import { type RunResult, runOnce } from "../../src/pipeline/runOnce.ts"
import { type CrossLog, crossedLog } from "./crossedLog.ts"
import { inMemory, type WorldLog } from "./WorldLog.ts"

export interface World {
  readonly log: WorldLog
  readonly hub: MemoryHub
  /** Drivers beside the memory driver. */
  readonly drivers: Array<Driver>
  /** Looks at every call of a driver that is let through; throws when an oracle is broken. */
  watch: (call: MemoryCall) => Effect.Effect<void>
  /** Where a driver of its own says that its border is crossed. */
  cross: (at: string) => Effect.Effect<void>
  /** What the system closes when the process dies, whatever became of its fibers. */
  process: Scope.Scope
  /** Stands in the way of calls, as other traffic would: delays, late requests, failures. */
  meddle: Interpose
}

export const makeWorld = (fill: (hub: MemoryHub) => void, log: WorldLog = inMemory()): World => {
  const hub = makeMemoryHub()
  fill(hub)
  return {
    log,
    hub,
    drivers: [],
    watch: () => Effect.void,
    cross: () => Effect.void,
    process: Scope.makeUnsafe(),
    meddle: () => Effect.void
  }
}

/** How a life ended: where it was killed, or with what the run came to. */
export type Life =
  | { readonly _tag: "Killed"; readonly at: string }
  | { readonly _tag: "Ended"; readonly result: RunResult; readonly crossings: ReadonlyArray<string> }

export interface LifeOptions {
  /** The crossing to die at, counted from 1; without it the life runs to its end. */
  readonly dieAt?: number
  /** The crossing at which it is asked to stop: it writes what it has begun, and ends. */
  readonly stopAt?: number
  /** Die at the first crossing of a driver that this says yes to. */
  readonly dieOn?: (call: MemoryCall) => boolean
  /** Die at the first crossing of the log with these events that this says yes to. */
  readonly dieOnAppend?: (types: ReadonlyArray<string>, moment: "before" | "after") => boolean
  /** Instead of running the pipeline: set its last run back, and go on from there. */
  readonly replay?: ReplayRequest
  /** Instead of running the pipeline: what is done at its bench. */
  readonly bench?: (
    pipeline: HostedPipeline,
    log: EventLog["Service"]
  ) => Effect.Effect<unknown, { readonly message: string }, Scope.Scope>
  /** The folder its paths resolve against. */
  readonly base?: string
  /** What the program brings to the stages of the definition. */
  readonly functions?: Functions
  /** When it begins, in a time of its own (ms since 1970); without it, in the time of the machine. */
  readonly at?: number
  /** The time of this life; the machine's, when left out. */
  readonly clock?: Clock.Clock
}

/** Starts a process on the world, runs the pipeline once, and lets it die where it was told to. */
export const live = async (world: World, definition: unknown, options: LifeOptions = {}): Promise<Life> => {
  const crossings: Array<string> = []
  const stopped = Deferred.makeUnsafe<void>()
  let dead = false
  let killed: (at: string) => void = () => {}
  const death = new Promise<string>((resolve) => {
    killed = resolve
  })
  const cross = (at: string, now: boolean): Effect.Effect<void> =>
    Effect.suspend(() => {
      if (dead) return Effect.never
      crossings.push(at)
      if (crossings.length === options.stopAt) Deferred.doneUnsafe(stopped, Effect.void)
      if (!now && crossings.length !== options.dieAt) return Effect.void
      dead = true
      killed(`${crossings.length}: ${at}`)
      return Effect.never
    })
  world.hub.interpose((call) => {
    const at = `${call.phase} ${call.operation} ${call.name}`
    const watched = Effect.suspend(() => (dead ? Effect.void : world.watch(call)))
    return watched.pipe(
      Effect.andThen(cross(at, options.dieOn?.(call) === true)),
      Effect.andThen(world.meddle(call))
    )
  })
  world.cross = (at) => cross(at, false)
  const crossLog: CrossLog = (operation, moment, types) =>
    cross(
      [moment, operation, ...types].join(" "),
      operation === "append" && options.dieOnAppend?.(types, moment) === true
    )
  // The process holds its log in a scope of its own: when it dies the system closes what it had open.
  const held = Scope.makeUnsafe()
  world.process = held
  const log = await Effect.runPromise(Scope.provide(world.log.open, held))
  const layer = Pipelines.layerLocal.pipe(
    Layer.provide(Layer.mergeAll(crossedLog(crossLog), Drivers.layer([world.hub.driver, ...world.drivers]))),
    Layer.provideMerge(Layer.succeed(EventLog, log))
  )
  const life =
    options.bench !== undefined
      ? atBench(options.bench)
      : options.replay === undefined
        ? runWith({ ...request(definition, options.base), stop: Deferred.await(stopped) }, options.functions)
        : replayLast(options.replay)
  const fiber = Effect.runFork(
    Effect.scoped(life).pipe(
      Effect.provide(layer),
      // Lives are killed by the thousand; what they say on the way tells a reader nothing.
      Effect.provideService(References.MinimumLogLevel, "None"),
      options.at === undefined ? (same) => same : virtualTime(options.at),
      options.clock === undefined ? (same) => same : Effect.provideService(Clock.Clock, options.clock)
    )
  )
  const ended = Effect.runPromise(Fiber.await(fiber))
  const first = await Promise.race([death, ended])
  if (typeof first === "string") {
    // The old process is gone: whatever of it is not stuck at a crossing is taken down.
    fiber.interruptUnsafe()
    for (let turn = 0; turn < 3; turn++) await new Promise((resolve) => setImmediate(resolve))
  }
  await Effect.runPromise(Effect.andThen(Scope.close(held, Exit.void), world.log.look))
  if (typeof first === "string") return { _tag: "Killed", at: first }
  if (Exit.isFailure(first)) throw new Error(`the life failed: ${String(first.cause)}`)
  return { _tag: "Ended", result: first.value, crossings }
}

const runWith = Effect.fnUntraced(function* (
  run: Parameters<typeof runOnce>[0],
  functions: Functions | undefined
) {
  if (functions !== undefined) yield* (yield* Pipelines).provide(run.define.name, functions)
  return yield* runOnce(run)
})

/** As the command does it: the one pipeline of the world, on a log that is opened anew. */
const replayLast = Effect.fnUntraced(function* (replay: ReplayRequest) {
  const pipelines = yield* Pipelines
  const [only] = Catalog.list(yield* pipelines.catalog)
  const pipeline = yield* pipelines.get(only!.id)
  return yield* replayOnce(pipeline, yield* EventLog, { ...replay, by: "test", stop: Effect.never })
})

const atBench = Effect.fnUntraced(function* (act: NonNullable<LifeOptions["bench"]>) {
  const pipelines = yield* Pipelines
  const [only] = Catalog.list(yield* pipelines.catalog)
  const pipeline = yield* pipelines.get(only!.id)
  yield* act(pipeline, yield* EventLog)
  return { state: yield* pipeline.actor.state, resumedFrom: null }
})

const request = (wire: unknown, base = "/"): Parameters<typeof runOnce>[0] => {
  const definition = decodeDefinition(wire)
  if (Result.isFailure(definition)) throw definition.failure
  const { name } = definition.success
  return {
    define: {
      name,
      description: "",
      text: "",
      settings: {},
      definition: encodeDefinition(definition.success) as never,
      findings: [],
      signature: JSON.stringify(wire),
      base
    },
    by: "test",
    reason: "test",
    abandon: false,
    stop: Effect.never
  }
}

/** The rows of the one pipeline of a world, as its log had them when somebody last looked. */
export const rowsOf = (world: World): ReadonlyArray<StoredEvent> =>
  world.log.rows().filter(({ stream }) => stream.startsWith("pipeline/"))

export const eventsIn = (world: World): ReadonlyArray<PipelineEvent> =>
  rowsOf(world).map((row) => JSON.parse(row.payload) as PipelineEvent)
