/**
 * `millrace serve` as a process: driven with fetch, drained by a signal, killed in the middle of a run.
 *
 * @module
 */
import { mkdirSync, readFileSync, writeFileSync } from "node:fs"
import { createServer } from "node:net"
import { join } from "node:path"
import { assert, describe, it } from "vitest"
import type { PipelineResource } from "../../src/api/PipelineResource.ts"
import { countEvents, digest, run, start, temporaryFolder } from "./CommandLine.ts"

const timeout = 120_000

/** So many records, at so many a second that there is time to be killed. */
const count = 20_000
const program = (rate: number) =>
  `stages:\n  in: { source: { use: generator, count: ${count}, rate: ${rate} } }\n` +
  "  out: { from: in, sink: { use: file, path: out.ndjson } }\n"

interface Answered {
  readonly status: number
  // The shape is what the tests are about.
  // biome-ignore lint/suspicious/noExplicitAny: see above
  readonly body: any
}

/** Starts a service and resolves with its address, once it has said it. */
const serving = async (folder: string, ...args: ReadonlyArray<string>) => {
  const { child, outcome } = start(folder, "serve", "--port", "0", "--json", ...args)
  const first = new Promise<string>((resolve, reject) => {
    let text = ""
    child.stdout?.on("data", (part: string) => {
      text += part
      if (text.includes("\n")) resolve(text)
    })
    void outcome.then(({ stderr, stdout }) => reject(new Error(`it ended: ${stdout}${stderr}`)))
  })
  const { result } = JSON.parse(await first) as {
    readonly result: {
      readonly address: string
      readonly adopted: number
      readonly findings: ReadonlyArray<object>
    }
  }
  const call = async (method: string, path: string, body?: unknown): Promise<Answered> => {
    const response = await fetch(`${result.address}${path}`, {
      method,
      ...(body === undefined
        ? {}
        : { body: JSON.stringify(body), headers: { "content-type": "application/json" } })
    })
    const text = await response.text()
    const answer = { status: response.status, body: text === "" ? undefined : JSON.parse(text) }
    if (answer.status !== 429) return answer
    // The service says how long to wait: whoever asks without a pause has to.
    await new Promise((resolve) => setTimeout(resolve, answer.body.details.retry_after_ms))
    return call(method, path, body)
  }
  const until = async (
    name: string,
    holds: (resource: PipelineResource) => boolean
  ): Promise<PipelineResource> => {
    while (true) {
      const { body } = await call("GET", `/v0/pipelines/${name}`)
      if (holds(body)) return body
    }
  }
  return { ...result, child, outcome, call, until }
}

describe("millrace serve", () => {
  it("creates, starts, triggers, pauses, resumes, shuts down, renames and deletes", { timeout }, async () => {
    using folder = temporaryFolder()
    const { call, child, outcome, until } = await serving(folder.path)
    assert.strictEqual(
      (await call("POST", "/v0/pipelines", { name: "a", program_code: program(5000) })).status,
      201
    )
    assert.strictEqual((await call("POST", "/v0/pipelines/a/start")).status, 202)
    assert.strictEqual((await call("POST", "/v0/pipelines/a/trigger", {})).status, 202)
    await until("a", ({ run }) => (run?.read ?? 0) > 0)
    assert.strictEqual((await call("POST", "/v0/pipelines/a/pause")).status, 202)
    await until("a", ({ deployment_status }) => deployment_status === "Paused")
    assert.strictEqual((await call("POST", "/v0/pipelines/a/start")).status, 202)
    await until("a", ({ lifecycle }) => lifecycle === "Completed")
    assert.strictEqual((await call("POST", "/v0/pipelines/a/shutdown")).status, 202)
    await until("a", ({ deployment_status }) => deployment_status === "Shutdown")
    assert.strictEqual((await call("PATCH", "/v0/pipelines/a", { name: "b" })).status, 200)
    assert.strictEqual((await call("DELETE", "/v0/pipelines/b")).status, 200)
    assert.deepEqual((await call("GET", "/v0/pipelines")).body, [])
    const lines = readFileSync(join(folder.path, "out.ndjson"), "utf8").trimEnd().split("\n")
    assert.strictEqual(lines.length, count)
    child.kill("SIGTERM")
    assert.strictEqual((await outcome).code, 0)
  })

  it("brings everything back after it was killed, and the output is the same", { timeout }, async () => {
    using calm = temporaryFolder()
    using rough = temporaryFolder()
    for (const { path } of [calm, rough]) writeFileSync(join(path, "p.yaml"), `name: p\n${program(10_000)}`)
    const undisturbed = await run(calm.path, "run", "p.yaml", "--json")
    assert.strictEqual(undisturbed.code, 0, undisturbed.stderr)

    const first = await serving(rough.path, "p.yaml")
    await first.call("POST", "/v0/pipelines/p/start")
    await first.call("POST", "/v0/pipelines/p/trigger", null)
    await first.until("p", ({ run }) => (run?.applied.out ?? 0) > 0)
    first.child.kill("SIGKILL")
    assert.strictEqual((await first.outcome).signal, "SIGKILL")

    const second = await serving(rough.path, "p.yaml")
    assert.strictEqual(second.adopted, 1)
    const done = await second.until("p", ({ lifecycle }) => lifecycle === "Completed")
    assert.containSubset(done, { deployment_status: "Running", run: { resumes: 1, applied: { out: count } } })
    assert.strictEqual(digest(join(rough.path, "out.ndjson")), digest(join(calm.path, "out.ndjson")))
    second.child.kill("SIGINT")
    assert.strictEqual((await second.outcome).code, 0)
  })

  it("drains when it is asked to end, and goes on by itself when it is back", { timeout }, async () => {
    using folder = temporaryFolder()
    const first = await serving(folder.path)
    await first.call("POST", "/v0/pipelines", { name: "a", program_code: program(10_000) })
    await first.call("POST", "/v0/pipelines/a/start")
    await first.call("POST", "/v0/pipelines/a/trigger")
    await first.until("a", ({ run }) => (run?.read ?? 0) > 0)
    first.child.kill("SIGTERM")
    const { code, stdout } = await first.outcome
    assert.strictEqual(code, 0)
    assert.strictEqual(stdout.trimEnd().split("\n").length, 1)
    assert.strictEqual(countEvents(folder.path, "BecameUnavailable"), 1)
    assert.strictEqual(countEvents(folder.path, "Crashed"), 1)
    const second = await serving(folder.path)
    const done = await second.until("a", ({ lifecycle }) => lifecycle === "Completed")
    assert.containSubset(done.run, { read: count, applied: { out: count } })
    second.child.kill("SIGTERM")
    assert.strictEqual((await second.outcome).code, 0)
  })

  it("defines the files of a folder, whatever is wrong with one of them", { timeout }, async () => {
    using folder = temporaryFolder()
    const files = join(folder.path, "pipelines")
    mkdirSync(files)
    writeFileSync(join(files, "good.yaml"), `name: good\n${program(0)}`)
    writeFileSync(join(files, "bad.yaml"), "name: bad\nstages: { in: { sauce: 1 } }\n")
    writeFileSync(join(files, "good.test.yaml"), "tests: []\n")
    const { call, child, findings, outcome } = await serving(folder.path, "pipelines")
    const { body } = await call("GET", "/v0/pipelines?selector=status")
    assert.deepEqual(
      body.map(({ name }: PipelineResource) => name),
      ["good"]
    )
    assert.containSubset(findings, [{ code: "unknown_key", file: join("pipelines", "bad.yaml") }])
    const other = await run(folder.path, "serve", "--port", "0", "--json")
    assert.strictEqual(other.code, 3)
    assert.include(JSON.parse(other.stdout).error.message, `process ${child.pid}`)
    assert.include(JSON.parse(other.stdout).error.message, "listening at http://127.0.0.1:")
    child.kill("SIGTERM")
    await outcome
  })

  it("says why it does not listen, by its exit code", { timeout }, async () => {
    using folder = temporaryFolder()
    const unsafe = await run(folder.path, "serve", "--host", "0.0.0.0", "--json")
    assert.strictEqual(unsafe.code, 2, unsafe.stderr)
    assert.strictEqual(JSON.parse(unsafe.stdout).error.code, "unsafe_address")
    const taken = createServer()
    await new Promise<void>((resolve) => taken.listen(0, "127.0.0.1", resolve))
    const { port } = taken.address() as { readonly port: number }
    const refused = await run(folder.path, "serve", "--port", String(port), "--json")
    taken.close()
    assert.strictEqual(refused.code, 3, refused.stderr)
    assert.strictEqual(JSON.parse(refused.stdout).error.code, "port_in_use")
    const nowhere = await run(folder.path, "serve", "nowhere", "--json")
    assert.strictEqual(nowhere.code, 2)
  })
})
