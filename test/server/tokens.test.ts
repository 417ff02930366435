import { chmodSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { DatabaseSync } from "node:sqlite"
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import type { Scope } from "../../src/api/scopes.ts"
import { isLoopback, refuseAddress } from "../../src/server/listenAddress.ts"
import { addToken, readTokens, removeToken, tokenPath } from "../../src/server/TokenFile.ts"
import { ask, type Serving, serving, stub } from "./serving.ts"

const at = "2026-11-21T08:00:00.000Z"
const bearer = (token: string): RequestInit => ({ headers: { authorization: `Bearer ${token}` } })
const add = (folder: string, name: string, scope: Scope) => addToken(folder, name, scope, at)

const statusOf = (server: Serving, method: string, path: string, token?: string) =>
  Effect.map(
    ask(server, path, { method, ...(token === undefined ? {} : bearer(token)) }),
    ({ body, status }) => `${status} ${body.error_code ?? ""}`.trim()
  )

describe("without tokens", () => {
  it.live("this machine may do everything, as its local user", () =>
    Effect.gen(function* () {
      const handlers = stub()
      const server = yield* serving(handlers)
      assert.strictEqual(yield* statusOf(server, "DELETE", "/v0/pipelines/a"), "200")
      assert.deepEqual(handlers.asked, [{ name: "delete", by: "local" }])
      // Who brings a token means to be somebody.
      assert.strictEqual(yield* statusOf(server, "GET", "/v0/pipelines", "mlr_x"), "401 InvalidApiKey")
    })
  )

  it.live.each(["0.0.0.0", "::"])("nobody listens on %s", (host) =>
    Effect.gen(function* () {
      const error = yield* Effect.flip(serving(stub(), { host }))
      assert.containSubset(error, { _tag: "UnsafeAddress", host })
      assert.match((error as { suggestion: string }).suggestion, /millrace token new/)
    })
  )

  it("only other machines are kept from listening to", () => {
    for (const host of ["127.0.0.1", "127.8.9.1", "::1", "[::1]", "localhost", "::ffff:127.0.0.1"]) {
      assert.isTrue(isLoopback(host), host)
      assert.isUndefined(refuseAddress(host, 0))
    }
    for (const host of [
      "0.0.0.0",
      "",
      "::",
      "10.0.0.1",
      "127.evil.example",
      "localhost.example",
      "1270.0.0.1"
    ]) {
      assert.isFalse(isLoopback(host), host)
      assert.isDefined(refuseAddress(host, 0), host)
      assert.isUndefined(refuseAddress(host, 1), host)
    }
  })
})

describe("with tokens", () => {
  it.live("each does what its scope says, under its name", () =>
    Effect.gen(function* () {
      const handlers = stub()
      const server = yield* serving(handlers)
      const read = yield* add(server.folder, "reader", "read")
      const operate = yield* add(server.folder, "operator", "operate")
      const admin = yield* add(server.folder, "keeper", "admin")
      const table = [
        ["GET", "/v0/pipelines", "200", "200", "200"],
        ["POST", "/v0/pipelines/a/start", "403 InsufficientScope", "202", "202"],
        ["DELETE", "/v0/pipelines/a", "403 InsufficientScope", "403 InsufficientScope", "200"]
      ] as const
      for (const [method, path, ...expected] of table) {
        const answers = yield* Effect.forEach([read, operate, admin], (token) =>
          statusOf(server, method, path, token)
        )
        assert.deepEqual(answers, [...expected], path)
        for (const token of [undefined, "", "mlr_guess", `${admin}x`, admin.slice(1)]) {
          assert.strictEqual(yield* statusOf(server, method, path, token), "401 InvalidApiKey")
        }
      }
      assert.deepEqual(
        handlers.asked.map(({ by, name }) => `${by} ${name}`),
        ["reader list", "operator list", "keeper list", "operator start", "keeper start", "keeper delete"]
      )
      for (const path of ["/healthz", "/readyz", "/openapi.json", "/docs"]) {
        assert.strictEqual(yield* statusOf(server, "GET", path), "200", path)
      }
      assert.strictEqual(yield* statusOf(server, "GET", "/metrics"), "401 InvalidApiKey")
      const { headers } = yield* ask(server, "/v0/pipelines")
      assert.strictEqual(headers.get("www-authenticate"), "Bearer")
    })
  )

  it.live("the body of a stranger is not read", () =>
    Effect.gen(function* () {
      const server = yield* serving(stub())
      yield* add(server.folder, "keeper", "admin")
      const { status } = yield* ask(server, "/v0/pipelines", {
        method: "POST",
        body: "{",
        headers: { "content-type": "application/json" }
      })
      assert.strictEqual(status, 401)
    })
  )

  it.live("a revoked one is refused with the next request", () =>
    Effect.gen(function* () {
      const server = yield* serving(stub())
      yield* add(server.folder, "keeper", "admin")
      const token = yield* add(server.folder, "guest", "read")
      assert.strictEqual(yield* statusOf(server, "GET", "/v0/pipelines", token), "200")
      yield* removeToken(server.folder, "guest")
      assert.strictEqual(yield* statusOf(server, "GET", "/v0/pipelines", token), "401 InvalidApiKey")
    })
  )

  it.live("a file that cannot be used lets nobody in", () =>
    Effect.gen(function* () {
      const handlers = stub()
      const server = yield* serving(handlers)
      const token = yield* add(server.folder, "keeper", "admin")
      writeFileSync(tokenPath(server.folder), "{")
      for (const brought of [undefined, token]) {
        assert.strictEqual(yield* statusOf(server, "GET", "/v0/pipelines", brought), "401 InvalidApiKey")
      }
      assert.isAtLeast(handlers.log.length, 1)
      const error = yield* Effect.flip(serving(stub(), { directory: server.folder }))
      assert.containSubset(error, { _tag: "TokenError", code: "tokens_damaged" })
    })
  )

  it.live("a service for other machines stays closed when the last one is gone", () =>
    Effect.gen(function* () {
      const { folder } = yield* serving(stub())
      yield* add(folder, "keeper", "admin")
      const { port } = yield* serving(stub(), { host: "0.0.0.0", directory: folder })
      const server = { url: `http://127.0.0.1:${port}`, port, folder }
      rmSync(tokenPath(folder))
      assert.strictEqual(yield* statusOf(server, "GET", "/v0/pipelines"), "401 InvalidApiKey")
    })
  )

  it.live("each has a share of the requests, and guessing has that of its address", () =>
    Effect.gen(function* () {
      const server = yield* serving(stub(), { bounds: { requestsPerSecond: 0.001, requestBurst: 2 } })
      const tokens = [yield* add(server.folder, "a", "read"), yield* add(server.folder, "b", "read")]
      for (const token of tokens) {
        assert.strictEqual(yield* statusOf(server, "GET", "/v0/pipelines", token), "200")
        assert.strictEqual(yield* statusOf(server, "GET", "/v0/pipelines", token), "200")
        assert.strictEqual(yield* statusOf(server, "GET", "/v0/pipelines", token), "429 RateLimitExceeded")
      }
      const guesses = yield* Effect.forEach(["x", "y", "z"], (guess) =>
        statusOf(server, "GET", "/v0/pipelines", guess)
      )
      assert.deepEqual(guesses, ["401 InvalidApiKey", "401 InvalidApiKey", "429 RateLimitExceeded"])
    })
  )
})

describe("the file of tokens", () => {
  it.live("holds hashes, for its owner alone", () =>
    Effect.gen(function* () {
      const { folder } = yield* serving(stub())
      const token = yield* add(folder, "keeper", "admin")
      assert.match(token, /^mlr_[\w-]{43}$/)
      assert.notInclude(readFileSync(tokenPath(folder), "utf8"), token.slice(4))
      assert.strictEqual(statSync(tokenPath(folder)).mode & 0o777, 0o600)
    })
  )

  it.live("takes one change at a time", () =>
    Effect.gen(function* () {
      const { folder } = yield* serving(stub())
      yield* add(folder, "keeper", "admin")
      const other = new DatabaseSync(join(folder, "tokens-lock.db"))
      other.exec("begin exclusive")
      assert.strictEqual((yield* Effect.flip(removeToken(folder, "keeper"))).code, "tokens_busy")
      other.close()
      yield* removeToken(folder, "keeper")
      assert.deepEqual(yield* readTokens(folder), [])
    })
  )

  it.live("refuses what cannot be a token, and what anybody could have changed", () =>
    Effect.gen(function* () {
      const { folder } = yield* serving(stub())
      for (const name of ["", "a b", "local", "schedule", "x".repeat(101)]) {
        assert.strictEqual((yield* Effect.flip(add(folder, name, "read"))).code, "bad_token_name", name)
      }
      yield* add(folder, "a", "read")
      assert.strictEqual((yield* Effect.flip(add(folder, "a", "admin"))).code, "token_exists")
      assert.strictEqual((yield* Effect.flip(removeToken(folder, "b"))).code, "unknown_token")
      chmodSync(tokenPath(folder), 0o622)
      assert.strictEqual((yield* Effect.flip(readTokens(folder))).code, "tokens_exposed")
    })
  )
})
