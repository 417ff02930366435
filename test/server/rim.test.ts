import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { ask, json, raw, serving, stub } from "./serving.ts"

type Case = readonly [
  path: string,
  init: RequestInit,
  status: number,
  code: string,
  details: Readonly<Record<string, unknown>>
]

const deep = (levels: number): string => "[".repeat(levels) + "]".repeat(levels)
const create = (body: string): RequestInit => json("POST", body)
const withConfig = (config: string): RequestInit =>
  create(`{"name":"a","program_code":"","runtime_config":${config}}`)

const cases: ReadonlyArray<Case> = [
  // Nobody reads this body, and it is refused all the same.
  ["/v0/pipelines/a/start", create(`"${"a".repeat(1024 * 1024)}"`), 413, "PayloadTooLarge", {}],
  ["/nothing", {}, 404, "UnknownPath", {}],
  ["/v0/pipelnes", {}, 404, "UnknownPath", { suggestion: "did you mean /v0/pipelines?" }],
  ["/v0/pipelines/a/stats", { method: "POST" }, 405, "MethodNotAllowed", { suggestion: "use GET, HEAD" }],
  ["/v0/pipelines", { method: "DELETE" }, 405, "MethodNotAllowed", { suggestion: "use GET, HEAD, POST" }],
  ["/v0/pipelines/a/strat", { method: "POST" }, 400, "InvalidPipelineAction", { suggestion: "start" }],
  ["/v0/pipelines?selctor=all", {}, 400, "BadRequest", { path: "/selctor", suggestion: "selector" }],
  ["/v0/pipelines?selector=al", {}, 400, "BadRequest", { path: "/selector", suggestion: "all" }],
  ["/v0/pipelines/a/events?limit=0", {}, 400, "BadRequest", { path: "/limit" }],
  ["/v0/pipelines/a/events", { headers: { "last-event-id": "x" } }, 400, "BadRequest", { where: "headers" }],
  ["/v0/pipelines", create("{"), 400, "InvalidJson", { path: "" }],
  ["/v0/pipelines", create(""), 400, "BadRequest", { path: "" }],
  ["/v0/pipelines", create("[]"), 400, "BadRequest", { path: "" }],
  [
    "/v0/pipelines",
    create('{"name":"a","program_cod":""}'),
    400,
    "BadRequest",
    { path: "/program_cod", suggestion: "program_code" }
  ],
  [
    "/v0/pipelines",
    withConfig('{"workers":"x"}'),
    400,
    "InvalidRuntimeConfig",
    { path: "/runtime_config/workers" }
  ],
  [
    "/v0/pipelines",
    withConfig('{"workers":-1}'),
    400,
    "InvalidRuntimeConfig",
    { path: "/runtime_config/workers" }
  ],
  ["/v0/pipelines", withConfig(`{"a":${deep(400_000)}}`), 400, "BadRequest", { where: "body", path: "" }],
  [
    "/v0/pipelines",
    withConfig(`{"\\"[[":"${"[".repeat(99)}","workers":"x"}`),
    400,
    "InvalidRuntimeConfig",
    {}
  ],
  [
    "/v0/pipelines",
    withConfig('{"a":{"__proto__":1}}'),
    400,
    "InvalidRuntimeConfig",
    { path: "/runtime_config/a" }
  ],
  ["/v0/pipelines", withConfig('{"__proto__":{}}'), 400, "InvalidRuntimeConfig", {}],
  [
    "/v0/pipelines/a",
    json("PATCH", '{"program_config":{"cache":3}}'),
    400,
    "InvalidProgramConfig",
    { path: "/program_config/cache" }
  ],
  ["/v0/pipelines/a/start", { method: "POST", headers: { "idempotency-key": "a b" } }, 400, "BadRequest", {}],
  [
    "/v0/pipelines",
    { method: "POST", body: "<a/>", headers: { "content-type": "text/xml" } },
    415,
    "UnsupportedMediaType",
    {}
  ],
  [
    "/v0/pipelines/a/ingress/in",
    { method: "POST", body: "x", headers: { "content-type": "image/png" } },
    415,
    "UnsupportedMediaType",
    {}
  ],
  [
    "/v0/pipelines",
    create(`"${"a".repeat(1024 * 1024)}"`),
    413,
    "PayloadTooLarge",
    { bytes_most: 1024 * 1024 }
  ]
]

describe("a request that does not fit the contract", () => {
  it.live("is told what is wrong with it, and never reaches a handler", () =>
    Effect.gen(function* () {
      const handlers = stub()
      const server = yield* serving(handlers)
      for (const [path, init, status, code, details] of cases) {
        const { body, status: answered } = yield* ask(server, path, init)
        const call = `${init.method ?? "GET"} ${path} ${String(init.body ?? "").slice(0, 80)}`
        assert.deepEqual([answered, body.error_code], [status, code], call)
        assert.containSubset(body.details, details, call)
        assert.isAbove(body.message.length, 5)
        assert.hasAllKeys(body, ["message", "error_code", "details"])
      }
      assert.deepEqual(handlers.asked, [])
      assert.deepEqual(handlers.log, [])
    })
  )

  it.live("hears of everything at once", () =>
    Effect.gen(function* () {
      const server = yield* serving(stub())
      const { body } = yield* ask(
        server,
        "/v0/pipelines",
        create('{"program_cod":"","extra":1,"description":7}')
      )
      const found = body.details.findings.map(
        ({ code, path }: { code: string; path: string }) => `${code} ${path}`
      )
      assert.sameMembers(found, [
        "unknown_key /program_cod",
        "unknown_key /extra",
        "missing_key /name",
        "wrong_type /description"
      ])
    })
  )

  it.live("is told which methods there are", () =>
    Effect.gen(function* () {
      const server = yield* serving(stub())
      const { headers, status } = yield* ask(server, "/v0/pipelines/a", { method: "POST" })
      assert.deepEqual([status, headers.get("allow")], [405, "DELETE, GET, HEAD, PATCH, PUT"])
      assert.strictEqual((yield* ask(server, "/healthz", { method: "HEAD" })).status, 200)
    })
  )
})

describe("a life-cycle request", () => {
  it.live.each<readonly [string, RequestInit]>([
    ["nothing", {}],
    ["null", json("POST", "null")],
    ["an empty JSON body", json("POST", "")]
  ])("takes %s as its body", ([, init]) =>
    Effect.gen(function* () {
      const handlers = stub()
      const server = yield* serving(handlers)
      for (const action of ["start", "pause", "shutdown", "trigger"]) {
        const { body, status } = yield* ask(server, `/v0/pipelines/a/${action}`, { ...init, method: "POST" })
        assert.deepEqual([status, body], [202, ""], action)
      }
      assert.deepEqual(
        handlers.asked.map(({ name }) => name),
        ["start", "pause", "shutdown", "trigger"]
      )
    })
  )
})

describe("a fault of ours", () => {
  it.live("is a 500 with an id that the log knows, and no word of the stack", () =>
    Effect.gen(function* () {
      const handlers = stub(Effect.die(new Error("the secret is swordfish")))
      const server = yield* serving(handlers)
      const { body, status } = yield* ask(server, "/v0/pipelines")
      assert.deepEqual([status, body.error_code], [500, "InternalError"])
      assert.notInclude(JSON.stringify(body), "swordfish")
      assert.notMatch(JSON.stringify(body), /\.ts|at /)
      assert.lengthOf(handlers.log, 1)
      assert.include(handlers.log[0], body.details.id)
      assert.include(handlers.log[0], "GET /v0/pipelines")
    })
  )

  it.live("is also an answer that does not fit the contract", () =>
    Effect.gen(function* () {
      const handlers = stub(Effect.succeed([{ name: 3 }] as unknown as ReadonlyArray<never>))
      const server = yield* serving(handlers)
      const { body, status } = yield* ask(server, "/v0/pipelines")
      assert.deepEqual([status, body.error_code], [500, "InternalError"])
      assert.include(handlers.log[0], body.details.id)
    })
  )
})

describe("a request from elsewhere", () => {
  const get = (headers: string): string => `GET /healthz HTTP/1.1\r\n${headers}Connection: close\r\n\r\n`

  it.live.each([
    ["Host: localhost:7070\r\n", 200, ""],
    ["Host: 127.0.0.1\r\n", 200, ""],
    ["Host: [::1]:7070\r\n", 200, ""],
    ["Host: Known.Example:80\r\n", 200, ""],
    ["Host: 127.0.0.1\r\nOrigin: http://127.0.0.1\r\n", 200, ""],
    ["Host: 127.0.0.1\r\nOrigin: https://console.example\r\n", 200, ""],
    ["Host: rebound.example:7070\r\n", 403, "ForbiddenHost"],
    ["Host: localhost.evil.example\r\n", 403, "ForbiddenHost"],
    ["Host: evil.example@127.0.0.1\r\n", 403, "ForbiddenHost"],
    ["Host: \r\n", 403, "ForbiddenHost"],
    ["Host: 127.0.0.1\r\nOrigin: http://evil.example\r\n", 403, "ForbiddenOrigin"],
    ["Host: 127.0.0.1:7070\r\nOrigin: http://127.0.0.1:8080\r\n", 403, "ForbiddenOrigin"],
    ["Host: 127.0.0.1\r\nOrigin: null\r\n", 403, "ForbiddenOrigin"]
  ] as const)("%j is %s %s", ([headers, status, code]) =>
    Effect.gen(function* () {
      const server = yield* serving(stub(), {
        hosts: ["known.example"],
        origins: ["https://console.example"]
      })
      const answer = yield* raw(server, get(headers))
      assert.match(answer, new RegExp(`^HTTP/1.1 ${status} `))
      assert.include(answer, code)
    })
  )
})

describe("what there is to read", () => {
  it.live("is the contract, for programs and for people, and nothing from another host", () =>
    Effect.gen(function* () {
      const server = yield* serving(stub())
      const contract = yield* ask(server, "/openapi.json")
      assert.deepEqual([contract.status, contract.body.openapi], [200, "3.1.0"])
      const page = yield* ask(server, "/docs")
      assert.strictEqual(page.status, 200)
      assert.match(page.headers.get("content-type") ?? "", /^text\/html/)
      assert.match(page.headers.get("content-security-policy") ?? "", /default-src 'none'/)
      assert.notMatch(page.body, /<script|https?:\/\/|<link/)
      for (const path of Object.keys(contract.body.paths)) assert.include(page.body, path)
      assert.include(page.body, "InsufficientScope")
    })
  )
})
