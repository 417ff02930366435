/**
 * What comes back from a real server, and what it means for the call.
 *
 * @module
 */
import { assert, describe, it } from "@effect/vitest"
import { ConfigProvider, Deferred, Effect, Fiber } from "effect"
import { resolveHeaders } from "../../../src/flow/service/headers.ts"
import { type CallSettings, sendCall } from "../../../src/flow/service/sendCall.ts"
import { each, type Handler, type Reply, startService } from "./server.ts"

const plain: CallSettings = {
  fetch: globalThis.fetch,
  headers: { values: () => ({}), redact: (text) => text },
  timeoutMs: 10_000,
  maxResponseBytes: 4096
}
const body = '{"records":[{"index":0,"payload":1}]}'
const ask = (url: string, settings: Partial<CallSettings> = {}) =>
  sendCall(url, body, 1, { ...plain, ...settings })
const asking = (handler: Handler, settings: Partial<CallSettings> = {}) =>
  Effect.flatMap(startService(handler), ({ url }) => ask(url, settings))
const reasonOf = (handler: Handler, settings: Partial<CallSettings> = {}) =>
  Effect.map(Effect.flip(asking(handler, settings)), ({ reason }) => reason)

it.live("an answer is an answer for each record", () =>
  Effect.gen(function* () {
    const answers = yield* asking(each((n: number) => ({ status: "ok", payload: n + 1 })))
    assert.deepStrictEqual(answers, [{ _tag: "Ok", payloads: [2] }])
  })
)

describe("a status says what may be done", () => {
  const cases: ReadonlyArray<readonly [Reply, object]> = [
    [
      { status: 503, headers: { "retry-after": "7" }, body: "busy" },
      { _tag: "Unavailable", retryAfterMs: 7000 }
    ],
    [{ status: 500 }, { _tag: "Unavailable", code: "service_answered_500" }],
    [
      { status: 429, headers: { "retry-after": "1" } },
      { _tag: "Throttled", retryAfterMs: 1000 }
    ],
    [{ status: 425 }, { _tag: "Throttled" }],
    [{ status: 408 }, { _tag: "Timeout" }],
    [{ status: 401 }, { _tag: "Unauthorized" }],
    [{ status: 404 }, { _tag: "Misconfigured", code: "service_answered_404" }],
    [{ status: 413 }, { _tag: "Misconfigured", suggestion: "a smaller batch" }]
  ]
  for (const [reply, expected] of cases) {
    it.live(`${reply.status}`, () =>
      Effect.gen(function* () {
        assert.deepInclude(yield* reasonOf(() => reply), expected)
      })
    )
  }
  it.live("with a date as Retry-After", () =>
    Effect.gen(function* () {
      const at = new Date(Date.now() + 60_000).toUTCString()
      const reason = yield* reasonOf(() => ({ status: 503, headers: { "retry-after": at } }))
      const ms = reason._tag === "Unavailable" ? reason.retryAfterMs! : 0
      assert.isTrue(ms > 50_000 && ms <= 60_000, `${ms}`)
    })
  )
})

it.live("a redirect is not followed: nothing is sent where it leads", () =>
  Effect.gen(function* () {
    const other = yield* startService(each(() => ({ status: "ok" })))
    const reason = yield* reasonOf(() => ({ status: 307, headers: { location: other.url } }))
    assert.deepInclude(reason, { _tag: "Misconfigured", code: "service_answered_307" })
    assert.lengthOf(other.calls, 0)
  })
)

it.live("an answer beyond the bound is refused without being read to its end", () =>
  Effect.gen(function* () {
    let written = 0
    const reason = yield* reasonOf((_, __, response) => {
      const more = () => {
        while (!response.destroyed && response.write("x".repeat(65_536))) written += 65_536
        response.once("drain", more)
      }
      more()
      return undefined
    })
    assert.strictEqual(reason.code, "service_answer_too_large")
    assert.isBelow(written, 64 * 1024 * 1024)
  })
)

it.live("an answer that is no answer to this call is refused as a whole", () =>
  Effect.gen(function* () {
    const reason = yield* reasonOf(() => ({ body: { records: [] } }))
    assert.deepInclude(reason, { _tag: "Misconfigured", code: "service_answer_malformed" })
    assert.match(reason.message, /127\.0\.0\.1:\d+\/work answered 200, but index 0 is not answered/)
  })
)

it.live("who does not answer in time, not even the last byte, is late", () =>
  Effect.gen(function* () {
    const slow = { timeoutMs: 100 }
    assert.strictEqual((yield* reasonOf(() => undefined, slow)).code, "service_timeout")
    const trickling = yield* reasonOf((_, __, response) => {
      response.writeHead(200)
      response.write('{"records":')
      return undefined
    }, slow)
    assert.strictEqual(trickling.code, "service_timeout")
  })
)

it.live("who is not there, or hangs up in the middle of an answer, may be back later", () =>
  Effect.gen(function* () {
    const gone = yield* Effect.scoped(startService(() => undefined))
    const refused = (yield* Effect.flip(ask(gone.url))).reason
    assert.deepInclude(refused, { _tag: "Unavailable", code: "service_unreachable" })
    assert.match(refused.message, /ECONNREFUSED/)
    const cut = yield* reasonOf((_, __, response) => {
      response.writeHead(200, { "content-length": "1000" })
      response.write("{", () => response.destroy())
      return undefined
    })
    assert.deepInclude(cut, { _tag: "Unavailable", code: "service_unreachable" })
  })
)

it.live("interruption hangs up", () =>
  Effect.gen(function* () {
    const arrived = yield* Deferred.make<void>()
    const left = yield* Deferred.make<void>()
    const { url } = yield* startService((_, request) => {
      Deferred.doneUnsafe(arrived, Effect.void)
      request.socket.once("close", () => Deferred.doneUnsafe(left, Effect.void))
      return undefined
    })
    const asked = yield* Effect.forkChild(ask(url))
    yield* Deferred.await(arrived)
    yield* Fiber.interrupt(asked)
    yield* Deferred.await(left)
  })
)

describe("invariant 10: the value of a secret", () => {
  const secret = "s3cret-value"
  const long = "s3c".repeat(250)
  const provided = Effect.provideService(
    ConfigProvider.ConfigProvider,
    ConfigProvider.fromUnknown({ TOKEN: secret, LONG: long, BAD: "two\nlines", EMPTY: "" })
  )
  it.live("is sent, and never told", () =>
    Effect.gen(function* () {
      const headers = yield* resolveHeaders({ authorization: { secret: "TOKEN" }, "x-team": "blue" })
      let got: unknown
      const echo: Handler = (_, request) => {
        got = [request.headers.authorization, request.headers["x-team"]]
        return { status: 400, body: `who is ${request.headers.authorization}?` }
      }
      const reason = yield* reasonOf(echo, { headers })
      assert.deepStrictEqual(got, [secret, "blue"])
      assert.match(reason.message, /who is <redacted>\?/)
      const [answer] = yield* asking(
        each(() => ({ status: "nack", error: { code: secret, message: `not with ${secret}` } })),
        { headers }
      )
      assert.notInclude(JSON.stringify([reason, answer, headers]), secret)
    }).pipe(provided)
  )
  it.live("is not told in part where an answer is cut off", () =>
    Effect.gen(function* () {
      // Read up to its 2048th byte the text ends within a secret, and redacting brings that end near.
      const headers = yield* resolveHeaders({ authorization: { secret: "LONG" } })
      const reason = yield* reasonOf(() => ({ status: 500, body: long.repeat(10) }), { headers })
      assert.notMatch(reason.message, /s3c/)
      const [nack] = yield* asking(
        each(() => ({ status: "nack", error: `${"x".repeat(990)}${long}` })),
        { headers }
      )
      assert.notInclude(JSON.stringify(nack), "s3c")
    }).pipe(provided)
  )
  it.live("has to be there, and to fit into a header", () =>
    Effect.gen(function* () {
      const codeOf = (name: string) =>
        Effect.map(Effect.flip(resolveHeaders({ authorization: { secret: name } })), ({ reason }) => reason)
      assert.strictEqual((yield* codeOf("NONE")).code, "unset_secret")
      assert.strictEqual((yield* codeOf("EMPTY")).code, "unset_secret")
      const bad = yield* codeOf("BAD")
      assert.strictEqual(bad.code, "bad_header")
      assert.notInclude(bad.message, "two")
    }).pipe(provided)
  )
})
