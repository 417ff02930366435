import { readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { assert, describe, it } from "vitest"
import { template, templateNames } from "../../src/cli/templates.ts"
import { parsePipelineFile } from "../../src/config/PipelineFile.ts"
import { builtinDrivers } from "../../src/drivers/builtin.ts"
import { run, temporaryFolder } from "../process/CommandLine.ts"
import { ask, assertPlain, pipeline, records, write } from "./commandLine.ts"

const drivers = new Map(builtinDrivers.map((driver) => [driver.name, driver]))

describe("new", () => {
  it.each(templateNames)("the template %s has no findings", (name) => {
    const { text } = template(name, "mine")
    assert.deepEqual(parsePipelineFile({ text, environment: {}, drivers, base: "/" }).findings, [])
  })

  it("writes a file that runs, and never overwrites one", async () => {
    using folder = temporaryFolder()
    const made = await ask(folder.path, "new", "--out", "my first.yaml")
    assert.deepEqual(made.json.result, { path: "my first.yaml", template: "generator" })
    assert.match(readFileSync(join(folder.path, "my first.yaml"), "utf8"), /^name: my-first$/m)
    const { json } = await ask(folder.path, "run", "my first.yaml")
    assert.deepInclude(json.result.pipelines[0], { name: "my-first", lifecycle: "Completed", read: 10_000 })
    const again = await ask(folder.path, "new", "--out", "my first.yaml")
    assert.deepInclude(again.json.error, { code: "file_exists" })
    assert.equal(again.code, 2)
  })

  it("the routing template sends records where its conditions say, and counts them by the hour", async () => {
    using folder = temporaryFolder()
    const order = (id: string, at: string, region: string, amount: number) => ({
      id,
      at: `2026-01-01T${at}:00Z`,
      region,
      amount
    })
    write(folder.path, {
      "orders.ndjson": [
        order("1", "10:00", "home", 10),
        order("2", "10:20", "away", 2000),
        order("2", "10:21", "away", 2000),
        order("3", "11:20", "away", 5),
        order("4", "12:40", "home", 1000)
      ]
    })
    await ask(folder.path, "new", "routing")
    assert.equal((await ask(folder.path, "run", "routing.yaml")).code, 0)
    const written = (file: string): ReadonlyArray<Readonly<Record<string, unknown>>> =>
      readFileSync(join(folder.path, "out", file), "utf8")
        .trimEnd()
        .split("\n")
        .map((line) => JSON.parse(line))
    const ids = (file: string) => written(file).map(({ id }) => id)
    assert.deepEqual(ids("large.ndjson"), ["2", "4"])
    assert.deepEqual(ids("abroad.ndjson"), ["2", "3"])
    const hours = written("hourly.ndjson")
    assert.sameMembers(
      hours.map(
        ({ orders, region, revenue, window_start }) => `${window_start} ${region} ${orders} ${revenue}`
      ),
      [
        "2026-01-01T10:00:00.000Z home 1 10",
        "2026-01-01T10:00:00.000Z away 1 2000",
        "2026-01-01T11:00:00.000Z away 1 5",
        "2026-01-01T12:00:00.000Z home 1 1000"
      ]
    )
  })
})

describe("check", () => {
  it("tells what a good file promises", async () => {
    using folder = temporaryFolder()
    write(folder.path, { "p.yaml": pipeline("p") })
    const { code, json } = await ask(folder.path, "check", "p.yaml")
    assert.equal(code, 0)
    const sinks = [{ stage: "store", driver: "file", guarantee: "effectively_once" }]
    assert.deepEqual(json.result, { findings: [], files: [{ file: "p.yaml", name: "p", ok: true, sinks }] })
    assert.match(
      (await run(folder.path, "check", "p.yaml")).stdout,
      /✓ p\.yaml: p, 3 stages\n {2}store: effectively once/
    )
  })

  it("tells everything that is wrong, with its place", async () => {
    using folder = temporaryFolder()
    const bad = pipeline("p").replace("from: late", "from: lat").replace("delay > 60", "delay >")
    write(folder.path, { "p.yaml": bad })
    const { code, json } = await ask(folder.path, "check", "p.yaml")
    assert.equal(code, 2)
    assert.isAtLeast(json.result.findings.length, 2)
    for (const finding of json.result.findings) assert.isAtLeast(finding.line, 1)
    const { stdout } = await run(folder.path, "check", "p.yaml")
    assertPlain(stdout)
    assert.match(stdout, /^✗ \w+ {2}\/stages\/late\/filter \(4:\d+\)\n/m)
    assert.match(stdout, /^ {2}→ /m)
  })

  it("sees a name that two files use", async () => {
    using folder = temporaryFolder()
    write(folder.path, { "a.yaml": pipeline("p"), "b.yaml": pipeline("p") })
    const { json } = await ask(folder.path, "check", "a.yaml", "b.yaml")
    assert.deepInclude(json.result.findings[0], { code: "duplicate_pipeline", file: "b.yaml" })
  })

  it("--connect opens what is read and writes nothing", async () => {
    using folder = temporaryFolder()
    write(folder.path, { "p.yaml": pipeline("p") })
    const missing = await ask(folder.path, "check", "p.yaml", "--connect")
    assert.equal(missing.code, 2)
    assert.deepInclude(missing.json.result.findings[0], {
      code: "file_not_found",
      pointer: "/stages/in/source"
    })
    write(folder.path, { "in.ndjson": records(1), out: "in the way" })
    const blocked = await ask(folder.path, "check", "p.yaml", "--connect")
    assert.deepInclude(blocked.json.result.findings[0], {
      code: "output_not_writable",
      pointer: "/stages/store/sink"
    })
    assert.equal(readFileSync(join(folder.path, "out"), "utf8"), "in the way")
  })
})

/** Every element that is opened is closed, in order. */
const wellFormed = (xml: string): void => {
  const open: Array<string> = []
  for (const [, close, name, empty] of xml.matchAll(/<(\/?)([a-z]+)\b[^<>]*?(\/?)>/g)) {
    if (close === "/") assert.equal(open.pop(), name)
    else if (empty === "") open.push(name!)
  }
  assert.deepEqual(open, [])
}

describe("graph", () => {
  const branched = `name: fork
stages:
  in: { source: { use: file, path: in.ndjson } }
  hot: { from: { stage: in, when: record.t > 30 }, sink: { use: file, path: hot.ndjson } }
  cold: { from: { stage: in, when: "record.t < 30 && record.k != '<b>'" }, sink: { use: file, path: cold.ndjson } }
`
  it("as text, from a file and from the log", async () => {
    using folder = temporaryFolder()
    write(folder.path, { "p.yaml": branched, "in.ndjson": [] })
    const expected = [
      "fork",
      "in  source file in.ndjson",
      "├─ [record.t > 30] hot  sink file hot.ndjson",
      "└─ [record.t < 30 && record.k != '<b>'] cold  sink file cold.ndjson",
      ""
    ].join("\n")
    assert.equal((await run(folder.path, "graph", "p.yaml")).stdout, expected)
    await run(folder.path, "run", "p.yaml")
    assert.equal((await ask(folder.path, "graph", "fork")).json.result.graph, expected)
  })

  it("as Mermaid and as SVG, with what means something there escaped", async () => {
    using folder = temporaryFolder()
    write(folder.path, { "p.yaml": branched })
    const mermaid = (await run(folder.path, "graph", "p.yaml", "--format", "mermaid")).stdout
    assert.match(mermaid, /^flowchart LR\n/)
    assert.include(mermaid, 's0 -->|"record.t #62; 30"| s1')
    assert.notInclude(mermaid, "'<b>'")
    const svg = (await run(folder.path, "graph", "p.yaml", "--format", "svg")).stdout
    assert.match(svg, /^<svg xmlns="http:\/\/www\.w3\.org\/2000\/svg" [^<]*>\n[\s\S]*<\/svg>\n$/)
    assert.include(svg, "record.t &#62; 30")
    assert.notMatch(svg, /&(?!#\d+;)/)
    wellFormed(svg)
  })
})

describe("doctor", () => {
  it("looks at everything and makes nothing", async () => {
    using folder = temporaryFolder()
    const { code, json } = await ask(folder.path, "doctor", "--data-dir", "data")
    assert.equal(code, 0)
    const names = json.result.checks.map(({ name }: { readonly name: string }) => name)
    assert.includeMembers(names, [
      "node",
      "sqlite",
      "data directory",
      "lock",
      "free disk",
      "clock",
      "drivers"
    ])
  })

  it("is unhappy with a data directory that is a file", async () => {
    using folder = temporaryFolder()
    writeFileSync(join(folder.path, "data"), "")
    const { code, json, stderr } = await ask(folder.path, "doctor", "--data-dir", "data")
    assert.equal(code, 3, stderr)
    assert.equal(json.error.code, "unhealthy")
  })
})
