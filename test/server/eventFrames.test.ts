import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber, Queue, Stream } from "effect"
import { TestClock } from "effect/testing"
import type { StoredEvent } from "../../events/StoredEvent.ts"
import { eventFrames, type Follow } from "../../src/server/eventFrames.ts"
import { history, stored } from "./storedEvents.ts"

const decoder = new TextDecoder()
const all: Follow = { after: 0, types: new Set() }
const text = <E>(events: Stream.Stream<StoredEvent, E>, follow: Partial<Follow> = {}) =>
  eventFrames(events, { ...all, ...follow }).pipe(
    Stream.runCollect,
    Effect.map((parts) => [...parts].map((part) => decoder.decode(part)).join(""))
  )
const ids = (answer: string): ReadonlyArray<number> =>
  [...answer.matchAll(/^id: (\d+)$/gm)].map(([, id]) => Number(id))

describe("frames", () => {
  it.effect("carry version, type and the event with the payload's own text", () =>
    Effect.gen(function* () {
      const payload = '{"_tag":"Triggered","n":1e21,"big":12345678901234567890,\n"s":"\\u0000"}'
      const answer = yield* text(
        Stream.make(stored(1), stored(2, "Completed", '{"n":1e21,"big":12345678901234567890}'))
      )
      assert.include(answer, "id: 2\nevent: Completed\ndata: {")
      assert.include(answer, '"payload":{"n":1e21,"big":12345678901234567890}}\n\n')
      // A line break in the text of the log would break the frame.
      const [, data] =
        /^data: (.*)\n\n/m.exec(yield* text(Stream.make(stored(1, "Triggered", payload)))) ?? []
      assert.strictEqual(JSON.parse(data ?? "").payload.s, "\u0000")
    })
  )

  it.effect("go on exactly behind a version, whatever is read again", () =>
    Effect.gen(function* () {
      const rows = [...history(5), ...history(7)]
      for (let after = 0; after <= 7; after++) {
        const expected = history(7)
          .map(({ version }) => version)
          .slice(after)
        assert.deepEqual(ids(yield* text(Stream.fromIterable(rows), { after })), expected)
      }
    })
  )

  it.effect("end at a gap: nothing is passed over in silence", () =>
    Effect.gen(function* () {
      const rows = [stored(1), stored(2), stored(4), stored(5)]
      assert.deepEqual(ids(yield* text(Stream.fromIterable(rows))), [1, 2])
      assert.deepEqual(ids(yield* text(Stream.concat(Stream.fromIterable(rows), Stream.never))), [1, 2])
      assert.deepEqual(ids(yield* text(Stream.make(stored(4)), { after: 1 })), [])
    })
  )

  it.effect("of some types only are no gaps", () =>
    Effect.gen(function* () {
      const rows = [stored(1), stored(2, "Completed"), stored(3), stored(4, "Completed")]
      assert.deepEqual(ids(yield* text(Stream.fromIterable(rows), { types: new Set(["Completed"]) })), [2, 4])
    })
  )

  it.effect("end when the log fails, without a word of the fault", () =>
    Effect.gen(function* () {
      const broken = Stream.concat(Stream.make(stored(1)), Stream.fail("swordfish"))
      const answer = yield* text(broken)
      assert.deepEqual(ids(answer), [1])
      assert.notInclude(answer, "swordfish")
    })
  )

  it.effect("are kept company by comments while nothing happens", () =>
    Effect.gen(function* () {
      const parts = yield* Queue.unbounded<string>()
      const frames = eventFrames(Stream.never, { ...all, heartbeat: "15 seconds" })
      const reading = yield* Effect.forkChild(
        Stream.runForEach(frames, (part) => Queue.offer(parts, decoder.decode(part)))
      )
      // The first one comes at once: it tells the client that it is connected.
      assert.strictEqual(yield* Queue.take(parts), ": heartbeat\n\n")
      yield* TestClock.adjust("30 seconds")
      assert.strictEqual(yield* Queue.take(parts), ": heartbeat\n\n")
      assert.strictEqual(yield* Queue.take(parts), ": heartbeat\n\n")
      yield* Fiber.interrupt(reading)
    })
  )

  it.effect("are read ahead only so far", () =>
    Effect.gen(function* () {
      let read = 0
      const endless = Stream.map(
        Stream.rechunk(
          Stream.iterate(1, (version) => version + 1),
          1
        ),
        (version) => {
          read = version
          return stored(version)
        }
      )
      // Time enough for whoever reads ahead without a bound to get far.
      const slow = Effect.forEach(Array.from({ length: 5000 }), () => Effect.yieldNow)
      const first = yield* eventFrames(endless, all).pipe(
        Stream.filter((part) => !decoder.decode(part).startsWith(":")),
        Stream.take(1),
        Stream.tap(() => slow),
        Stream.runCollect
      )
      assert.strictEqual(first.length, 1)
      assert.isBelow(read, 50)
    })
  )
})
