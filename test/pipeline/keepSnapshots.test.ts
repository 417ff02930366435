/**
 * When an actor's state is saved. The histories are made, not run: what matters is how long they are.
 *
 * @module
 */
import { assert, describe, it } from "@effect/vitest"
import { Deferred, Effect, Option } from "effect"
import { type PipelineEvent, pipelineStream } from "../../events/PipelineEvent.ts"
import * as PipelineState from "../../projections/PipelineState.ts"
import { EventLog, type NewEvent } from "../../src/log/EventLog.ts"
import { layerMemory, layerMemoryOn, makeMemoryStore } from "../../src/log/Memory.ts"
import { snapshotEvery } from "../../src/pipeline/keepSnapshots.ts"
import { loadState, snapshotName } from "../../src/pipeline/loadState.ts"
import * as PipelineActor from "../../src/pipeline/PipelineActor.ts"
import { newEvent } from "../contracts/newEvent.ts"
import { append } from "../contracts/onLog.ts"
import { applied, running, sealed } from "../fixtures/events.ts"

const stream = pipelineStream("p1")

/** A history of this many events: a run under way, batch after batch. */
const history = (length: number): ReadonlyArray<PipelineEvent> => {
  const events: Array<PipelineEvent> = [...running]
  for (let batch = 0; events.length < length; batch++) {
    events.push(sealed(batch), applied("a", batch), applied("b", batch))
  }
  return events.slice(0, length)
}

const rows = (events: ReadonlyArray<PipelineEvent>): ReadonlyArray<NewEvent> =>
  events.map((event, index) => newEvent(`e${index}`, { type: event._tag, payload: JSON.stringify(event) }))

const write = Effect.fnUntraced(function* (events: ReadonlyArray<PipelineEvent>) {
  const log = yield* EventLog
  yield* append(log, yield* log.claim(stream), rows(events))
})

const savedAt = EventLog.use((log) =>
  Effect.map(
    log.loadSnapshot(stream, snapshotName, PipelineState.foldVersion),
    Option.map(({ version }) => version)
  )
)

/** Everything that was forked has had its turn. */
const settle = Effect.forEach(Array.from({ length: 20 }), () => Effect.yieldNow)

const awake = Effect.scoped(Effect.andThen(PipelineActor.make("p1"), Effect.andThen(settle, savedAt)))

describe("an actor that wakes", () => {
  it.effect("on a long history of an older fold version saves at once what it folded", () =>
    Effect.gen(function* () {
      const events = history(20_000)
      yield* write(events)
      const log = yield* EventLog
      const foldVersion = PipelineState.foldVersion - 1
      const old = {
        stream,
        fold: snapshotName,
        foldVersion,
        version: 19_500,
        state: '{"of":"another shape"}'
      }
      yield* log.saveSnapshot(old)
      assert.deepStrictEqual(yield* awake, Option.some(20_000))
      const { snapshotAt, state } = yield* loadState(log, stream)
      assert.strictEqual(snapshotAt, 20_000)
      assert.deepStrictEqual(state, PipelineState.replay(events))
    }).pipe(Effect.provide(layerMemory))
  )

  it.effect("on a short one saves nothing", () =>
    Effect.gen(function* () {
      yield* write(history(snapshotEvery - 1))
      assert.deepStrictEqual(yield* awake, Option.none())
    }).pipe(Effect.provide(layerMemory))
  )
})

describe("an actor at work", () => {
  const asked = (index: number) =>
    ({ _tag: "SetDesired", desired: index % 2 === 0 ? "Running" : "Paused", reason: "" }) as const

  it.effect("saves after so many events, and before it sleeps if that spares the next one some", () =>
    Effect.gen(function* () {
      yield* write(history(snapshotEvery - 5))
      yield* Effect.scoped(
        Effect.gen(function* () {
          const actor = yield* PipelineActor.make("p1")
          for (let index = 0; index < 5; index++) yield* actor.send(asked(index), "test")
          yield* settle
          assert.deepStrictEqual(yield* savedAt, Option.some(snapshotEvery))
          for (let index = 5; index < 104; index++) yield* actor.send(asked(index), "test")
        })
      )
      assert.deepStrictEqual(yield* savedAt, Option.some(snapshotEvery))
      yield* Effect.scoped(Effect.flatMap(PipelineActor.make("p1"), ({ send }) => send(asked(0), "test")))
      assert.deepStrictEqual(yield* savedAt, Option.some(snapshotEvery + 100))
    }).pipe(Effect.provide(layerMemory))
  )

  it.effect("takes commands while a snapshot is on its way", () =>
    Effect.gen(function* () {
      const gate = yield* Deferred.make<void>()
      const slow = layerMemoryOn(makeMemoryStore(), {
        fault: ({ operation }) => (operation === "saveSnapshot" ? Deferred.await(gate) : Effect.void)
      })
      yield* Effect.gen(function* () {
        yield* write(history(snapshotEvery - 1))
        const actor = yield* PipelineActor.make("p1")
        for (let index = 0; index < 3; index++) yield* actor.send(asked(index), "test")
        assert.deepStrictEqual(yield* savedAt, Option.none())
        yield* Deferred.succeed(gate, undefined)
        yield* settle
        assert.isTrue(Option.isSome(yield* savedAt))
      }).pipe(Effect.scoped, Effect.provide(slow))
    })
  )
})
