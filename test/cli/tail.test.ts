import { afterAll, assert, beforeAll, beforeEach, describe, it } from "vitest"
import { Freezer, tailLine } from "../../src/cli/tailLine.ts"
import { styleOf } from "../../src/cli/terminal.ts"
import { run, temporaryFolder } from "../process/CommandLine.ts"
import { ask, assertPlain } from "./commandLine.ts"
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

const record = {
  at: "2026-11-21T08:00:02.125Z",
  stage: "shaped",
  source: "flights",
  offset: 41,
  before: { delay: 75, by: "\u001b[31m\u2028" },
  after: { hours: 1.25 },
  outcome: "passed",
  reason: null,
  cut: false
} as const
const reason = { code: "contract_violation", message: "no\u0007 number" }
const letter = { ...record, offset: 42, after: null, outcome: "dead_letter", reason } as const

beforeEach(() => {
  service.pipelines.clear()
  service.frames.length = 0
  service.pipelines.set("orders", resource("orders"))
  service.frames.push(`event: record\ndata: ${JSON.stringify(record)}\n\n`)
  service.frames.push('event: dropped\ndata: {"dropped":7}\n\n')
  service.frames.push(`event: record\ndata: ${JSON.stringify(letter)}\n\n`)
})

const tail = (...args: ReadonlyArray<string>) => run(folder.path, "tail", ...args, "--url", service.url)

describe("tail", () => {
  it("tells a program one object a line, until it has had enough", async () => {
    const { code, stderr, stdout } = await tail("orders", "shaped", "--limit", "2", "--json")
    assert.equal(code, 0)
    assert.match(stderr, /orders is Idle: nothing passes until a run begins/)
    assertPlain(stdout)
    assert.deepEqual(
      stdout
        .trimEnd()
        .split("\n")
        .map((line) => JSON.parse(line)),
      [record, { dropped: 7 }, letter]
    )
  })

  it("tells a person a line each, with nothing in it that moves a terminal", async () => {
    const { code, stdout } = await tail("orders", "--limit", "2")
    assert.equal(code, 0)
    assertPlain(stdout)
    assert.deepEqual(stdout.split("\n"), [
      '08:00:02.125  shaped flights:41  passed       {"delay":75,"by":"\\u001b[31m\\u2028"} → {"hours":1.25}',
      "… 7 records not shown",
      '08:00:02.125  shaped flights:42  dead_letter  {"delay":75,"by":"\\u001b[31m\\u2028"}  contract_violation: no\\u0007 number',
      ""
    ])
  })

  it("goes on from answer to answer, as the service comes and goes", async () => {
    const { code, stdout } = await tail("orders", "--limit", "5", "--json")
    assert.equal(code, 0)
    assert.lengthOf(stdout.trimEnd().split("\n"), 7)
  })

  it("says when there is no such pipeline, and when nobody is at work", async () => {
    const unknown = await ask(folder.path, "tail", "order", "--url", service.url)
    assert.equal(unknown.code, 2)
    assert.deepInclude(unknown.json.error, { code: "unknown_pipeline", suggestion: "did you mean orders?" })
    const nobody = await ask(folder.path, "tail", "orders")
    assert.equal(nobody.code, 3)
    assert.deepInclude(nobody.json.error, { code: "nobody_at_work" })
  })
})

describe("a frozen picture", () => {
  it("counts what comes meanwhile, and says so when it goes on", () => {
    const freezer = new Freezer()
    assert.deepEqual(freezer.take(record), [record])
    freezer.turn()
    assert.deepEqual(
      [record, { dropped: 5 }, record].flatMap((item) => freezer.take(item)),
      []
    )
    freezer.turn()
    assert.deepEqual(freezer.take(letter), [{ dropped: 7 }, letter])
    assert.deepEqual(freezer.take(record), [record])
    const style = styleOf({ isTTY: false })
    assert.equal(tailLine({ dropped: 7 }, style, true), "… 7 records not shown")
    assert.match(
      tailLine({ ...record, cut: true, before: null, after: null }, style, true),
      /too long to be shown/
    )
  })
})
