/**
 * The log as it grows, over a real connection: cut, resumed, slow, and closed.
 *
 * @module
 */
import { connect } from "node:net"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Exit, Fiber, Queue, Scope, Stream } from "effect"
import type { PipelineEvent } from "../../events/PipelineEvent.ts"
import { name, servingHistory } from "./servingHistory.ts"

const path = `/v0/pipelines/${name}/events`
const asked = (count: number): ReadonlyArray<PipelineEvent> =>
  Array.from({ length: count }, (_, index) => ({
    _tag: "DesiredStatusSet",
    desired: index % 2 === 0 ? "Running" : "Paused",
    reason: `${index}`
  }))
const upTo = (last: number, after = 0): ReadonlyArray<number> =>
  Array.from({ length: last - after }, (_, index) => after + index + 1)

type World = Effect.Success<ReturnType<typeof servingHistory>>

/** The versions that come over one connection; the connection is cut when the stream is. */
const follow = (
  { clientWith }: World,
  after: number,
  query: { readonly type?: ReadonlyArray<string> } = {}
) =>
  Stream.unwrap(
    Effect.gen(function* () {
      const client = yield* clientWith({ accept: "text/event-stream" })
      const answer = yield* client.history.getEvents({
        params: { name },
        query,
        headers: { "last-event-id": after }
      })
      return Stream.isStream(answer) ? Stream.map(answer, ({ data }) => data.version) : Stream.die("a page")
    })
  )

describe("whoever follows the log", () => {
  it.live("is told what there is, then what comes, without gap or repeat however often it is cut off", () =>
    Effect.gen(function* () {
      const world = yield* servingHistory()
      yield* world.append(asked(7))
      const seen: Array<number> = []
      // Each connection is cut at another place, with more being appended meanwhile.
      for (const take of [3, 6, 1, 10]) {
        yield* world.append(asked(5))
        const some = yield* Stream.runCollect(Stream.take(follow(world, seen.at(-1) ?? 0), take))
        seen.push(...some)
      }
      assert.deepEqual(seen, upTo(20))
      const live = yield* Queue.unbounded<number>()
      yield* Effect.forkScoped(Stream.runForEach(follow(world, 20), (version) => Queue.offer(live, version)))
      for (let version = 21; version <= 27; version++) assert.equal(yield* Queue.take(live), version)
      yield* world.append(asked(2))
      assert.deepEqual([yield* Queue.take(live), yield* Queue.take(live)], [28, 29])
    })
  )

  it.live("of one type only is told of that", () =>
    Effect.gen(function* () {
      const world = yield* servingHistory()
      yield* world.append([...asked(3), { _tag: "Resumed" }, ...asked(2), { _tag: "Resumed" }])
      const some = yield* Stream.runCollect(Stream.take(follow(world, 0, { type: ["Resumed"] }), 2))
      assert.deepEqual([...some], [4, 7])
    })
  )

  it.live("hears a heartbeat at once, before anything has happened", () =>
    Effect.gen(function* () {
      const { server } = yield* servingHistory()
      const answer = yield* Effect.promise(() =>
        fetch(`${server.url}${path}`, { headers: { accept: "text/event-stream" } })
      )
      assert.equal(answer.headers.get("content-type"), "text/event-stream")
      const reader = answer.body!.getReader()
      const { value } = yield* Effect.promise(() => reader.read())
      assert.equal(new TextDecoder().decode(value), ": heartbeat\n\n")
      yield* Effect.promise(() => reader.cancel())
    })
  )

  it.live(
    "and takes nothing keeps nobody waiting: the log is read only as far as its connection takes it",
    () =>
      Effect.gen(function* () {
        let read = 0
        const world = yield* servingHistory({}, () => {
          read += 1
        })
        const large: PipelineEvent = {
          _tag: "DesiredStatusSet",
          desired: "Running",
          reason: "x".repeat(32 * 1024)
        }
        // 64 MiB: more than the buffers between the two take.
        const count = 2048
        yield* world.append(Array.from({ length: count }, () => large))
        const socket = yield* Effect.acquireRelease(
          Effect.sync(() => connect(world.server.port, "127.0.0.1")),
          (open) => Effect.sync(() => open.destroy())
        )
        socket.pause()
        socket.write(`GET ${path} HTTP/1.1\r\nhost: localhost\r\naccept: text/event-stream\r\n\r\n`)
        const others = yield* Stream.runCollect(Stream.take(follow(world, 0), count))
        assert.deepEqual([...others], upTo(count))
        assert.isAbove(read, count)
        assert.isBelow(read, count + count / 2)
        // As soon as it takes again, all of it comes.
        yield* Effect.callback<void>((resume) => {
          let tail = ""
          socket.setEncoding("utf8").on("data", (text: string) => {
            tail = tail.slice(-100) + text
            if (tail.includes(`\nid: ${count}\n`)) resume(Effect.void)
          })
          socket.resume()
        })
      })
  )

  it.live("sees the end when the service closes, and goes on with the next one", () =>
    Effect.gen(function* () {
      const scope = yield* Scope.make()
      const world = yield* servingHistory().pipe(Scope.provide(scope))
      yield* world.append(asked(3))
      const live = yield* Queue.unbounded<number>()
      const reading = yield* Effect.forkScoped(
        Effect.exit(Stream.runForEach(follow(world, 0), (version) => Queue.offer(live, version)))
      )
      for (const version of [1, 2, 3]) assert.equal(yield* Queue.take(live), version)
      yield* Effect.timeout(Scope.close(scope, Exit.void), "5 seconds")
      yield* Effect.timeout(Fiber.join(reading), "5 seconds")
    })
  )
})
