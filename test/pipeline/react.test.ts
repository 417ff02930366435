/**
 * What follows from a state: a deployment reaches what is wanted of it, whatever is in its way, and says so.
 *
 * @module
 */
import { assert, describe, it } from "@effect/vitest"
import { Deferred, Effect, Layer } from "effect"
import { TestClock } from "effect/testing"
import type { PipelineEvent } from "../../events/PipelineEvent.ts"
import type { PipelineState } from "../../projections/PipelineState.ts"
import { deployments } from "../../projections/transitions.ts"
import { DriverError } from "../../src/drivers/DriverError.ts"
import { Drivers } from "../../src/drivers/Drivers.ts"
import { type MemoryHub, makeMemoryHub } from "../../src/drivers/memory/MemoryHub.ts"
import { EventLog } from "../../src/log/EventLog.ts"
import { layerMemoryOn, type MemoryStore, makeMemoryStore } from "../../src/log/Memory.ts"
import { eventsOf, headsOf } from "../../src/log/MemoryStore.ts"
import { awaitState } from "../../src/pipeline/awaitState.ts"
import { type HostedPipeline, Pipelines } from "../../src/pipeline/Pipelines.ts"
import { define } from "../../src/pipeline/runOnce.ts"
import { newEvent } from "../contracts/newEvent.ts"
import * as Events from "../fixtures/events.ts"

const wire = {
  name: "p",
  stages: {
    in: { source: { use: "memory", name: "in" } },
    out: { from: "in", sink: { use: "memory", name: "out" } }
  },
  runtime: { batch_size: 2, checkpoint_interval: "0s", recovery: { max_retries: 3 } }
}
const numbers = Array.from({ length: 6 }, (_, n) => ({ n }))
const away = new DriverError({
  driver: "memory",
  operation: "write",
  reason: { _tag: "Unavailable", code: "away", message: "the sink is away" }
})

interface Process {
  readonly pipeline: HostedPipeline
  readonly want: (desired: PipelineState["desired"]) => Effect.Effect<unknown, unknown>
  readonly until: (holds: (state: PipelineState) => boolean) => Effect.Effect<PipelineState, unknown>
  /** The same, while the clock goes on, second by second, for at most an hour. */
  readonly whileTimePasses: (
    holds: (state: PipelineState) => boolean
  ) => Effect.Effect<PipelineState, unknown>
}

/** A process on the store, with the pipeline defined and adopted. */
const inProcess = <A, E>(
  { hub, store }: { readonly hub: MemoryHub; readonly store: MemoryStore },
  use: (process: Process) => Effect.Effect<A, E>
) =>
  Effect.gen(function* () {
    const definition = {
      ...{ name: "p", description: "", text: "", settings: {}, definition: wire, findings: [] },
      ...{ signature: "one", base: "/" }
    }
    const pipeline = yield* define({ define: definition, by: "test", abandon: false })
    yield* pipeline.adopt
    const { actor } = pipeline
    return yield* use({
      pipeline,
      want: (desired) => actor.send({ _tag: "SetDesired", desired, reason: "test" }, "test"),
      until: (holds) => awaitState(actor, holds),
      whileTimePasses: Effect.fnUntraced(function* (holds) {
        for (let second = 0; second < 3600; second++) {
          if (holds(yield* actor.state)) break
          yield* TestClock.adjust("1 second")
        }
        return yield* awaitState(actor, holds)
      })
    })
  }).pipe(
    Effect.scoped,
    Effect.provide(
      Pipelines.layerLocal.pipe(Layer.provide(Layer.merge(layerMemoryOn(store), Drivers.layer([hub.driver]))))
    )
  )

const trigger = ({ pipeline }: Process) =>
  pipeline.actor.send({ _tag: "Trigger", reason: "test", deployed: true }, "test")

const makeWorld = () => {
  const hub = makeMemoryHub()
  hub.source("in", numbers)
  return { hub, store: makeMemoryStore() }
}

const typesIn = (store: MemoryStore): ReadonlyArray<PipelineEvent["_tag"]> => {
  const stream = headsOf(store).find((head) => head.stream.startsWith("pipeline/"))!.stream
  return eventsOf(store, stream).map(({ type }) => type as PipelineEvent["_tag"])
}

const of =
  (deployment: PipelineState["deployment"], lifecycle?: PipelineState["lifecycle"]) =>
  (state: PipelineState): boolean =>
    state.deployment === deployment && (lifecycle === undefined || state.lifecycle === lifecycle)

describe("a deployment", () => {
  it.effect("passes through its states, runs when asked, and goes down", () => {
    const world = makeWorld()
    return inProcess(world, (process) =>
      Effect.gen(function* () {
        yield* process.want("Paused")
        yield* process.until(of("Paused"))
        yield* process.want("Running")
        yield* process.until(of("Running"))
        yield* trigger(process)
        yield* process.until(of("Running", "Completed"))
        yield* process.want("Shutdown")
        yield* process.until(of("Shutdown"))
        assert.deepStrictEqual(world.hub.sink("out").records, numbers)
        const deployment = typesIn(world.store).slice(1, 7)
        assert.deepStrictEqual(deployment, [
          ...["DesiredStatusSet", "ProvisioningStarted", "InitializingStarted", "Deployed"],
          ...["DesiredStatusSet", "Resumed"]
        ] as ReadonlyArray<PipelineEvent["_tag"]>)
      })
    )
  })

  it.effect("a pause drains the run, which goes on from its place when it is resumed", () => {
    const world = makeWorld()
    return inProcess(world, (process) =>
      Effect.gen(function* () {
        const reached = yield* Deferred.make<void>()
        world.hub.interpose(({ operation, ordinal, phase }) =>
          operation === "source.next" && phase === "before" && ordinal === 1
            ? Effect.andThen(Deferred.succeed(reached, undefined), Effect.never)
            : Effect.void
        )
        yield* process.want("Running")
        yield* process.until(of("Running"))
        yield* trigger(process)
        yield* Deferred.await(reached)
        yield* process.want("Paused")
        const paused = yield* process.until(of("Paused"))
        assert.strictEqual(paused.lifecycle, "Crashed")
        assert.strictEqual(paused.run?.failure?.code, "interrupted")
        assert.strictEqual(paused.open.length, 0)
        yield* process.want("Running")
        const done = yield* process.until(of("Running", "Completed"))
        assert.strictEqual(done.run?.lives, 2)
        assert.deepStrictEqual(world.hub.sink("out").records, numbers)
      })
    )
  })

  it.effect("a run that lost its sink comes back by itself, with growing pauses", () => {
    const world = makeWorld()
    let isAway = true
    world.hub.interpose(({ operation }) =>
      isAway && operation === "sink.write" ? Effect.fail(away) : Effect.void
    )
    return inProcess(world, (process) =>
      Effect.gen(function* () {
        yield* process.want("Running")
        yield* process.until(of("Running"))
        yield* trigger(process)
        // The driver's own repetitions are used up first, then the run is crashed.
        const lost = yield* process.whileTimePasses(of("Unavailable", "Crashed"))
        assert.strictEqual(lost.deploymentError?.code, "away")
        isAway = false
        const done = yield* process.whileTimePasses(of("Running", "Completed"))
        assert.isAbove(done.run?.lives ?? 0, 1)
        assert.isNull(done.deploymentError)
        assert.deepStrictEqual(world.hub.sink("out").records, numbers)
      })
    )
  })

  it.effect("recovery gives up after as many times as it was told, and waits for a person", () => {
    const world = makeWorld()
    let isAway = true
    world.hub.interpose(({ operation }) =>
      isAway && operation === "sink.write" ? Effect.fail(away) : Effect.void
    )
    return inProcess(world, (process) =>
      Effect.gen(function* () {
        yield* process.want("Running")
        yield* process.until(of("Running"))
        yield* trigger(process)
        const failed = yield* process.whileTimePasses(of("Failed"))
        assert.match(failed.deploymentError?.message ?? "", /given up after 4 .*the sink is away/)
        assert.strictEqual(failed.run?.lives, 4)
        isAway = false
        yield* process.want("Shutdown")
        yield* process.until(of("Shutdown"))
        // Whoever starts it again has seen it: the run goes on from its place.
        yield* process.want("Running")
        yield* process.until(of("Running", "Completed"))
        assert.deepStrictEqual(world.hub.sink("out").records, numbers)
      })
    )
  })

  it.effect("a shutdown that cannot drain is finished by force", () => {
    const world = makeWorld()
    world.hub.interpose(({ operation }) => (operation === "sink.write" ? Effect.never : Effect.void))
    return inProcess(world, (process) =>
      Effect.gen(function* () {
        yield* process.want("Running")
        yield* process.until(of("Running"))
        yield* trigger(process)
        yield* process.until(({ open }) => open.length > 0)
        yield* process.want("Shutdown")
        const draining = yield* process.until(of("ShuttingDown"))
        assert.strictEqual(draining.lifecycle, "Running")
        const down = yield* process.whileTimePasses(of("Shutdown"))
        assert.strictEqual(down.run?.failure?.code, "forced")
        world.hub.interpose()
        yield* process.want("Running")
        yield* process.until(of("Running", "Completed"))
        assert.deepStrictEqual(world.hub.sink("out").records, numbers)
      })
    )
  })

  it.effect("Running implies progress, or it is not Running", () => {
    const world = makeWorld()
    return inProcess(world, (process) =>
      Effect.gen(function* () {
        const answer = yield* Deferred.make<void>()
        world.hub.interpose(({ operation, phase }) =>
          operation === "sink.write" && phase === "before" ? Deferred.await(answer) : Effect.void
        )
        yield* process.want("Running")
        yield* process.until(of("Running"))
        yield* trigger(process)
        yield* process.until(({ open }) => open.length > 0)
        const stuck = yield* process.whileTimePasses(of("Unavailable"))
        assert.deepStrictEqual([stuck.lifecycle, stuck.deploymentError?.code], ["Running", "no_progress"])
        assert.match(stuck.deploymentError?.message ?? "", /out: no answer for/)
        yield* Deferred.succeed(answer, undefined)
        yield* process.until(of("Unavailable", "Completed"))
        yield* process.whileTimePasses(of("Running", "Completed"))
      })
    )
  })

  it.effect("what a process leaves running, the next one says is lost, and goes on with", () => {
    const world = makeWorld()
    return Effect.gen(function* () {
      world.hub.interpose(({ operation }) => (operation === "sink.write" ? Effect.never : Effect.void))
      yield* inProcess(world, (process) =>
        Effect.gen(function* () {
          yield* process.want("Running")
          yield* process.until(of("Running"))
          yield* trigger(process)
          yield* process.until(({ open }) => open.length > 0)
        })
      )
      world.hub.interpose()
      yield* inProcess(world, (process) => process.until(of("Running", "Completed")))
      assert.deepStrictEqual(world.hub.sink("out").records, numbers)
      assert.include(typesIn(world.store), "BecameUnavailable")
    })
  })

  it.effect("a process that retires drains first, and the next one needs no crash to go on", () => {
    const world = makeWorld()
    return Effect.gen(function* () {
      const reason = { code: "service_stopped", message: "the service was stopped" }
      yield* inProcess(world, (process) =>
        Effect.gen(function* () {
          yield* process.want("Running")
          yield* process.until(of("Running"))
          yield* process.pipeline.retire(reason)
          const left = yield* process.pipeline.actor.state
          assert.deepStrictEqual([left.deployment, left.desired], ["Unavailable", "Running"])
          assert.deepStrictEqual(left.deploymentError, reason)
        })
      )
      yield* inProcess(world, (process) => process.until(of("Running", "Idle")))
      assert.notInclude(typesIn(world.store), "Crashed")
    })
  })
})

describe("a process that dies, whatever it was doing", () => {
  const desires = ["Running", "Paused", "Shutdown"] as const
  const cases = deployments.flatMap((deployment) => desires.map((desired) => [deployment, desired] as const))

  it.effect.each(cases)("left %s, wanted %s", ([left, desired]) => {
    const world = makeWorld()
    return Effect.gen(function* () {
      // A life before, as far as its log goes: registered, and then killed in this state.
      yield* inProcess(world, () => Effect.void)
      const wanted: PipelineEvent = { _tag: "DesiredStatusSet", desired, reason: "test" }
      yield* appended(world.store, [wanted, ...Events.deploymentHistory[left].slice(1)])
      yield* inProcess(world, ({ pipeline, whileTimePasses }) =>
        Effect.gen(function* () {
          // What has failed waits for a person, unless it is to go down anyway.
          const expected = left === "Failed" && desired !== "Shutdown" ? "Failed" : desired
          yield* whileTimePasses(of(expected))
          assert.strictEqual((yield* pipeline.actor.state).desired, desired)
        })
      )
    })
  })
})

/** Appends to the one pipeline's stream as its owner would. */
const appended = Effect.fnUntraced(
  function* (store: MemoryStore, events: ReadonlyArray<PipelineEvent>) {
    const log = yield* EventLog
    const { stream } = headsOf(store).find((head) => head.stream.startsWith("pipeline/"))!
    const { epoch, version } = yield* log.claim(stream)
    const rows = events.map((event, index) =>
      newEvent(`left-${index}`, { type: event._tag, payload: JSON.stringify(event) })
    )
    yield* log.append(stream, { expectedVersion: version, epoch }, rows)
  },
  (effect, store) => Effect.provide(effect, layerMemoryOn(store))
)
