/**
 * Read models over a log: what is read, what is kept, and who keeps it.
 *
 * @module
 */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Option, Stream } from "effect"
import { TestClock } from "effect/testing"
import type { StoredEvent } from "../../events/StoredEvent.ts"
import { allStreams, EventLog, LogError } from "../../src/log/EventLog.ts"
import { layerMemory, layerMemoryOn, makeMemoryStore } from "../../src/log/Memory.ts"
import { follow, type ReadModel, read, snapshotEvery } from "../../src/log/ReadModel.ts"
import { layerSqlite, layerSqliteReader } from "../../src/log/Sqlite.ts"
import { newEvents } from "../contracts/newEvent.ts"
import { append } from "../contracts/onLog.ts"
import { temporaryDirectory } from "./temporary.ts"

interface Tally {
  readonly events: number
  readonly last: string
}

/** Counts; and remembers which rows it was shown. */
const tally = (foldVersion = 1) => {
  const shown: Array<StoredEvent> = []
  const model: ReadModel<Tally> = {
    name: "tally",
    foldVersion,
    initial: { events: 0, last: "" },
    evolve: (state, row) => {
      shown.push(row)
      return { events: state.events + 1, last: row.eventId }
    },
    encode: (state) => JSON.stringify(state),
    decode: (text) => JSON.parse(text)
  }
  return { model, shown }
}

const writeTo = Effect.fnUntraced(function* (stream: string, count: number, prefix = stream) {
  const log = yield* EventLog
  return yield* append(log, yield* log.claim(stream), newEvents(prefix, count))
})

const savedAt = (foldVersion = 1) =>
  Effect.map(
    EventLog.use((log) => log.loadSnapshot(allStreams, "tally", foldVersion)),
    Option.map(({ version }) => version)
  )

const onMemory = <A, E>(test: Effect.Effect<A, E, EventLog>) => Effect.provide(test, layerMemory)

describe("read", () => {
  it.effect("goes on from the newest snapshot, and is the fold of everything", () =>
    onMemory(
      Effect.gen(function* () {
        const [first, second] = [tally(), tally()]
        yield* writeTo("a", snapshotEvery)
        assert.deepStrictEqual(yield* read(first.model), {
          state: { events: snapshotEvery, last: `a-${snapshotEvery}` },
          position: snapshotEvery
        })
        assert.deepStrictEqual(yield* savedAt(), Option.some(snapshotEvery))
        yield* writeTo("b", 3)
        const { position, state } = yield* read(second.model)
        assert.deepStrictEqual(state, { events: snapshotEvery + 3, last: "b-3" })
        assert.strictEqual(position, snapshotEvery + 3)
        assert.strictEqual(second.shown.length, 3)
      })
    )
  )

  it.effect("folds a log of another fold version anew, and keeps that", () =>
    onMemory(
      Effect.gen(function* () {
        yield* writeTo("a", snapshotEvery)
        yield* read(tally(1).model)
        const next = tally(2)
        assert.strictEqual((yield* read(next.model)).state.events, snapshotEvery)
        assert.strictEqual(next.shown.length, snapshotEvery)
        assert.deepStrictEqual(yield* savedAt(2), Option.some(snapshotEvery))
        assert.deepStrictEqual(yield* savedAt(1), Option.none())
      })
    )
  )

  it.effect("a snapshot that cannot be read is none", () =>
    onMemory(
      Effect.gen(function* () {
        const log = yield* EventLog
        yield* writeTo("a", 5)
        yield* log.saveSnapshot({
          stream: allStreams,
          fold: "tally",
          foldVersion: 1,
          version: 3,
          state: '{"events":'
        })
        assert.strictEqual((yield* read(tally().model)).state.events, 5)
      })
    )
  )

  it.effect("keeps nothing of a state that is not worth keeping, and nothing before it is due", () =>
    onMemory(
      Effect.gen(function* () {
        yield* writeTo("a", snapshotEvery - 1)
        yield* read(tally().model)
        assert.deepStrictEqual(yield* savedAt(), Option.none())
        yield* writeTo("b", 1)
        yield* read({ ...tally().model, encode: () => null })
        assert.deepStrictEqual(yield* savedAt(), Option.none())
      })
    )
  )

  it.effect("saves a large state less often: never more characters than its events are worth", () =>
    onMemory(
      Effect.gen(function* () {
        const saves: Array<number> = []
        const { model } = tally()
        const large: ReadModel<Tally> = {
          ...model,
          encode: (state) => {
            saves.push(state.events)
            return JSON.stringify({ ...state, padding: "x".repeat(3 * snapshotEvery * 200 - 1000) })
          }
        }
        yield* writeTo("a", 5 * snapshotEvery)
        yield* read(large)
        assert.deepStrictEqual(saves, [snapshotEvery, 4 * snapshotEvery])
      })
    )
  )

  it.effect("only reads over a connection that only reads", () =>
    Effect.gen(function* () {
      const directory = yield* temporaryDirectory
      yield* Effect.provide(writeTo("a", snapshotEvery), layerSqlite({ directory }))
      const encoded: Array<Tally> = []
      const model: ReadModel<Tally> = {
        ...tally().model,
        encode: (state) => {
          encoded.push(state)
          return JSON.stringify(state)
        }
      }
      const reader = layerSqliteReader({ directory })
      assert.strictEqual((yield* Effect.provide(read(model), reader)).state.events, snapshotEvery)
      assert.deepStrictEqual(encoded, [])
      assert.deepStrictEqual(yield* Effect.provide(savedAt(), reader), Option.none())
    }).pipe(Effect.scoped)
  )
})

const away = new LogError({ operation: "readAll", reason: { _tag: "Unavailable", message: "away" } })

describe("follow", () => {
  it.effect("now has in it what the log held, whether a wake-up came or not", () =>
    onMemory(
      Effect.scoped(
        Effect.gen(function* () {
          const followed = yield* follow(tally().model)
          for (const stream of ["a", "b", "c"]) {
            yield* writeTo(stream, 7)
            assert.strictEqual((yield* followed.now).state.last, `${stream}-7`)
          }
          assert.deepStrictEqual(yield* followed.latest, yield* followed.now)
        })
      )
    )
  )

  it.effect("follows by itself, and each event once", () =>
    onMemory(
      Effect.scoped(
        Effect.gen(function* () {
          const { model, shown } = tally()
          const followed = yield* follow(model)
          yield* writeTo("a", 2500)
          yield* TestClock.adjust("10 seconds")
          const seen = yield* Stream.runHead(
            Stream.filter(followed.changes, ({ position }) => position === 2500)
          )
          assert.strictEqual(Option.getOrThrow(seen).state.events, 2500)
          assert.deepStrictEqual(
            shown.map(({ position }) => position),
            Array.from({ length: 2500 }, (_, index) => index + 1)
          )
        })
      )
    )
  )

  it.effect("leaves a snapshot at the end, if it spares anybody work", () =>
    onMemory(
      Effect.gen(function* () {
        const using = (count: number, stream: string) =>
          Effect.scoped(
            Effect.gen(function* () {
              yield* writeTo(stream, count)
              yield* (yield* follow(tally().model)).now
            })
          )
        yield* using(99, "a")
        assert.deepStrictEqual(yield* savedAt(), Option.none())
        yield* using(1, "b")
        assert.deepStrictEqual(yield* savedAt(), Option.some(100))
      })
    )
  )

  it.effect("waits for a log that is away, and says so to who asks", () => {
    const store = makeMemoryStore()
    let isAway = true
    const layer = layerMemoryOn(store, {
      fault: ({ operation }) => (isAway && operation === "readAll" ? Effect.fail(away) : Effect.void)
    })
    return Effect.gen(function* () {
      const followed = yield* follow(tally().model)
      yield* writeTo("a", 3)
      assert.strictEqual((yield* Effect.flip(followed.now)).reason._tag, "Unavailable")
      isAway = false
      for (let polls = 0; polls < 10 && (yield* followed.latest).position < 3; polls++) {
        yield* TestClock.adjust("5 seconds")
      }
      assert.strictEqual((yield* followed.latest).position, 3)
    }).pipe(Effect.scoped, Effect.provide(layer))
  })
})
