/**
 * The half of the event log's contract that writes.
 *
 * @module
 */
import { assert } from "@effect/vitest"
import { Effect, Exit, Fiber, Stream } from "effect"
import { genesisHash } from "../../events/StoredEvent.ts"
import { Fenced, VersionConflict } from "../../src/log/EventLog.ts"
import { verify } from "../../src/log/verify.ts"
import { newEvent, newEvents } from "./newEvent.ts"
import { append, idsOf, streamNames, type Test } from "./onLog.ts"

export const owning = (on: Test) => {
  on("a claim starts at epoch 1 of an empty stream and grows by one", (log) =>
    Effect.gen(function* () {
      assert.deepStrictEqual(yield* log.claim("a"), { stream: "a", version: 0, epoch: 1, hash: genesisHash })
      const head = yield* log.append("a", { expectedVersion: 0, epoch: 1 }, newEvents("a", 2))
      assert.deepStrictEqual(yield* log.claim("a"), { ...head, epoch: 2 })
      assert.strictEqual((yield* log.claim("b")).epoch, 1)
    })
  )

  on("a fenced owner writes nothing, though its version is right", (log) =>
    Effect.gen(function* () {
      const old = yield* log.claim("a")
      yield* log.claim("a")
      const error = yield* Effect.flip(append(log, old, newEvents("zombie", 1)))
      assert.deepStrictEqual(error, new Fenced({ stream: "a", epoch: 1, actual: 2 }))
      assert.deepStrictEqual(yield* idsOf(log, "a"), [])
    })
  )

  on("an epoch nobody was given is fenced off; a stream nobody claimed is at epoch 0", (log) =>
    Effect.gen(function* () {
      const free = { stream: "a", version: 0, epoch: 0, hash: genesisHash }
      assert.instanceOf(yield* Effect.flip(append(log, { ...free, epoch: 7 }, newEvents("a", 1))), Fenced)
      assert.strictEqual((yield* append(log, free, newEvents("a", 1))).version, 1)
    })
  )

  on("a fenced owner may not even repeat itself", (log) =>
    Effect.gen(function* () {
      const old = yield* log.claim("a")
      yield* append(log, old, newEvents("a", 1))
      yield* log.claim("a")
      assert.instanceOf(yield* Effect.flip(append(log, old, newEvents("a", 1))), Fenced)
    })
  )
}

export const appending = (on: Test) => {
  on("an append gives version, position, epoch and a place in the chain", (log) =>
    Effect.gen(function* () {
      const head = yield* append(log, yield* log.claim("a"), newEvents("a", 3))
      const events = yield* Stream.runCollect(log.read("a"))
      assert.deepStrictEqual(
        events.map(({ epoch, eventId, position, version }) => ({ epoch, eventId, position, version })),
        [1, 2, 3].map((n) => ({
          epoch: 1,
          eventId: `a-${n}`,
          position: events[0]!.position + n - 1,
          version: n
        }))
      )
      assert.deepStrictEqual(head, { stream: "a", version: 3, epoch: 1, hash: events[2]!.hash })
      assert.deepStrictEqual(yield* log.heads, [head])
      assert.deepStrictEqual(yield* verify(), { streams: 1, events: 3, firstBad: null })
    })
  )

  for (const expectedVersion of [0, 1, 3, 99]) {
    on(`at version 2, an append expecting ${expectedVersion} conflicts and writes nothing`, (log) =>
      Effect.gen(function* () {
        const head = yield* append(log, yield* log.claim("a"), newEvents("a", 2))
        const error = yield* Effect.flip(
          append(log, { ...head, version: expectedVersion }, newEvents("b", 2))
        )
        assert.deepStrictEqual(
          error,
          new VersionConflict({ stream: "a", expected: expectedVersion, actual: 2 })
        )
        assert.deepStrictEqual(yield* log.heads, [head])
      })
    )
  }

  on("an append of nothing checks and changes nothing", (log) =>
    Effect.gen(function* () {
      const head = yield* append(log, yield* log.claim("a"), newEvents("a", 1))
      assert.deepStrictEqual(yield* append(log, head, []), head)
      assert.instanceOf(yield* Effect.flip(append(log, { ...head, version: 0 }, [])), VersionConflict)
    })
  )

  on("an id that another event has refuses the whole append, and only that", (log) =>
    Effect.gen(function* () {
      yield* append(log, yield* log.claim("a"), [newEvent("same")])
      const [b, c] = [yield* log.claim("b"), yield* log.claim("c")]
      const [refused, written] = yield* Effect.all(
        [append(log, b, [newEvent("new"), newEvent("same")]), append(log, c, newEvents("c", 1))].map(
          Effect.exit
        ),
        { concurrency: "unbounded" }
      )
      assert.isTrue(Exit.isFailure(refused!) && Exit.isSuccess(written!))
      assert.instanceOf(yield* Effect.flip(append(log, b, [newEvent("twice"), newEvent("twice")])), Error)
      assert.deepStrictEqual(yield* idsOf(log, "b"), [])
      assert.isNull((yield* verify()).firstBad)
    })
  )

  on("lone surrogates become their JSON escapes in a payload, and U+FFFD elsewhere", (log) =>
    Effect.gen(function* () {
      yield* append(log, yield* log.claim("a"), [
        newEvent("a", { payload: '{"x":"\ud800"}', by: "\udc00me" })
      ])
      const [event] = yield* Stream.runCollect(log.read("a"))
      assert.strictEqual(event!.payload, '{"x":"\\ud800"}')
      assert.deepStrictEqual(JSON.parse(event!.payload), { x: "\ud800" })
      assert.strictEqual(event!.by, "\ufffdme")
      assert.isNull((yield* verify()).firstBad)
    })
  )
}

export const appendingTogether = (on: Test) => {
  on("of many appends at once, each to its own stream, only the conflicting ones fail", (log) =>
    Effect.gen(function* () {
      const heads = yield* Effect.forEach(streamNames(100), log.claim)
      const exits = yield* Effect.forEach(
        heads,
        (head, i) =>
          Effect.exit(append(log, { ...head, version: i % 3 === 0 ? 5 : 0 }, newEvents(head.stream, 2))),
        { concurrency: "unbounded" }
      )
      assert.deepStrictEqual(
        exits.map(Exit.isSuccess),
        heads.map((_, i) => i % 3 !== 0)
      )
      for (const [i, head] of (yield* log.heads).entries())
        assert.strictEqual(head.version, i % 3 === 0 ? 0 : 2)
      assert.deepStrictEqual(yield* verify(), { streams: 66, events: 132, firstBad: null })
    })
  )

  on("of many appends at once to one stream at one version, exactly one is written", (log) =>
    Effect.gen(function* () {
      const head = yield* log.claim("a")
      const exits = yield* Effect.forEach(
        streamNames(50),
        (id) => Effect.exit(append(log, head, newEvents(id, 2))),
        { concurrency: "unbounded" }
      )
      assert.strictEqual(exits.filter(Exit.isSuccess).length, 1)
      assert.strictEqual((yield* idsOf(log, "a")).length, 2)
    })
  )

  on("appends of one stream that wait together are written in their order", (log) =>
    Effect.gen(function* () {
      const head = yield* log.claim("a")
      yield* Effect.forEach(
        [0, 1, 2, 3, 4, 5, 6, 7],
        (version) => append(log, { ...head, version }, [newEvent(`a-${version}`)]),
        { concurrency: "unbounded" }
      )
      assert.strictEqual((yield* idsOf(log, "a")).length, 8)
      assert.isNull((yield* verify()).firstBad)
    })
  )

  on("a caller that is interrupted leaves all of its append or nothing", (log) =>
    Effect.gen(function* () {
      const heads = yield* Effect.forEach(streamNames(60), log.claim)
      const fibers = yield* Effect.forEach(heads, (head) =>
        Effect.forkChild(append(log, head, newEvents(head.stream, 3)), { startImmediately: true })
      )
      yield* Fiber.interruptAll(fibers.filter((_, i) => i % 2 === 0))
      yield* Fiber.awaitAll(fibers)
      for (const [i, head] of heads.entries()) {
        const count = (yield* idsOf(log, head.stream)).length
        assert.isTrue(count === 3 || (count === 0 && i % 2 === 0), `${head.stream} has ${count} events`)
        // Settled: repeated with the same ids it is there once, whichever it was.
        assert.strictEqual((yield* append(log, head, newEvents(head.stream, 3))).version, 3)
      }
      assert.deepStrictEqual(yield* verify(), { streams: 60, events: 180, firstBad: null })
    })
  )
}

export const repeating = (on: Test) => {
  on("an append repeated with the same ids succeeds and changes nothing", (log) =>
    Effect.gen(function* () {
      const start = yield* log.claim("a")
      const first = yield* append(log, start, newEvents("a", 1500))
      assert.deepStrictEqual(yield* append(log, start, newEvents("a", 1500)), first)
      assert.strictEqual((yield* idsOf(log, "a")).length, 1500)
    })
  )

  on("repeated by the next owner, and after later appends, it answers the head it left then", (log) =>
    Effect.gen(function* () {
      const first = yield* append(log, yield* log.claim("a"), newEvents("a", 2))
      const owner = yield* log.claim("a")
      yield* append(log, owner, newEvents("b", 2))
      assert.deepStrictEqual(yield* append(log, { ...owner, version: 0 }, newEvents("a", 2)), {
        ...first,
        epoch: 2
      })
    })
  )

  on("the same version with other, fewer known or more ids is a conflict", (log) =>
    Effect.gen(function* () {
      const start = yield* log.claim("a")
      yield* append(log, start, newEvents("a", 2))
      for (const ids of [["x"], ["a-1", "x"], ["a-2", "a-1"], ["a-1", "a-2", "a-3"]]) {
        const error = yield* Effect.flip(
          append(
            log,
            start,
            ids.map((id) => newEvent(id))
          )
        )
        assert.instanceOf(error, VersionConflict, ids.join())
      }
      assert.deepStrictEqual(yield* idsOf(log, "a"), ["a-1", "a-2"])
    })
  )
}
