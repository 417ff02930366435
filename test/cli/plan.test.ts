import { readdirSync } from "node:fs"
import { afterAll, assert, beforeAll, beforeEach, describe, it } from "vitest"
import { definitionDiff } from "../../src/cli/definitionDiff.ts"
import { run, temporaryFolder } from "../process/CommandLine.ts"
import { ask, assertPlain, pipeline, write } from "./commandLine.ts"
import { resource, startService, type TestService } from "./service.ts"

const folder = temporaryFolder()
let service: TestService
beforeAll(async () => {
  service = await startService(folder.path)
  write(folder.path, {
    "orders.yaml": pipeline("orders").replace("> 60", "> 120"),
    "program.ts": "export default 1",
    "bad.yaml": "name: bad\nstages: {}\n"
  })
})
afterAll(async () => {
  await service.close()
  folder[Symbol.dispose]()
})
beforeEach(() => {
  service.pipelines.clear()
  service.asked.length = 0
})

const served = (...args: ReadonlyArray<string>) => ask(folder.path, ...args, "--url", service.url)

/** As it was applied before, without a name in its text: a pipeline made over the API may leave it out. */
const old = (over: Parameters<typeof resource>[1] = {}) =>
  service.pipelines.set(
    "orders",
    resource("orders", { program_code: pipeline("orders").replace("name: orders\n", ""), ...over })
  )

const running = { deployment_status: "Running", deployment_desired_status: "Running" } as const

const change = {
  pointer: "/stages/late/filter",
  change: "changed",
  from: "record.delay > 60",
  to: "record.delay > 120"
}

describe("plan", () => {
  it("names what would change, and changes nothing", async () => {
    old(running)
    const { code, json } = await served("plan", "orders.yaml")
    assert.equal(code, 0)
    const { findings, plan, ...rest } = json.result
    assert.match(plan, /^[0-9a-f]{16}$/)
    assert.deepEqual(rest, {
      name: "orders",
      file: "orders.yaml",
      action: "update",
      deployed: {
        id: "id-of-orders",
        version: 3,
        program_version: 2,
        deployment_status: "Running",
        deployment_desired_status: "Running",
        lifecycle: "Idle"
      },
      changes: [change],
      must_shut_down: true,
      unfinished_run: null,
      service: service.url
    })
    assert.deepEqual(
      findings.map(({ code, pointer }: { code: string; pointer: string }) => [code, pointer]),
      [
        ["relative_path", "/stages/in/source/path"],
        ["relative_path", "/stages/store/sink/path"]
      ]
    )
    assert.deepEqual(service.asked, [])
  })

  it("tells a person the change, and how to make it", async () => {
    old(running)
    const { stdout } = await run(folder.path, "plan", "orders.yaml", "--url", service.url)
    assertPlain(stdout)
    assert.match(stdout, /^orders on http:\S+ is at version 3, and would change:\n/)
    assert.include(stdout, '~ /stages/late/filter  "record.delay > 60" → "record.delay > 120"\n')
    assert.match(stdout, /→ millrace apply orders\.yaml --plan [0-9a-f]{16} --restart\n$/)
  })

  it("has a name that changes with the version and the definition, and with nothing else", async () => {
    const hash = async () => (await served("plan", "orders.yaml")).json.result.plan
    const created = await hash()
    old()
    const first = await hash()
    old(running)
    assert.equal(await hash(), first)
    old({ version: 4 })
    assert.notInclude([created, first], await hash())
  })

  it("makes no data directory by looking", async () => {
    using empty = temporaryFolder()
    write(empty.path, { "orders.yaml": pipeline("orders") })
    const { json } = await ask(empty.path, "plan", "orders.yaml")
    assert.deepInclude(json.result, { action: "create", deployed: null, changes: [], service: null })
    assert.deepEqual(readdirSync(empty.path), ["orders.yaml"])
  })

  it.each([
    ["bad.yaml", "no_stages"],
    ["program.ts", "program_not_deployable"],
    ["nowhere.yaml", "file_not_found"]
  ])("%s is bad input", async (file, expected) => {
    const { code, json } = await served("plan", file)
    assert.deepEqual([code, json.ok], [2, false])
    assert.equal(json.error.code, expected)
  })
})

describe("apply", () => {
  it("creates what is new, and leaves alone what is as the file says", async () => {
    const first = await served("apply", "orders.yaml")
    assert.deepInclude(first.json.result, {
      applied: true,
      restarted: false,
      version: 1,
      service: service.url
    })
    const second = await served("apply", "orders.yaml")
    assert.deepInclude(second.json.result, { applied: false, restarted: false, version: 1 })
    assert.equal(second.json.result.plan.action, "unchanged")
    assert.deepEqual(service.asked, ["create orders by local"])
  })

  it("does what was planned, and refuses a plan that is stale", async () => {
    old()
    const { plan } = (await served("plan", "orders.yaml")).json.result
    old({ version: 4 })
    const stale = await served("apply", "orders.yaml", "--plan", plan)
    assert.deepEqual([stale.code, stale.json.error.code], [2, "stale_plan"])
    assert.notEqual(stale.json.result.plan.plan, plan)
    assert.deepEqual(service.asked, [])
    const now = await served("apply", "orders.yaml", "--plan", stale.json.result.plan.plan)
    assert.deepInclude(now.json.result, { applied: true, version: 5 })
    assert.deepEqual(service.asked, ["patch orders by local"])
  })

  // biome-ignore lint/suspicious/noTemplateCurlyInString: a variable of the file, not of this text
  const variable = "${PWD}/in.ndjson"
  it("sends the values of variables, which nobody else has", async () => {
    write(folder.path, { "vars.yaml": pipeline("vars").replace("in.ndjson", `"${variable}"`) })
    const { json } = await served("apply", "vars.yaml")
    const [warning] = json.result.plan.findings
    assert.deepInclude(warning, { severity: "warning", code: "variables_resolved_here" })
    assert.include(service.pipelines.get("vars")?.program_code, `path: ${process.env.PWD}/in.ndjson`)
    assert.equal((await served("plan", "vars.yaml")).json.result.action, "unchanged")
  })

  it("restarts what is deployed, and only when told to", async () => {
    old(running)
    const refused = await served("apply", "orders.yaml")
    assert.deepEqual([refused.code, refused.json.error.code], [1, "not_shut_down"])
    assert.match(refused.json.error.suggestion, /--restart/)
    assert.deepEqual(service.asked, [])
    const { json } = await served("apply", "orders.yaml", "--restart")
    assert.deepInclude(json.result, { applied: true, restarted: true, deployment_desired_status: "Running" })
    assert.deepEqual(service.asked, [
      "shutdown orders by local",
      "patch orders by local",
      "start orders by local"
    ])
  })

  it("has a pipeline go on as it was when the change is refused after all", async () => {
    old({ deployment_status: "Paused", deployment_desired_status: "Paused" })
    write(folder.path, { "taken.yaml": pipeline("orders", "description: taken_by_a_run\n") })
    const { code, json } = await served("apply", "taken.yaml", "--restart")
    assert.deepEqual([code, json.error.code], [2, "unfinished_run"])
    assert.deepEqual(service.asked, [
      "shutdown orders by local",
      "patch orders by local",
      "pause orders by local"
    ])
  })

  it("does not undo what somebody else has changed meanwhile", async () => {
    old()
    service.rival.isQuick = true
    const { code, json } = await served("apply", "orders.yaml")
    service.rival.isQuick = false
    assert.deepEqual([code, json.error.code], [2, "stale_plan"])
    assert.include(service.pipelines.get("orders")?.program_code, "> 60")
  })

  it("does not shut down for a change that an unfinished run forbids, unless it is given up", async () => {
    old({ ...running, lifecycle: "Running" })
    const { code, json } = await served("apply", "orders.yaml", "--restart")
    assert.deepEqual([code, json.error.code], [2, "unfinished_run"])
    assert.deepEqual(service.asked, [])
    const given = await served("apply", "orders.yaml", "--restart", "--abandon")
    assert.equal(given.code, 0)
    assert.include(service.asked, "patch orders (abandoning) by local")
  })
})

it("definitions differ by pointer, and a list is one value", () => {
  assert.deepEqual(
    definitionDiff(
      { a: { "b/c": 1, gone: [] }, same: [1, { x: 2 }] },
      { a: { "b/c": 2, new: null }, same: [1, { x: 2 }] }
    ),
    [
      { pointer: "/a/b~1c", change: "changed", from: 1, to: 2 },
      { pointer: "/a/new", change: "added", from: null, to: null },
      { pointer: "/a/gone", change: "removed", from: [], to: null }
    ]
  )
  assert.deepEqual(definitionDiff({ from: ["a", "b"] }, { from: ["b", "a"] }), [
    { pointer: "/from", change: "changed", from: ["a", "b"], to: ["b", "a"] }
  ])
})
