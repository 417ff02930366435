/**
 * The library's face: the service a program provides, and asks to define, run and explain its pipelines.
 *
 * @module
 */
import { Clock, Context, Effect, Layer, type Redacted, Result, Schema, Scope, Stream } from "effect"
import type { Definition } from "../events/Definition.ts"
import { Finding, isError } from "../events/Finding.ts"
import { type Desired, pipelineStream } from "../events/PipelineEvent.ts"
import * as Catalog from "../projections/Catalog.ts"
import { hasUnfinishedRun, type PipelineState } from "../projections/PipelineState.ts"
import * as Roster from "../projections/Roster.ts"
import { setBackCode } from "../projections/RunState.ts"
import { isActive } from "../projections/transitions.ts"
import { definedAs } from "./config/definedAs.ts"
import { check } from "./config/PipelineFile.ts"
import { builtinDrivers } from "./drivers/builtin.ts"
import type { Driver } from "./drivers/Driver.ts"
import { Drivers } from "./drivers/Drivers.ts"
import { EventLog, type LogError } from "./log/EventLog.ts"
import { layerMemory as logMemory } from "./log/Memory.ts"
import { awaitState } from "./pipeline/awaitState.ts"
import * as History from "./pipeline/History.ts"
import { LiveRoster } from "./pipeline/LiveRoster.ts"
import { type DeadLetterBench, makeBench } from "./pipeline/letters/DeadLetterBench.ts"
import * as Pipeline from "./pipeline/Pipeline.ts"
import { type HostedPipeline, Pipelines } from "./pipeline/Pipelines.ts"
import { provideAll } from "./pipeline/programFunction.ts"
import { type Recorded, recorded } from "./pipeline/Recorded.ts"
import type { ReplayImpact, ReplayOptions } from "./pipeline/replay/ReplayRequest.ts"
import { replay } from "./pipeline/replay/replay.ts"
import * as RunOnce from "./pipeline/runOnce.ts"
import { scheduleOf, serviceStopped } from "./pipeline/situation.ts"
import { type Fire, preview } from "./schedule/preview.ts"

export type { Recorded } from "./pipeline/Recorded.ts"

/** The definition has findings: nothing was defined. */
export class InvalidDefinition extends Schema.TaggedError<InvalidDefinition>()("InvalidDefinition", {
  pipeline: Schema.String,
  findings: Schema.Array(Finding)
}) {
  override get message(): string {
    return this.findings.map(({ code, message, pointer }) => `${code} ${pointer}: ${message}`).join("\n")
  }
}

/** There is no pipeline of this name in the log. */
export class UnknownPipeline extends Schema.TaggedError<UnknownPipeline>()("UnknownPipeline", {
  pipeline: Schema.String
}) {}

/** What a question about the past can fail with. */
export type PastError = MillraceError | History.UnknownVersion

/** What every question can fail with. */
export type MillraceError = RunOnce.RunError | UnknownPipeline

export interface LayerOptions {
  /** The program's own drivers, beside the built-in ones; one of the same name takes their place. */
  readonly drivers?: ReadonlyArray<Driver>
  /** Who is named in the log for what the program asks. */
  readonly by?: string
}

export class Millrace extends Context.Service<
  Millrace,
  {
    /** Every pipeline of the log and how it is, in the order of registration. */
    readonly list: Effect.Effect<ReadonlyArray<Roster.Listed>, LogError>
    /**
     * Defines a pipeline, or leaves it as it is when nothing changed. Its effectful stages run with the
     * environment of this call. Refused with findings, or while a run under another definition is unfinished.
     */
    define<R>(pipeline: Pipeline.Any<R>): Effect.Effect<void, InvalidDefinition | RunOnce.RunError, R>
    /** Wants the pipeline running: from now on it can be triggered. Does not wait. */
    start(name: string): Effect.Effect<void, MillraceError>
    /**
     * Wants the pipeline paused: a run under way is drained and keeps its place, ticks are skipped as `paused`.
     * Does not wait; `start` goes on.
     */
    pause(name: string): Effect.Effect<void, MillraceError>
    /** The next `n` ticks of the pipeline's schedule (at most 1000), in local time; none for one without ticks. */
    nextTicks(name: string, n: number): Effect.Effect<ReadonlyArray<Fire>, MillraceError>
    /** Starts a run, or resumes one that was cut off; resolves once that is in the log. The pipeline must be started. */
    trigger(name: string, reason?: string): Effect.Effect<void, MillraceError>
    /** Resolves with the state when no run is under way any more. */
    await(name: string): Effect.Effect<PipelineState, MillraceError>
    /** Starts, triggers (or resumes), awaits the end of the run and shuts down: what `millrace run` does. */
    run(name: string, reason?: string): Effect.Effect<RunOnce.RunResult, MillraceError>
    /**
     * Sets the last run back to an earlier moment, and answers with what that comes to; with `dryRun` nothing
     * happens. It goes on from there at once while the pipeline is started, else with its next start or run.
     */
    replay(name: string, options: ReplayOptions): Effect.Effect<ReplayImpact, MillraceError>
    /** Wants the pipeline shut down: a run under way is drained and keeps its place. Resolves when it is down. */
    stop(name: string): Effect.Effect<void, MillraceError>
    state(name: string): Effect.Effect<PipelineState, MillraceError>
    /** The state now and after every change. */
    states(name: string): Stream.Stream<PipelineState, MillraceError>
    /** The pipeline's events after a version (0 = all), and then every new one. */
    events(name: string, options?: { readonly after?: number }): Stream.Stream<Recorded, MillraceError>
    /** Time travel: the state as it was after a version of the log, or at a time (ms since 1970). */
    stateAt(name: string, moment: History.Moment): Effect.Effect<History.PastState, PastError>
    /** What is different at `to`, seen from `from`: each path with its value before and after. */
    diff(name: string, from: History.Moment, to: History.Moment): Effect.Effect<History.StateDiff, PastError>
    /** Why the pipeline is as it is: for each of its statuses who asked for what, and what followed. */
    why(name: string): Effect.Effect<History.Why, MillraceError>
  } & DeadLetterBench<MillraceError>
>()("millrace/Millrace") {
  /** On any log. */
  static layer(options: LayerOptions = {}): Layer.Layer<Millrace, LayerError, EventLog> {
    const drivers = new Map(
      [...builtinDrivers, ...(options.drivers ?? [])].map((driver) => [driver.name, driver])
    )
    return Layer.effect(Millrace, make(options.by ?? "program")).pipe(
      Layer.provide(Layer.merge(Pipelines.layerLocal, LiveRoster.layer)),
      Layer.provide(Layer.succeed(Drivers, drivers))
    )
  }

  /** Nothing survives the process. */
  static layerMemory(options: LayerOptions = {}): Layer.Layer<Millrace, LayerError> {
    return Layer.provide(Millrace.layer(options), logMemory)
  }

  /**
   * For tests: a log of its own in memory. All time comes from the test's clock and all ids from its
   * randomness, so under `TestClock` a run that waits for nothing ends at once.
   */
  static readonly layerTest = Millrace.layerMemory

  /** One file in `directory`, no server; one process at a time. */
  static layerSqlite(
    options: LayerOptions & { readonly directory: string }
  ): Layer.Layer<Millrace, LayerError> {
    return Layer.provide(
      Millrace.layer(options),
      // The SQLite log is loaded when it is used: a program on Postgres does not touch node:sqlite.
      Layer.unwrap(
        Effect.map(
          Effect.promise(() => import("./log/Sqlite.ts")),
          ({ layerSqlite }) => layerSqlite(options)
        )
      )
    )
  }

  /**
   * On a Postgres server; one process at a time, the second is refused with the name of the first. Needs
   * `@effect/sql-pg`. The URL's password appears in no event, log or error.
   */
  static layerPostgres(
    options: LayerOptions & { readonly url: Redacted.Redacted<string>; readonly schema?: string }
  ): Layer.Layer<Millrace, LayerError> {
    return Layer.provide(
      Millrace.layer(options),
      Layer.unwrap(
        Effect.map(
          Effect.promise(() => import("./log/Postgres.ts")),
          ({ layerPostgres }) => layerPostgres(options)
        )
      )
    )
  }
}

export type LayerError = Layer.Error<typeof Pipelines.layerLocal> | LogError

const make = Effect.fnUntraced(function* (by: string) {
  const pipelines = yield* Pipelines
  const log = yield* EventLog
  const drivers = yield* Drivers
  const roster = yield* LiveRoster
  const scope = yield* Effect.scope

  /** Actors stay awake as long as the service: a run at work must not be put to sleep. */
  const hosted = Effect.fnUntraced(function* (name: string): Effect.fn.Return<HostedPipeline, MillraceError> {
    const id = Catalog.idOf(yield* pipelines.catalog, name)
    if (id === undefined) return yield* new UnknownPipeline({ pipeline: name })
    return yield* Scope.provide(pipelines.get(id), scope)
  })

  const define = Effect.fnUntraced(function* <R>(
    pipeline: Pipeline.Any<R>
  ): Effect.fn.Return<void, InvalidDefinition | RunOnce.RunError, R> {
    const base = pipeline.options.base ?? process.cwd()
    const definition = yield* validDefinition(pipeline, drivers, base)
    const context = yield* Effect.context<R>()
    yield* pipelines.provide(definition.name, provideAll(pipeline.functions, context))
    yield* RunOnce.define({ define: definedAs(definition, base), by, abandon: false }).pipe(
      Scope.provide(scope),
      Effect.provideService(Pipelines, pipelines)
    )
  })

  const start = (name: string) => wanting(name, "Running", "asked by the program")
  const wanting = Effect.fnUntraced(function* (name: string, desired: Desired, reason: string) {
    const { actor } = yield* hosted(name)
    yield* actor.send({ _tag: "SetDesired", desired, reason }, by)
    yield* pipelines.adopt(actor.id)
  })

  const trigger = Effect.fnUntraced(function* (name: string, reason = "asked by the program") {
    const { actor } = yield* hosted(name)
    const state = yield* actor.state
    yield* pipelines.adopt(actor.id)
    // What is unfinished goes on by itself while the pipeline is wanted running.
    const goesOn = hasUnfinishedRun(state) && state.desired === "Running" && state.deployment !== "Failed"
    if (goesOn && !RunOnce.isAtWork(actor, state)) return
    yield* actor.send({ _tag: "Trigger", reason, deployed: true }, by)
  })

  // A program that ends drains what it has started; what is wanted running goes on in the next one.
  yield* Effect.addFinalizer(() => pipelines.retire(serviceStopped))

  const atRest = (state: PipelineState) =>
    !isActive(state.lifecycle) && state.lifecycle !== "Triggered" && !isAboutToReplay(state)

  return Millrace.of({
    list: Effect.map(roster.now, ({ state }) => Roster.list(state)),
    define,
    start,
    pause: (name) => wanting(name, "Paused", "asked by the program"),
    trigger,
    nextTicks: Effect.fnUntraced(function* (name, n) {
      const { actor } = yield* hosted(name)
      const state = yield* actor.state
      const from = yield* Clock.currentTimeMillis
      const { anchor } = state.schedule
      return preview({ schedule: scheduleOf(state), from, n, ...(anchor === null ? {} : { anchor }) })
    }),
    await: (name) => Effect.flatMap(hosted(name), ({ actor }) => awaitState(actor, atRest)),
    run: (name, reason = "asked by the program") =>
      Effect.flatMap(hosted(name), (pipeline) =>
        Effect.scoped(RunOnce.runDefined(pipeline, { by, reason, stop: Effect.never }))
      ),
    stateAt: (name, moment) =>
      Effect.flatMap(hosted(name), ({ actor }) => History.stateAt(log, pipelineStream(actor.id), moment)),
    diff: (name, from, to) =>
      Effect.flatMap(hosted(name), ({ actor }) =>
        History.diffBetween(log, pipelineStream(actor.id), from, to)
      ),
    why: (name) =>
      Effect.flatMap(hosted(name), ({ actor }) =>
        Effect.map(History.readWhy(log, pipelineStream(actor.id)), ({ state }) => state)
      ),
    replay: (name, options) =>
      Effect.flatMap(hosted(name), ({ actor }) => replay(actor, log, { ...options, by })),
    stop: Effect.fnUntraced(function* (name) {
      yield* wanting(name, "Shutdown", "asked by the program")
      const { actor } = yield* hosted(name)
      yield* awaitState(actor, ({ deployment }) => deployment === "Shutdown")
    }),
    state: (name) => Effect.flatMap(hosted(name), ({ actor }) => actor.state),
    states: (name) => Stream.unwrap(Effect.map(hosted(name), ({ actor }) => actor.changes)),
    events: (name, options) =>
      Stream.unwrap(
        Effect.map(hosted(name), ({ actor }) =>
          History.followEvents(log, pipelineStream(actor.id), options?.after ?? 0).pipe(
            Stream.mapEffect(recorded)
          )
        )
      ),
    ...makeBench<MillraceError>({
      log,
      drivers,
      by,
      hosted,
      functionsOf: (name) => pipelines.functionsOf(name)
    })
  })
})

/** Set back, and wanted running: it goes on from there by itself. */
const isAboutToReplay = ({ deployment, desired, run }: PipelineState): boolean =>
  run?.failure?.code === setBackCode && desired === "Running" && deployment !== "Failed"

const validDefinition = Effect.fnUntraced(function* (
  pipeline: Pipeline.Any,
  drivers: Drivers["Service"],
  base: string
): Effect.fn.Return<Definition, InvalidDefinition> {
  const definition = Pipeline.definition(pipeline)
  if (Result.isFailure(definition)) {
    const { message } = definition.failure
    const finding: Finding = { severity: "error", code: "bad_definition", pointer: "", message }
    return yield* new InvalidDefinition({ pipeline: pipeline.name, findings: [finding] })
  }
  const findings = check(definition.success, { drivers, base }).filter(isError)
  if (findings.length > 0) return yield* new InvalidDefinition({ pipeline: pipeline.name, findings })
  return definition.success
})
