import { once } from "node:events"
import { afterAll, assert, beforeAll, describe, it } from "vitest"
import { countEvents, digest, query, run, start, temporaryFolder } from "../process/CommandLine.ts"
import { ask, pipeline, records, write } from "./commandLine.ts"

const folder = temporaryFolder()
afterAll(() => folder[Symbol.dispose]())
beforeAll(() => write(folder.path, { "in.ndjson": records(50), "orders.yaml": pipeline("orders") }))

const verb = (...args: ReadonlyArray<string>) => ask(folder.path, ...args)

/** The same story from test to test: nobody holds the folder until a service does. */
describe("a folder that nobody holds", () => {
  it("apply deploys, by the handlers of the service", async () => {
    const { json } = await verb("apply", "orders.yaml")
    assert.deepInclude(json.result, {
      applied: true,
      version: 1,
      deployment_status: "Shutdown",
      service: null
    })
    const [defined] = query(folder.path, "select payload, by from events where type = 'Defined'")
    assert.deepInclude(JSON.parse(String(defined?.payload)), { base: folder.path, findings: [] })
    assert.notEqual(defined?.by, "")
    const again = await verb("apply", "orders.yaml")
    assert.deepInclude(again.json.result, { applied: false, version: 1 })
  })

  it("start and trigger write down what is wanted, and run nothing", async () => {
    const early = await verb("trigger", "orders")
    assert.deepEqual([early.code, early.json.error.code], [1, "pipeline_interaction_not_deployed"])
    const started = await verb("start", "orders")
    assert.deepInclude(started.json.result, {
      deployment_status: "Shutdown",
      deployment_desired_status: "Running"
    })
    const { stdout } = await run(folder.path, "trigger", "orders")
    assert.match(
      stdout,
      /✓ orders is triggered\n {2}→ no process works on \S+: the run begins when `millrace serve`/
    )
    assert.deepEqual(
      ["DesiredStatusSet", "Triggered", "ProvisioningStarted", "RunStarted"].map((type) =>
        countEvents(folder.path, type)
      ),
      [1, 1, 0, 0]
    )
  })

  it("apply --restart changes what is only wanted, and wants it again", async () => {
    write(folder.path, { "orders.yaml": pipeline("orders").replace("> 60", "> 80") })
    const refused = await verb("apply", "orders.yaml")
    assert.deepEqual([refused.code, refused.json.error.code], [1, "not_shut_down"])
    const { json } = await verb("apply", "orders.yaml", "--restart")
    assert.deepInclude(json.result, { applied: true, version: 2, deployment_desired_status: "Running" })
  })

  it("an unknown name suggests the nearest", async () => {
    const { code, json } = await verb("stop", "oders")
    assert.deepEqual(
      [code, json.error.code, json.error.suggestion],
      [2, "unknown_pipeline", "did you mean orders?"]
    )
  })
})

describe("a folder that a service holds", () => {
  let service: ReturnType<typeof start>
  let address: string
  beforeAll(async () => {
    service = start(folder.path, "serve", "--port", "0", "--json")
    const [said] = await once(service.child.stdout!, "data")
    address = JSON.parse(said).result.address
  })
  afterAll(async () => {
    service.child.kill("SIGTERM")
    assert.equal((await service.outcome).code, 0)
  })

  it("does what was wanted, and is found by its note", async () => {
    const { json } = await verb("start", "orders", "--wait", "60")
    assert.deepInclude(json.result, { deployment_status: "Running", service: address })
    assert.equal((await verb("trigger", "orders")).code, 0)
    const args = ["--follow", "--type", "Completed", "--limit", "1"]
    assert.equal((await run(folder.path, "events", "orders", ...args)).code, 0)
    assert.match(digest(`${folder.path}/out/orders.ndjson`), /^[0-9a-f]{64}$/)
    const settled = await verb("checkpoint", "orders")
    assert.deepInclude(settled.json.result.checkpoints[0], { source: "in", offset: 50 })
    const listed = await verb("list", "--url", address)
    assert.deepInclude(listed.json.result.pipelines[0], { name: "orders", lifecycle: "Completed" })
  })

  it("apply takes it down for a change and starts it again", async () => {
    write(folder.path, { "orders.yaml": pipeline("orders").replace("> 60", "> 85") })
    const { plan } = (await verb("plan", "orders.yaml")).json.result
    const { json } = await verb("apply", "orders.yaml", "--restart", "--plan", plan)
    assert.deepInclude(json.result, { applied: true, restarted: true, version: 3, service: address })
    const down = await verb("stop", "orders", "--wait", "60")
    assert.deepInclude(down.json.result, { deployment_status: "Shutdown", version: 3 })
  })
})
