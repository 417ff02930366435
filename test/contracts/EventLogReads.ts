/**
 * The half of the event log's contract that reads.
 *
 * @module
 */
import { assert } from "@effect/vitest"
import { Effect, Fiber, Option, Stream } from "effect"
import { allStreams, EventLog } from "../../src/log/EventLog.ts"
import { verify } from "../../src/log/verify.ts"
import { newEvent, newEvents } from "./newEvent.ts"
import { append, idsOf, range, streamNames, type Test } from "./onLog.ts"

export const reading = (on: Test) => {
  on("a stream is read in order, after a version, up to a limit, over many pages", (log) =>
    Effect.gen(function* () {
      const head = yield* append(log, yield* log.claim("a"), newEvents("a", 2500))
      yield* append(log, yield* log.claim("b"), newEvents("b", 10))
      yield* append(log, head, newEvents("c", 1))
      const versions = (options?: { after?: number; limit?: number }) =>
        Stream.runCollect(Stream.map(log.read("a", options), (event) => event.version))
      assert.deepStrictEqual(yield* versions(), range(1, 2501))
      assert.deepStrictEqual(yield* versions({ after: 1500 }), range(1501, 2501))
      assert.deepStrictEqual(yield* versions({ after: 10, limit: 1200 }), range(11, 1210))
      assert.deepStrictEqual(yield* versions({ limit: 0 }), [])
      assert.deepStrictEqual(yield* versions({ after: 9999 }), [])
      assert.deepStrictEqual(yield* idsOf(log, "nobody"), [])
    })
  )

  on("all streams are read in the order of their positions, after one, and by types", (log) =>
    Effect.gen(function* () {
      for (const stream of streamNames(30)) {
        const head = yield* append(log, yield* log.claim(stream), newEvents(stream, 100))
        yield* append(log, head, [newEvent(`${stream}-rare`, { type: "Rare" })])
      }
      const all = yield* Stream.runCollect(log.readAll())
      assert.strictEqual(all.length, 3030)
      assert.isTrue(all.every((event, i) => i === 0 || event.position > all[i - 1]!.position))
      const after = all[1999]!.position
      assert.deepStrictEqual(yield* Stream.runCollect(log.readAll({ after })), all.slice(2000))
      assert.deepStrictEqual(
        yield* Stream.runCollect(log.readAll({ after, types: ["Rare", "Unheard"] })),
        all.slice(2000).filter((event) => event.type === "Rare")
      )
      assert.deepStrictEqual(yield* Stream.runCollect(log.readAll({ types: [] })), [])
    })
  )

  on("reading everything ends at the present, however fast others write", (log) =>
    Effect.gen(function* () {
      let head = yield* append(log, yield* log.claim("a"), newEvents("a", 1500))
      let seen = 0
      yield* Stream.runForEachArray(log.readAll(), (page) =>
        Effect.gen(function* () {
          seen += page.length
          head = yield* append(log, head, newEvents(`more-${seen}`, 1000))
        })
      )
      assert.strictEqual(seen, 1500)
    })
  )
}

export const following = (on: Test) => {
  on("a follower sees every event once, in order, while many write", (log) =>
    Effect.gen(function* () {
      const seen: Array<{ position: number; eventId: string }> = []
      const catchUp = Stream.runForEach(
        Stream.suspend(() => log.readAll({ after: seen.at(-1)?.position ?? 0 })),
        ({ eventId, position }) => Effect.sync(() => seen.push({ eventId, position }))
      )
      const follower = yield* Effect.forkChild(Effect.forever(Effect.andThen(catchUp, Effect.yieldNow)))
      yield* Effect.forEach(
        streamNames(40),
        Effect.fnUntraced(function* (stream) {
          let head = yield* log.claim(stream)
          for (const n of range(1, 10)) head = yield* append(log, head, newEvents(`${stream}-${n}`, 2))
        }),
        { concurrency: "unbounded" }
      )
      yield* Fiber.interrupt(follower)
      yield* catchUp
      const all = yield* Stream.runCollect(log.readAll())
      assert.deepStrictEqual(
        seen,
        all.map(({ eventId, position }) => ({ position, eventId }))
      )
      assert.strictEqual(all.length, 800)
    })
  )

  on("a commit wakes who follows the changes", (log) =>
    Effect.gen(function* () {
      const woken = yield* Effect.forkChild(Stream.runHead(log.changes))
      let head = yield* log.claim("a")
      // The subscription has its own pace; a wake-up is owed only from then on.
      while (woken.pollUnsafe() === undefined && head.version < 1000) {
        head = yield* append(log, head, newEvents(`a-${head.version}`, 1))
        yield* Effect.yieldNow
      }
      const [last] = (yield* Stream.runCollect(log.readAll())).slice(-1)
      const position = Option.getOrThrow(yield* Fiber.join(woken))
      assert.isTrue(position > 0 && position <= last!.position)
    })
  )
}

export const snapshots = (on: Test) => {
  const snapshot = { stream: "a", fold: "state", foldVersion: 1, version: 5, state: '{"n":5}' }

  on("a snapshot is found by its fold and fold version only", (log) =>
    Effect.gen(function* () {
      assert.deepStrictEqual(yield* log.loadSnapshot("a", "state", 1), Option.none())
      yield* log.saveSnapshot(snapshot)
      assert.deepStrictEqual(yield* log.loadSnapshot("a", "state", 1), Option.some(snapshot))
      assert.deepStrictEqual(yield* log.loadSnapshot("a", "state", 2), Option.none())
      assert.deepStrictEqual(yield* log.loadSnapshot("a", "other", 1), Option.none())
      assert.deepStrictEqual(yield* log.loadSnapshot("b", "state", 1), Option.none())
    })
  )

  on("one of all streams stands at a position, as far as positions go, and is no stream", (log) =>
    Effect.gen(function* () {
      const ofAll = { ...snapshot, stream: allStreams, version: 2 ** 40 }
      yield* log.saveSnapshot(ofAll)
      yield* log.saveSnapshot({ ...ofAll, version: 2 ** 40 - 1 })
      assert.deepStrictEqual(yield* log.loadSnapshot(allStreams, "state", 1), Option.some(ofAll))
      assert.deepStrictEqual(yield* log.heads, [])
      assert.deepStrictEqual(yield* Stream.runCollect(log.readAll()), [])
      assert.isTrue(log.isWritable)
    })
  )

  on("a newer one replaces an older, never the other way round; a new fold version always", (log) =>
    Effect.gen(function* () {
      yield* log.saveSnapshot(snapshot)
      yield* log.saveSnapshot({ ...snapshot, version: 9 })
      yield* log.saveSnapshot({ ...snapshot, version: 7 })
      assert.strictEqual(Option.getOrThrow(yield* log.loadSnapshot("a", "state", 1)).version, 9)
      yield* log.saveSnapshot({ ...snapshot, foldVersion: 2, version: 3 })
      assert.strictEqual(Option.getOrThrow(yield* log.loadSnapshot("a", "state", 2)).version, 3)
      assert.deepStrictEqual(yield* log.loadSnapshot("a", "state", 1), Option.none())
    })
  )
}

const awkward = [
  "",
  "\u0000",
  "a\u0000b",
  "\ud800",
  "\udfff!",
  "\u2028",
  "😀",
  "\ufeff",
  "é",
  "e\u0301",
  "\\ud800"
]

/** Texts come back byte for byte. */
export const roundTrip = Effect.fnUntraced(function* (texts: ReadonlyArray<string>) {
  const log = yield* EventLog
  const payloads = [...awkward, ...texts].map((text) => JSON.stringify({ [text]: text }))
  payloads.push('{ "b" : 1e21,\n\t"a": 1.0, "a": -0 }')
  const head = yield* log.claim("a")
  yield* append(
    log,
    head,
    payloads.map((payload, i) => newEvent(`${i}`, { payload, by: "\u0000 ü", correlationId: "" }))
  )
  const stored = yield* Stream.runCollect(log.read("a"))
  assert.deepStrictEqual(
    stored.map((event) => event.payload),
    payloads
  )
  assert.isTrue(stored.every((e) => e.by === "\u0000 ü" && e.correlationId === "" && e.causationId === null))
  assert.isNull((yield* verify()).firstBad)
})
