import { readFileSync, writeFileSync } from "node:fs"
import { createServer, type Server } from "node:http"
import type { AddressInfo } from "node:net"
import { join } from "node:path"
import { Effect, Exit, Scope } from "effect"
import { afterAll, afterEach, assert, beforeAll, beforeEach, describe, expect, it } from "vitest"
import { holdLock, publishAddress } from "../../src/log/lock.ts"
import { eventText } from "../../src/server/eventText.ts"
import { addToken } from "../../src/server/TokenFile.ts"
import { run, temporaryFolder } from "../process/CommandLine.ts"
import { history } from "../server/storedEvents.ts"
import { ask, assertPlain, pipeline, write } from "./commandLine.ts"
import { resource, startService, type TestService } from "./service.ts"

const folder = temporaryFolder()
let service: TestService
beforeAll(async () => {
  service = await startService(folder.path)
})
afterAll(async () => {
  await service.close()
  folder[Symbol.dispose]()
})
beforeEach(() => {
  service.pipelines.clear()
  service.asked.length = 0
  service.pipelines.set("orders", resource("orders"))
})

const served = (...args: ReadonlyArray<string>) => ask(folder.path, ...args, "--url", service.url)

/** `orders` as the answers of operating verbs have it. */
const status = (over: Readonly<Record<string, unknown>>) => ({
  name: "orders",
  id: "id-of-orders",
  version: 3,
  deployment_status: "Shutdown",
  deployment_desired_status: "Shutdown",
  deployment_error: null,
  lifecycle: "Idle",
  service: service.url,
  ...over
})

describe("start, pause and stop", () => {
  it.each([
    ["start", "Running", "Shutdown"],
    ["pause", "Paused", "Shutdown"],
    ["stop", "Shutdown", "Running"]
  ] as const)("%s wants the pipeline %s, and answers how it is", async (verb, desired, before) => {
    const at = { deployment_status: before, deployment_desired_status: before }
    service.pipelines.set("orders", resource("orders", at))
    const { code, json } = await served(verb, "orders")
    const now = {
      deployment_desired_status: desired,
      deployment_status: desired === "Shutdown" ? "ShuttingDown" : "Initializing"
    }
    assert.deepEqual([code, json], [0, { ok: true, command: verb, result: status(now), error: null }])
    assert.deepEqual(service.asked, [`${verb === "stop" ? "shutdown" : verb} orders by local`])
  })

  it("wait until it is so, when asked to", async () => {
    const { json } = await served("start", "orders", "--wait", "60")
    assert.deepEqual(
      json.result,
      status({ deployment_status: "Running", deployment_desired_status: "Running" })
    )
  })

  it("do not wait for what has failed, or for longer than they were told", async () => {
    const failed = { deployment_status: "Failed", deployment_desired_status: "Running" } as const
    service.pipelines.set("orders", resource("orders", { ...failed, lifecycle: "Failed" }))
    const refused = await served("start", "orders", "--wait", "60")
    assert.deepEqual([refused.code, refused.json.error.code], [1, "illegal_pipeline_state_transition"])
    assert.equal(refused.json.error.suggestion, "shut it down first")
    // Nobody gets it out of Failed here but by shutting it down, and this service never does.
    const late = await served("stop", "orders", "--wait", "1")
    assert.deepEqual([late.code, late.json.error.code], [1, "not_yet"])
    assert.deepInclude(late.json.result, { name: "orders", deployment_status: "Failed" })
  })

  it("tell a person what happens next", async () => {
    const { code, stdout } = await run(folder.path, "start", "orders", "--url", service.url)
    assertPlain(stdout)
    assert.deepEqual(
      [code, stdout],
      [
        0,
        "✓ orders is wanted Running\n  → it is Initializing now; `millrace show orders` tells how far it is\n"
      ]
    )
  })
})

describe("trigger and checkpoint", () => {
  it("trigger says why", async () => {
    const { json } = await served("trigger", "orders", "--reason", "mended")
    assert.deepEqual(json.result, { ...status({}), reason: "mended", run: null })
    assert.deepEqual(service.asked, ["trigger orders (mended) by local"])
  })

  it("checkpoint answers with the checkpoints", async () => {
    const { json } = await served("checkpoint", "orders")
    assert.deepEqual(json.result, {
      name: "orders",
      version: 40,
      at: "2026-11-21T08:00:09.000Z",
      checkpoints: [{ source: "in", batch: 7, offset: 8000, position: { byte: 81 } }],
      service: service.url
    })
  })
})

describe("what goes wrong", () => {
  it("an unknown name suggests the nearest", async () => {
    const { code, json } = await served("start", "oders")
    assert.equal(code, 2)
    assert.deepEqual(json.error, {
      code: "unknown_pipeline",
      message: "Unknown pipeline name 'oders'",
      suggestion: "did you mean orders?"
    })
  })

  it("a service that does not answer is the environment", async () => {
    const { code, json } = await ask(
      folder.path,
      "stop",
      "orders",
      "--url",
      `http://127.0.0.1:${await freePort()}`
    )
    assert.deepEqual([code, json.command, json.error.code], [3, "stop", "service_unreachable"])
    assert.match(json.error.message, /^http:\/\/127\.0\.0\.1:\d+ does not answer: nobody listens there$/)
  })

  it.each([
    ["localhost:7070", /did you mean http:\/\/localhost:7070\?/],
    ["ftp://here", /http:\/\/127\.0\.0\.1:7070/]
  ])("%s is no address", async (url, suggestion) => {
    const { code, json } = await ask(folder.path, "list", "--url", url)
    assert.deepEqual([code, json.error.code], [2, "bad_url"])
    assert.match(json.error.suggestion, suggestion)
  })

  it("asks for a token, and knows a wrong one", async () => {
    using guarded = temporaryFolder()
    const at = "2026-11-21T08:00:00.000Z"
    const token = await Effect.runPromise(addToken(guarded.path, "bot", "operate", at))
    const reader = await Effect.runPromise(addToken(guarded.path, "eyes", "read", at))
    const locked = await startService(guarded.path)
    try {
      locked.pipelines.set("orders", resource("orders"))
      const start = (...more: ReadonlyArray<string>) =>
        ask(folder.path, "start", "orders", "--url", locked.url, ...more)
      const without = await start()
      assert.deepEqual([without.code, without.json.error.code], [3, "wrong_token"])
      assert.match(without.json.error.suggestion, /MILLRACE_TOKEN/)
      const wrong = await start("--token", "nobody")
      assert.deepEqual([wrong.code, wrong.json.error.code], [3, "wrong_token"])
      assert.match(wrong.json.error.suggestion, /does not know this token/)
      assert.notInclude(wrong.stdout + wrong.stderr, "nobody'")
      const narrow = await start("--token", reader)
      assert.deepEqual([narrow.code, narrow.json.error.code], [3, "insufficient_scope"])
      assert.equal((await start("--token", token)).code, 0)
      assert.deepEqual(locked.asked, ["start orders by bot"])
    } finally {
      await locked.close()
    }
  })

  it("tells another release from another program", async () => {
    const health = { "/healthz": JSON.stringify({ status: "ok" }) }
    const older = await answering({ ...health, "/v0/pipelines/orders?selector=status": '{"name":"orders"}' })
    const stranger = await answering({})
    try {
      const release = await ask(folder.path, "show", "orders", "--url", older.url)
      assert.deepEqual([release.code, release.json.error.code], [3, "unexpected_answer"])
      assert.match(release.json.error.suggestion, /use the release of the service/)
      const program = await ask(folder.path, "show", "orders", "--url", stranger.url)
      assert.deepEqual([program.code, program.json.error.code], [3, "not_a_service"])
    } finally {
      for (const { server } of [older, stranger]) await new Promise((done) => server.close(done))
    }
  })
})

describe("without an address", () => {
  let place: ReturnType<typeof temporaryFolder>
  beforeEach(async () => {
    place = temporaryFolder()
    // A log that somebody once wrote.
    write(place.path, { "in.ndjson": [], "p.yaml": pipeline("orders") })
    assert.equal((await run(place.path, "run", "p.yaml")).code, 0)
  })
  afterEach(() => place[Symbol.dispose]())

  const holding = async (address: string | undefined, use: () => Promise<void>) => {
    const directory = join(place.path, ".millrace")
    const scope = Effect.runSync(Scope.make())
    await Effect.runPromise(Scope.provide(holdLock(directory), scope))
    if (address !== undefined) await Effect.runPromise(publishAddress(directory, address))
    await use().finally(() => Effect.runPromise(Scope.close(scope, Exit.void)))
  }

  it("finds the service that holds the data directory", () =>
    holding(service.url, async () => {
      const { json } = await ask(place.path, "pause", "orders")
      assert.equal(json.result.service, service.url)
      assert.deepEqual(service.asked, ["pause orders by local"])
    }))

  it("names a holder that cannot be spoken to", () =>
    holding(undefined, async () => {
      const { code, json } = await ask(place.path, "pause", "orders")
      assert.deepEqual([code, json.error.code], [3, "log_locked"])
      assert.include(json.error.message, `process ${process.pid} on `)
    }))

  it("does not call another machine's loopback its own", () =>
    holding(service.url, async () => {
      const note = join(place.path, ".millrace", "holder.json")
      writeFileSync(note, readFileSync(note, "utf8").replace(/"host":"[^"]*"/, '"host":"elsewhere"'))
      const { code, json } = await ask(place.path, "pause", "orders")
      assert.deepEqual([code, json.error.code], [3, "log_locked"])
      assert.match(json.error.message, /only that machine can reach/)
      assert.deepEqual(service.asked, [])
    }))

  it("what only a process at work can do is said at once", async () => {
    for (const args of [
      ["checkpoint", "orders"],
      ["start", "orders", "--wait", "5"]
    ]) {
      const { code, json } = await ask(place.path, ...args)
      assert.deepEqual([code, json.error.code], [3, "nobody_at_work"])
    }
  })
})

it("no log, no service: nothing to operate on", async () => {
  using empty = temporaryFolder()
  const { code, json } = await ask(empty.path, "start", "orders")
  assert.deepEqual([code, json.error.code], [3, "no_log"])
})

describe("looking through a service", () => {
  it("list", async () => {
    const { json } = await served("list")
    const { deployment_error: _, service: __, ...one } = status({})
    assert.deepEqual(json.result, {
      pipelines: [{ ...one, left_behind: false, unreadable: null }],
      owner: null
    })
  })

  it("show", async () => {
    const { json } = await served("show", "orders")
    expect(json.result).toMatchObject({
      name: "orders",
      log_version: 12,
      runs: [],
      dead_letters: 0,
      owner: null
    })
    const { stdout } = await run(folder.path, "show", "orders", "--url", service.url)
    assertPlain(stdout)
    assert.match(stdout, /deployment +Shutdown, wanted Shutdown\n/)
  })

  it("graph", async () => {
    const definition = { name: "orders", stages: { in: { source: { use: "file", path: "in.ndjson" } } } }
    service.past.state = { definition: { definition } }
    const { code, json } = await served("graph", "orders", "--format", "mermaid")
    assert.equal(code, 0)
    assert.match(json.result.graph, /^flowchart[\s\S]*in/)
    delete service.past.state
    const none = await served("graph", "orders")
    assert.deepEqual([none.code, none.json.error.code], [1, "no_definition"])
  })

  it("state, at a version and at a time", async () => {
    assert.deepInclude((await served("state", "orders", "--at", "7")).json.result, { version: 7 })
    const { json } = await served("state", "orders", "--at", "2026-03-29T01:59:59Z")
    assert.deepEqual(json.result.state, { id: "orders", asked: { at: "2026-03-29T01:59:59.000Z" } })
  })

  it("events, page after page and as they come", async () => {
    service.events.push(...history(5))
    const versions = (outcome: { readonly json: { result: { events: Array<{ version: number }> } } }) =>
      outcome.json.result.events.map(({ version }) => version)
    const all = await served("events", "orders", "--after", "1")
    assert.deepEqual(versions(all), [2, 3, 4, 5])
    assert.equal(JSON.stringify(all.json.result.events[0]), eventText(history(5)[1]!))
    const args = ["events", "orders", "--follow", "--limit", "3", "--json", "--url", service.url]
    const { code, stdout } = await run(folder.path, ...args)
    const lines = stdout.trimEnd().split("\n")
    assert.deepEqual([code, lines.map((line) => JSON.parse(line).version)], [0, [1, 2, 3]])
    const unknown = await served("events", "oders")
    assert.deepEqual([unknown.code, unknown.json.error.code], [2, "unknown_pipeline"])
    service.events.length = 0
  })

  it("dead letters, page after page", async () => {
    const letter = (offset: number) => ({
      id: `0.3.${offset}`,
      run: "r",
      stage: "late",
      source: "in",
      offset,
      reason: { code: "expression_failed", message: "delay is no number" },
      attempts: 1,
      branches: ["store"],
      batch: 3,
      raw: { encoding: "utf8" as const, data: "{}", size: 2 },
      redrives: 0,
      redriving: false
    })
    service.letters.push(...[1, 2, 3, 4, 5].map(letter))
    const { json } = await served("dead-letters", "orders", "list")
    assert.deepEqual(json.result, { dead_letters: [1, 2, 3, 4, 5].map(letter), total: 5, next: null })
    const shown = await served("dead-letters", "orders", "show", "0.3.4")
    assert.deepInclude(shown.json.result.dead_letter, { ...letter(4), status: "standing" })
    service.letters.length = 0
  })
})

/** Any server that speaks HTTP: these bodies by path, else its own 404. */
const answering = async (
  bodies: Readonly<Record<string, string>>
): Promise<{ server: Server; url: string }> => {
  const server = createServer(({ url = "" }, response) => {
    const body = bodies[url]
    response.writeHead(body === undefined ? 404 : 200, {
      "content-type": body === undefined ? "text/html" : "application/json"
    })
    response.end(body ?? "<h1>nothing here</h1>")
  })
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done))
  return { server, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` }
}

/** A port that was free a moment ago. */
const freePort = async (): Promise<number> => {
  const { server, url } = await answering({})
  await new Promise((done) => server.close(done))
  return Number(new URL(url).port)
}
