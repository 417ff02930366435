import { readFileSync } from "node:fs"
import { join } from "node:path"
import { assert, describe, it } from "vitest"
import { run, temporaryFolder } from "../process/CommandLine.ts"
import { ask, pipeline, records, write } from "./commandLine.ts"

const linesOf = (...path: ReadonlyArray<string>): ReadonlyArray<Record<string, unknown>> =>
  readFileSync(join(...path), "utf8")
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line))

/** Records, and lines that are none. */
const lines = (of: ReadonlyArray<unknown>, wrong: ReadonlyArray<string>): string =>
  [...of.map((record) => JSON.stringify(record)), ...wrong].map((line) => `${line}\n`).join("")

const to = (sink: string): string => pipeline("p", `dead_letters: { sink: ${sink} }\n`)

describe("a dead-letter sink", () => {
  it("gets what `dead-letters list` shows, and is counted as a sink", async () => {
    using folder = temporaryFolder()
    const wrong = ['{"id": 100,', "nothing"]
    write(folder.path, {
      "in.ndjson": lines(records(100), wrong),
      "p.yaml": to("{ use: file, path: out/letters.ndjson }")
    })
    const checked = await ask(folder.path, "check", "p.yaml")
    assert.deepInclude(checked.json.result.files[0].sinks, {
      stage: "dead_letters",
      driver: "file",
      guarantee: "effectively_once"
    })
    const { code, json } = await ask(folder.path, "run", "p.yaml")
    assert.equal(code, 0)
    const [{ applied, dead_lettered }] = json.result.pipelines
    assert.deepEqual([applied, dead_lettered], [{ store: 10, dead_letters: wrong.length }, wrong.length])
    const listed = (await ask(folder.path, "dead-letters", "p", "list")).json.result.dead_letters
    // What has become of a letter since is no concern of its line.
    assert.deepEqual(
      linesOf(folder.path, "out/letters.ndjson").map(({ pipeline: _, ...line }) => ({
        ...line,
        redrives: 0,
        redriving: false
      })),
      listed
    )
    assert.deepEqual(
      listed.map((letter: { raw: { data: string } }) => letter.raw.data),
      wrong
    )
    assert.equal(linesOf(folder.path, "out/letters.ndjson")[0]?.pipeline, "p")
  })

  it("may be a plain one", async () => {
    using folder = temporaryFolder()
    write(folder.path, { "in.ndjson": lines(records(10), ["nothing"]), "p.yaml": to("{ use: console }") })
    const { code, stdout } = await run(folder.path, "run", "p.yaml")
    assert.equal(code, 0)
    const line = stdout.split("\n").find((each) => each.startsWith("{"))
    assert.deepInclude(JSON.parse(line ?? "{}"), { pipeline: "p", source: "in", offset: 10, stage: "in" })
  })

  it("is checked like any end: its driver, its settings, and that nobody else writes there", async () => {
    using folder = temporaryFolder()
    const codesOf = async (text: string): Promise<ReadonlyArray<readonly [string, string]>> => {
      write(folder.path, { "p.yaml": text })
      const { json } = await ask(folder.path, "check", "p.yaml")
      return json.result.findings.map(({ code, pointer }: Record<string, string>) => [code, pointer])
    }
    assert.deepEqual(await codesOf(to("{ use: fil, path: a.ndjson }")), [
      ["unknown_driver", "/dead_letters/sink/use"]
    ])
    assert.deepEqual(await codesOf(to("{ use: file, path: a.ndjson, pth: b }")), [
      ["unknown_key", "/dead_letters/sink/pth"]
    ])
    assert.deepEqual(await codesOf(to("{ use: file, path: out/p.ndjson }")), [
      ["shared_output", "/dead_letters/sink"]
    ])
    assert.deepEqual(
      await codesOf(
        `${to("{ use: file, path: a.ndjson }")}schedule: continuous\n`.replace("in.ndjson", "i.ndjson")
      ),
      [
        ["mode_without_end", "/stages/store/sink"],
        ["mode_without_end", "/dead_letters/sink"]
      ]
    )
    const named = to("{ use: file, path: a.ndjson }").replace("store:", "dead_letters:")
    assert.deepEqual(await codesOf(named), [["reserved_name", "/stages/dead_letters"]])
  })
})
