import { connect } from "node:net"
import { assert, describe, it } from "@effect/vitest"
import { Deferred, Effect, Fiber } from "effect"
import { ask, raw, type Serving, serving, stub } from "./serving.ts"

const head = "POST /v0/pipelines HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
const ingress = "/v0/pipelines/a/ingress/in?format=json"
const ndjson = (body: string): RequestInit => ({
  method: "POST",
  body,
  headers: { "content-type": "application/x-ndjson" }
})

/** An open connection, and everything that came back on it. */
const open = ({ port }: Serving) =>
  Effect.acquireRelease(
    Effect.callback<{ readonly answered: Promise<string>; readonly destroy: () => void }>((resume) => {
      const socket = connect(port, "127.0.0.1")
      let text = ""
      const answered = new Promise<string>((resolve) => {
        socket.setEncoding("utf8").on("data", (part: string) => {
          text += part
        })
        socket.on("error", () => {}).on("close", () => resolve(text))
      })
      socket.on("connect", () => resume(Effect.succeed({ answered, destroy: () => socket.destroy() })))
    }),
    ({ destroy }) => Effect.sync(destroy)
  )

describe("a body", () => {
  it.live("without a length is cut off at the bound", () =>
    Effect.gen(function* () {
      const handlers = stub()
      const server = yield* serving(handlers, { bounds: { bodyBytes: 1000 } })
      const chunk = `${(600).toString(16)}\r\n${" ".repeat(600)}\r\n`
      const answer = yield* raw(server, `${head}Transfer-Encoding: chunked\r\n\r\n`, chunk, chunk)
      assert.match(answer, /^HTTP\/1.1 413 /)
      assert.match(answer, /"PayloadTooLarge".*"bytes_most":1000/)
      assert.match(answer, /connection: close/i)
      assert.deepEqual(handlers.asked, [])
    })
  )

  it.live("of records may be larger, up to a bound of its own", () =>
    Effect.gen(function* () {
      const server = yield* serving(stub(), { bounds: { bodyBytes: 1000, ingressBytes: 5000 } })
      const taken = yield* ask(server, ingress, ndjson("x".repeat(4000)))
      assert.deepEqual([taken.status, taken.body], [200, { token: "4000" }])
      const refused = yield* ask(server, ingress, ndjson("x".repeat(6000)))
      assert.deepEqual([refused.status, refused.body.error_code], [413, "PayloadTooLarge"])
    })
  )

  it.live("of records without a length is bounded too", () =>
    Effect.gen(function* () {
      const handlers = stub()
      const server = yield* serving(handlers)
      const mebibyte = " ".repeat(1024 * 1024)
      const chunk = `${mebibyte.length.toString(16)}\r\n${mebibyte}\r\n`
      const start = `POST ${ingress} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: text/plain\r\nTransfer-Encoding: chunked\r\n\r\n`
      const answer = yield* raw(server, start, ...Array.from({ length: 17 }, () => chunk))
      assert.match(answer, /^HTTP\/1.1 413 /)
      assert.include(answer, "PayloadTooLarge")
      assert.deepEqual(handlers.asked, [])
    })
  )
})

describe("a client that takes its time", () => {
  it.live("over its headers is told so, and let go", () =>
    Effect.gen(function* () {
      const server = yield* serving(stub(), { bounds: { headersMs: 200 } })
      const answer = yield* raw(server, "GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\n")
      assert.match(answer, /^HTTP\/1.1 408 /)
      assert.include(answer, "RequestTimeout")
    })
  )

  it.live("over its body too", () =>
    Effect.gen(function* () {
      const handlers = stub()
      const server = yield* serving(handlers, { bounds: { requestMs: 300 } })
      const answer = yield* raw(server, `${head}Content-Length: 100\r\n\r\n`, "{")
      assert.match(answer, /^HTTP\/1.1 408 /)
      assert.include(answer, "RequestTimeout")
      assert.deepEqual(handlers.asked, [])
    })
  )

  it.live("is not to blame when the answer is late", () =>
    Effect.gen(function* () {
      const server = yield* serving(stub(Effect.never), { bounds: { requestMs: 300 } })
      const { body, status } = yield* ask(server, "/v0/pipelines")
      assert.deepEqual([status, body.error_code], [503, "DeadlineExceeded"])
    })
  )

  it.live("and leaves has its request given up", () =>
    Effect.gen(function* () {
      const begun = yield* Deferred.make<void>()
      const left = yield* Deferred.make<void>()
      const endless = Deferred.succeed(begun, undefined).pipe(
        Effect.andThen(Effect.never),
        Effect.onInterrupt(() => Deferred.succeed(left, undefined))
      )
      const handlers = stub(endless)
      // No deadline comes to the rescue.
      const server = yield* serving(handlers, { bounds: { requestMs: 600_000 } })
      const abort = new AbortController()
      const asking = yield* Effect.forkChild(
        Effect.promise(() => fetch(`${server.url}/v0/pipelines`, { signal: abort.signal }).catch(() => {}))
      )
      yield* Deferred.await(begun)
      abort.abort()
      yield* Deferred.await(left)
      yield* Fiber.join(asking)
      assert.deepEqual(handlers.log, [])
    })
  )
})

describe("headers", () => {
  it.live("are bounded", () =>
    Effect.gen(function* () {
      const server = yield* serving(stub())
      const answer = yield* raw(server, `GET / HTTP/1.1\r\nHost: a\r\nX: ${"x".repeat(20_000)}\r\n\r\n`)
      assert.match(answer, /^HTTP\/1.1 431 /)
      assert.include(answer, "HeadersTooLarge")
    })
  )
})

describe("connections", () => {
  it.live("are bounded, and those that are too many are told so", () =>
    Effect.gen(function* () {
      const server = yield* serving(stub(), { bounds: { connections: 2 } })
      const first = yield* open(server)
      yield* open(server)
      const refused = yield* raw(server)
      assert.match(refused, /^HTTP\/1.1 503 /)
      assert.include(refused, "TooManyConnections")
      // A place that is free again is given again.
      first.destroy()
      yield* Effect.promise(() => first.answered)
      const again = "GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n"
      let answer = ""
      while (!answer.startsWith("HTTP/1.1 200 ")) answer = yield* raw(server, again)
    })
  )
})

describe("requests", () => {
  it.live("are bounded in their number", () =>
    Effect.gen(function* () {
      const handlers = stub()
      const server = yield* serving(handlers, { bounds: { requestsPerSecond: 0.001, requestBurst: 3 } })
      for (let asked = 0; asked < 3; asked++)
        assert.strictEqual((yield* ask(server, "/v0/pipelines")).status, 200)
      const { body, headers, status } = yield* ask(server, "/v0/pipelines")
      assert.deepEqual([status, body.error_code], [429, "RateLimitExceeded"])
      assert.isAtLeast(Number(headers.get("retry-after")), 900)
      assert.lengthOf(handlers.asked, 3)
    })
  )
})
