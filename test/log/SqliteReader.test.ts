import { join } from "node:path"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber, Stream } from "effect"
import { TestClock } from "effect/testing"
import type { LogError } from "../../src/log/EventLog.ts"
import { layerSqliteReader, readerPollMs } from "../../src/log/Sqlite.ts"
import { verify } from "../../src/log/verify.ts"
import { newEvents } from "../contracts/newEvent.ts"
import { append, range } from "../contracts/onLog.ts"
import { open, refusal, temporaryDirectory, writeTo, writing } from "./temporary.ts"

describe("the reader", () => {
  it.effect("reads beside the writer, and only reads", () =>
    Effect.gen(function* () {
      const directory = yield* temporaryDirectory
      yield* writing(directory, (log) =>
        Effect.gen(function* () {
          const head = yield* writeTo(log, "a", 3)
          const reader = yield* open(layerSqliteReader({ directory }))
          assert.deepStrictEqual(yield* reader.heads, [head])
          const next = yield* append(log, head, newEvents("more", 2))
          assert.deepStrictEqual(yield* reader.heads, [next])
          assert.deepStrictEqual(
            yield* Stream.runCollect(reader.readAll()),
            yield* Stream.runCollect(log.readAll())
          )
          for (const write of [
            reader.claim("a"),
            append(reader, head, newEvents("x", 1)),
            reader.saveSnapshot({ stream: "a", fold: "f", foldVersion: 1, version: 1, state: "{}" })
          ]) {
            assert.deepInclude(yield* Effect.flip(write as Effect.Effect<unknown, LogError>), {
              reason: { _tag: "ReadOnly" }
            })
          }
        })
      )
    }).pipe(Effect.scoped)
  )

  it.effect("of a directory without a log sees an empty one, until there is one", () =>
    Effect.gen(function* () {
      const directory = yield* temporaryDirectory
      const reader = yield* open(layerSqliteReader({ directory }))
      assert.deepStrictEqual(yield* reader.heads, [])
      assert.deepStrictEqual(yield* Stream.runCollect(reader.readAll()), [])
      assert.deepStrictEqual(yield* Stream.runCollect(reader.read("a")), [])
      const head = yield* writing(directory, (log) => writeTo(log, "a", 2))
      assert.deepStrictEqual(yield* reader.heads, [head])
      assert.match(
        yield* refusal(join(directory, "typo"), layerSqliteReader),
        /^Unusable: There is no directory/
      )
    }).pipe(Effect.scoped)
  )

  it.effect("looks for changes at its interval", () =>
    Effect.gen(function* () {
      const directory = yield* temporaryDirectory
      yield* writing(directory, (log) =>
        Effect.gen(function* () {
          const head = yield* writeTo(log, "a", 3)
          const reader = yield* open(layerSqliteReader({ directory }))
          const fiber = yield* Effect.forkChild(Stream.runCollect(Stream.take(reader.changes, 2)))
          yield* TestClock.adjust(readerPollMs * 3)
          yield* append(log, head, newEvents("more", 2))
          yield* TestClock.adjust(readerPollMs)
          assert.deepStrictEqual(yield* Fiber.join(fiber), [3, 5])
        })
      )
    }).pipe(Effect.scoped)
  )

  it.effect("verifies a log that is being written", () =>
    Effect.gen(function* () {
      const directory = yield* temporaryDirectory
      yield* writing(directory, (log) =>
        Effect.gen(function* () {
          let head = yield* writeTo(log, "a", 2500)
          const walk = yield* Effect.forkChild(
            verify().pipe(Effect.provide(layerSqliteReader({ directory }))),
            { startImmediately: true }
          )
          for (const n of range(1, 50)) {
            head = yield* append(log, head, newEvents(`b${n}`, 2))
            yield* Effect.yieldNow
          }
          const { events, firstBad } = yield* Fiber.join(walk)
          assert.isNull(firstBad)
          assert.isAtLeast(events, 2500)
        })
      )
    })
  )
})
