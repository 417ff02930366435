import type { ChildProcess } from "node:child_process"
import { readFileSync } from "node:fs"
import { join } from "node:path"
import { assert, describe, expect, it } from "vitest"
import { run, start, temporaryFolder } from "../process/CommandLine.ts"
import { killAt } from "../process/Marker.ts"
import { inFolder } from "../process/Place.ts"
import { ask, assertPlain, pipeline, records, write } from "./commandLine.ts"

const linesOf = (...path: ReadonlyArray<string>): number =>
  readFileSync(join(...path), "utf8").split("\n").length - 1

describe("run", () => {
  it("answers with the counts of a run", async () => {
    using folder = temporaryFolder()
    write(folder.path, { "in.ndjson": [...records(100), "no object"], "p.yaml": pipeline("p") })
    const { code, json } = await ask(folder.path, "run", "p.yaml")
    assert.equal(code, 0)
    expect(json).toEqual({
      ok: true,
      command: "run",
      error: null,
      result: {
        findings: [],
        pipelines: [
          {
            name: "p",
            run: expect.any(String),
            lifecycle: "Completed",
            read: 101,
            filtered: 91,
            unrouted: 0,
            dead_lettered: 0,
            delivered: 10,
            applied: { store: 10 },
            batches: 1,
            resumed_from: null,
            duration_ms: expect.any(Number),
            failure: null
          }
        ]
      }
    })
    assert.equal(linesOf(folder.path, "out/p.ndjson"), 10)
  })

  it("tells a person the same, without an escape code where there is no terminal", async () => {
    using folder = temporaryFolder()
    write(folder.path, { "in.ndjson": records(2000), "p.yaml": pipeline("p") })
    const { code, stderr, stdout } = await run(folder.path, "run", "p.yaml")
    assert.equal(code, 0)
    assertPlain(stdout + stderr)
    assert.match(stdout, /^✓ p completed in .*\n {2}read +2,000 records, [\d,]+\/s\n {2}filtered +1,800\n/)
    assert.match(stdout, /→ store +200\n {2}batches +2, checkpoint in 2,000\n$/)
    assert.equal(stderr, "p: run started\n")
  })

  it("runs several pipelines; one that fails does not stop the others", async () => {
    using folder = temporaryFolder()
    const missing = pipeline("missing").replace("in.ndjson", "nowhere.ndjson")
    write(folder.path, { "in.ndjson": records(100), "a.yaml": pipeline("a"), "b.yaml": missing })
    const { code, json } = await ask(folder.path, "run", "a.yaml", "b.yaml")
    assert.equal(code, 1)
    assert.equal(json.error.code, "file_not_found")
    const [a, b] = json.result.pipelines
    assert.deepInclude(a, { name: "a", lifecycle: "Completed", read: 100 })
    assert.deepInclude(b, { name: "missing", lifecycle: "Failed", read: 0 })
    assert.equal(linesOf(folder.path, "out/a.ndjson"), 10)
  })

  it("stops at the dead-letter threshold and says where to look", async () => {
    using folder = temporaryFolder()
    write(folder.path, { "in.ndjson": "{broken\n".repeat(20), "p.yaml": pipeline("p") })
    const { code, stderr } = await run(folder.path, "run", "p.yaml")
    assert.equal(code, 1)
    assert.match(stderr, /✗ dead_letter_threshold\n/)
    assert.match(stderr, /→ .*`millrace dead-letters p list`/)
    assert.notMatch(stderr, /^\s+at /m)
  })

  it("defines nothing for a file with findings, and shows all of them", async () => {
    using folder = temporaryFolder()
    const bad = pipeline("p").replace("from: late", "from: lat").replace("filter:", "fliter:")
    write(folder.path, { "p.yaml": bad })
    const { code, json } = await ask(folder.path, "run", "p.yaml", "nope.yaml")
    assert.equal(code, 2)
    assert.deepEqual(json.result.pipelines, [])
    assert.isAbove(json.result.findings.length, 2)
    for (const finding of json.result.findings) {
      assert.hasAllKeys(finding, [
        "severity",
        "code",
        "pointer",
        "line",
        "column",
        "message",
        "suggestion",
        "file"
      ])
    }
    assert.deepEqual((await ask(folder.path, "list")).json.result.pipelines, [])
  })

  it("keeps stdout for records when they are printed there", async () => {
    using folder = temporaryFolder()
    const printed = pipeline("p").replace("use: file, path: out/p.ndjson", "use: console")
    write(folder.path, { "in.ndjson": records(100), "p.yaml": printed })
    const { stderr, stdout } = await run(folder.path, "run", "p.yaml")
    assert.equal(
      stdout
        .trimEnd()
        .split("\n")
        .map((line) => JSON.parse(line)).length,
      10
    )
    assert.match(stderr, /✓ p completed/)
    const { json } = await ask(folder.path, "run", "p.yaml")
    assert.equal(json.result.pipelines[0].applied.store, 10)
  })
})

const slow = (more: string) => `name: slow
stages:
  made: { source: { use: generator, ${more} } }
  store: { from: made, sink: { use: file, path: out.ndjson } }
runtime: { batch_size: 10, checkpoint_interval: 10ms }
`

/** Resolves once the command has said something that matches. */
const said = (child: ChildProcess, pattern: RegExp): Promise<void> =>
  new Promise((resolve) => {
    child.stderr?.on("data", (text: string) => {
      if (pattern.test(text)) resolve()
    })
  })

describe("a run that is cut off", () => {
  it("drains at the first signal, keeps the log for itself meanwhile, and goes on later", async () => {
    using folder = temporaryFolder()
    write(folder.path, { "slow.yaml": slow("rate: 1000") })
    const first = start(folder.path, "run", "slow.yaml", "--json")
    await said(first.child, /run started/)
    const refused = await ask(folder.path, "run", "slow.yaml")
    assert.equal(refused.code, 3)
    assert.equal(refused.json.error.code, "log_locked")
    assert.include(refused.json.error.message, `process ${first.child.pid} on `)
    const busy = await ask(folder.path, "list")
    assert.deepInclude(busy.json.result.pipelines[0], { lifecycle: "Running", left_behind: false })
    assert.equal(busy.json.result.owner.pid, first.child.pid)

    first.child.kill("SIGTERM")
    const cut = await first.outcome
    assert.equal(cut.code, 143)
    const { error, result } = JSON.parse(cut.stdout)
    assert.equal(error.code, "interrupted")
    const [stopped] = result.pipelines
    assert.deepInclude(stopped, { lifecycle: "Crashed", read: stopped.applied.store })

    const second = start(folder.path, "run", "slow.yaml", "--json")
    await said(second.child, /run goes on from record/)
    second.child.kill("SIGINT")
    const again = await second.outcome
    assert.equal(again.code, 130)
    const [resumed] = JSON.parse(again.stdout).result.pipelines
    assert.deepInclude(resumed, { run: stopped.run, resumed_from: stopped.read })
    assert.isAtLeast(resumed.read, stopped.read)
  })

  it("is not given up for a changed file unless a person says so", async () => {
    using folder = temporaryFolder()
    write(folder.path, { "slow.yaml": slow("count: 2000, rate: 1000") })
    await killAt(
      folder.path,
      await inFolder(folder.path),
      { type: "StageApplied", count: 3 },
      "run",
      "slow.yaml"
    )
    const left = await ask(folder.path, "show", "slow")
    assert.deepInclude(left.json.result, { lifecycle: "Running", left_behind: true, owner: null })
    assert.match((await run(folder.path, "list")).stdout, /Running\*/)

    write(folder.path, { "slow.yaml": slow("count: 2000") })
    const refused = await ask(folder.path, "run", "slow.yaml")
    assert.equal(refused.code, 2)
    assert.equal(refused.json.error.code, "unfinished_run")
    assert.equal(refused.json.result.findings[0].code, "unfinished_run")

    const { code, json } = await ask(folder.path, "run", "slow.yaml", "--abandon")
    assert.equal(code, 0)
    assert.deepInclude(json.result.pipelines[0], { read: 2000, resumed_from: null })
  })
})

it("a run that came to nothing keeps nobody from mending its file", async () => {
  using folder = temporaryFolder()
  write(folder.path, { "in.ndjson": records(20), "p.yaml": pipeline("p").replace("in.ndjson", "inn.ndjson") })
  const lost = await ask(folder.path, "run", "p.yaml")
  assert.equal(lost.json.error.code, "file_not_found")
  write(folder.path, { "p.yaml": pipeline("p") })
  const { code, json } = await ask(folder.path, "run", "p.yaml")
  assert.equal(code, 0)
  assert.deepInclude(json.result.pipelines[0], { read: 20, resumed_from: null })
  const { json: told } = await ask(folder.path, "show", "p")
  assert.deepInclude(told.result.runs[0].failure, { code: "abandoned" })
})
