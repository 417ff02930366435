import { readFileSync } from "node:fs"
import { join } from "node:path"
import { assert, describe, expect, it } from "vitest"
import { run, temporaryFolder } from "../process/CommandLine.ts"
import { ask, assertPlain, pipeline, records, write } from "./commandLine.ts"

describe("replay", () => {
  it("tells what would happen, and does it", async () => {
    using folder = temporaryFolder()
    write(folder.path, { "in.ndjson": [...records(2500), "no object"], "p.yaml": pipeline("p") })
    await ask(folder.path, "run", "p.yaml")
    const before = readFileSync(join(folder.path, "out/p.ndjson"), "utf8")
    const rows = (await ask(folder.path, "events", "p")).json.result.events.length

    const asked = await ask(folder.path, "replay", "p", "--from", "start", "--dry-run")
    expect(asked.json.result).toEqual({
      dry_run: true,
      name: "p",
      run: expect.any(String),
      version: expect.any(Number),
      at: expect.any(String),
      generation: 1,
      stage: null,
      sources: [{ source: "in", offset: 0, records: 2501 }],
      sinks: [{ stage: "store", suppressed: 0, rewritten: 3, new: 0 }],
      dead_letters_voided: 0
    })
    assert.equal(
      (await ask(folder.path, "events", "p")).json.result.events.length,
      rows,
      "nothing was appended"
    )

    const { code, json } = await ask(folder.path, "replay", "p", "--from", "start")
    assert.equal(code, 0)
    assert.deepInclude(json.result, { dry_run: false, generation: 1 })
    assert.deepInclude(json.result.pipelines[0], { lifecycle: "Completed", read: 2501, delivered: 250 })
    assert.equal(readFileSync(join(folder.path, "out/p.ndjson"), "utf8"), before)
  })

  it("says which place there is not", async () => {
    using folder = temporaryFolder()
    const nothing = await ask(folder.path, "replay", "p", "--from", "start")
    assert.deepEqual([nothing.code, nothing.json.error.code], [3, "no_log"])
    write(folder.path, { "in.ndjson": records(10), "p.yaml": pipeline("p") })
    await ask(folder.path, "run", "p.yaml")
    for (const [args, code] of [
      [["--from", "9999"], "unknown_version"],
      [["--from", "elsewhere"], "bad_place"],
      [["--from", "nowhere:5", "--dry-run"], "unknown_checkpoint"]
    ] as const) {
      const { code: exit, json } = await ask(folder.path, "replay", "p", ...args)
      assert.deepEqual([exit, json.error.code], [2, code], args.join(" "))
    }
    const { stdout } = await run(folder.path, "replay", "p", "--from", "start", "--dry-run")
    assertPlain(stdout)
    assert.match(
      stdout,
      /^p would go back to version \d+, .*\n {2}in: from record 0, 10 records to read again\n/
    )
  })
})
