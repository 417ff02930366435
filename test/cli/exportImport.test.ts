import { existsSync, readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { afterAll, assert, beforeAll, describe, expect, it } from "vitest"
import { query, run, start, temporaryFolder } from "../process/CommandLine.ts"
import { killAt } from "../process/Marker.ts"
import { inFolder } from "../process/Place.ts"
import { startPostgres } from "../support/PostgresServer.ts"
import { ask, assertPlain, pipeline, records, write } from "./commandLine.ts"

const folder = temporaryFolder()
afterAll(() => folder[Symbol.dispose]())
const path = (name: string): string => join(folder.path, name)
const lines = (name: string): Array<string> => readFileSync(path(name), "utf8").trimEnd().split("\n")
const imported = (data: string, ...args: ReadonlyArray<string>) =>
  ask(folder.path, "import", ...args, "--data-dir", data)

/** Runs until it is ended. */
const live = {
  "live.yaml":
    "name: live\nstages:\n  in: { source: { use: generator, rate: 10 } }\n  out: { from: in, sink: { use: file, path: live.ndjson } }\n"
}

/** A run with dead letters whose bytes and messages nobody else should see. */
beforeAll(async () => {
  const text = `${records(50)
    .map((record) => JSON.stringify(record))
    .join("\n")}\n{"secret \u001b[31m\nsecret-value\nsecret-value\n`
  write(folder.path, { "in.ndjson": text, "p.yaml": pipeline("orders"), "q.yaml": pipeline("other") })
  assert.equal((await run(folder.path, "run", "p.yaml")).code, 0)
  assert.equal((await ask(folder.path, "export", "orders", "--out", "orders.log")).code, 0)
})

describe("export", () => {
  it("writes a header and every stored event as it is", async () => {
    const [header = "", ...rows] = lines("orders.log")
    const stored = query(folder.path, "select * from events where stream <> 'catalog' order by version")
    expect(JSON.parse(header)).toEqual({
      format: "millrace-log",
      version: 1,
      pipeline: "orders",
      id: expect.any(String),
      stream: expect.stringMatching(/^pipeline\//),
      events: stored.length,
      hash: stored.at(-1)?.hash,
      masked: false
    })
    expect(
      rows.map((row) => {
        const { causation_id, correlation_id, event_id, schema_version, ...rest } = JSON.parse(row)
        return {
          ...rest,
          causationId: causation_id,
          correlationId: correlation_id,
          eventId: event_id,
          schemaVersion: schema_version
        }
      })
    ).toEqual(stored.map((row) => ({ ...row })))
  })

  it("to stdout is the same text, and never overwrites a file", async () => {
    const { stdout } = await run(folder.path, "export", "orders")
    assert.equal(stdout, readFileSync(path("orders.log"), "utf8"))
    const again = await ask(folder.path, "export", "orders", "--out", "orders.log")
    assert.equal(again.code, 2)
    assert.equal(again.json.error.code, "file_exists")
    assert.equal((await ask(folder.path, "export", "orders")).json.error.code, "out_required")
    assert.equal((await ask(folder.path, "export", "odrers")).json.error.suggestion, "did you mean orders?")
    const nowhere = await ask(folder.path, "export", "orders", "--out", "no/folder.log")
    assert.equal(nowhere.json.error.code, "file_unwritable")
  })

  it("masked, nothing of a record is left, and equal values stay equal", async () => {
    const { json } = await ask(folder.path, "export", "orders", "--mask", "--out", "masked.log")
    assert.deepInclude(json.result, { name: "orders", masked: true, path: "masked.log" })
    const [header = "", ...rows] = lines("masked.log")
    assert.deepInclude(JSON.parse(header), { masked: true, hash: null })
    const events = rows.map((row) => JSON.parse(row))
    assert.isTrue(events.every(({ hash }) => hash === null))
    const text = rows.join("\n")
    for (const hidden of ["secret \\", "secret-value", "\\u001b[31m"]) assert.notInclude(text, hidden)
    const digests = query(folder.path, "select hash from events").map(({ hash }) => String(hash))
    for (const digest of digests) assert.notInclude(text, digest)
    const seal = JSON.parse(events.find(({ type }) => type === "BatchSealed").payload)
    assert.lengthOf(seal.letters, 3)
    assert.match(seal.letters[1].raw.data, /^masked:[0-9a-f]{16}$/)
    assert.equal(seal.letters[1].raw.data, seal.letters[2].raw.data)
    assert.notEqual(seal.letters[0].raw.data, seal.letters[1].raw.data)
    assert.equal(seal.letters[1].reason.code, "malformed_json")
    assert.match(seal.digest, /^masked:/)
    const refused = await imported("m", "masked.log")
    assert.equal(refused.code, 2)
    assert.equal(refused.json.error.code, "masked_export")
    assert.isFalse(existsSync(path("m")))
  })
})

describe("import", () => {
  it("into an empty folder: the same events, state and letters, and a whole chain", async () => {
    const { code, json } = await imported("copy", "orders.log")
    assert.equal(code, 0)
    const { id, stream, events } = JSON.parse(lines("orders.log")[0]!)
    assert.deepEqual(json.result, { name: "orders", id, events })
    assert.equal(stream, `pipeline/${id}`)
    for (const verb of [["events"], ["state"], ["dead-letters", "list"]]) {
      const [name = "", ...rest] = verb
      const before = await ask(folder.path, name, "orders", ...rest)
      const after = await ask(folder.path, name, "orders", ...rest, "--data-dir", "copy")
      const comparable = (text: string): string => text.replaceAll(/"position":\d+,/g, "")
      assert.equal(comparable(after.stdout), comparable(before.stdout))
    }
    assert.deepInclude((await ask(folder.path, "verify", "--data-dir", "copy")).json.result, {
      first_bad: null
    })
    assertPlain((await run(folder.path, "import", "orders.log", "--data-dir", "plain")).stdout)
  })

  it("is a log to go on with: an unfinished run is resumed there", async () => {
    write(folder.path, {
      "big.ndjson": records(200_000),
      "big.yaml": pipeline("big").replace("in.ndjson", "big.ndjson")
    })
    await killAt(
      folder.path,
      await inFolder(folder.path),
      { type: "StageApplied", count: 1 },
      "run",
      "big.yaml"
    )
    assert.equal((await ask(folder.path, "export", "big", "--out", "big.log")).code, 0)
    assert.equal((await imported("moved", "big.log")).code, 0)
    const resumed = await ask(folder.path, "run", "big.yaml", "--data-dir", "moved")
    assert.equal(resumed.code, 0, resumed.stderr)
    assert.deepInclude(resumed.json.result.pipelines[0], { read: 200_000, lifecycle: "Completed" })
    assert.isNumber(resumed.json.result.pipelines[0].resumed_from)
    assert.lengthOf(lines("out/big.ndjson"), 20_000)
    assert.equal((await ask(folder.path, "verify", "--data-dir", "moved")).code, 0)
  })

  it("a name that is taken, a pipeline that is there", async () => {
    assert.equal((await run(folder.path, "run", "q.yaml", "--data-dir", "taken")).code, 0)
    assert.equal(
      (await ask(folder.path, "export", "other", "--data-dir", "taken", "--out", "other.log")).code,
      0
    )
    const renamed = await imported("taken", "orders.log", "--name", "other")
    assert.equal(renamed.code, 2)
    assert.equal(renamed.json.error.code, "duplicate_name")
    assert.include(renamed.json.error.suggestion, "--name")
    assert.equal((await imported("taken", "orders.log", "--name", "a b")).json.error.code, "bad_name")
    assert.equal((await imported("taken", "orders.log", "--name", "orders-2")).code, 0)
    assert.equal(
      (await imported("taken", "orders.log", "--name", "orders-3")).json.error.code,
      "stream_exists"
    )
    const names = (await ask(folder.path, "list", "--data-dir", "taken")).json.result.pipelines
    assert.deepEqual(names.map(({ name }: { readonly name: string }) => name).sort(), ["orders-2", "other"])
    assert.equal((await run(folder.path, "run", "q.yaml", "--data-dir", "taken")).code, 0)
    assert.equal((await ask(folder.path, "verify", "--data-dir", "taken")).code, 0)
  })

  it("a tampered file is refused with its line, and leaves nothing", async () => {
    const good = lines("orders.log")
    const cases: ReadonlyArray<readonly [string, ReadonlyArray<string>, string, RegExp]> = [
      [
        "envelope",
        good.map((line, at) => (at === 5 ? line.replace('"by":"', '"by":"x') : line)),
        "broken_chain",
        /line 6: /
      ],
      [
        "payload in place",
        good.map((line, at) => (at === 1 ? line.replace("orders", "oxders") : line)),
        "broken_chain",
        /line 2: /
      ],
      [
        "time",
        good.map((line, at) => (at === 3 ? line.replace(/"at":(\d+)/, '"at":1$1') : line)),
        "broken_chain",
        /line 4: /
      ],
      ["missing", good.filter((_, at) => at !== 5), "broken_chain", /line 6: version 6 follows 4/],
      ["swapped", [...good.slice(0, 2), good[3]!, good[2]!, ...good.slice(4)], "broken_chain", /line 3: /],
      ["cut", good.slice(0, -1), "incomplete_history", /ends at version/],
      ["longer", [...good, good.at(-1)!], "broken_chain", /follows/],
      ["half a line", [...good.slice(0, -1), good.at(-1)!.slice(0, 40)], "not_an_export", /line \d+: /],
      ["no header", good.slice(1), "not_an_export", /header/],
      [
        "newer",
        [good[0]!.replace('"version":1', '"version":2'), ...good.slice(1)],
        "newer_export",
        /version 2/
      ],
      ["nothing", [], "not_an_export", /header/]
    ]
    for (const [name, content, code, message] of cases) {
      writeFileSync(path("bad.log"), content.join("\n"))
      const { code: exit, json } = await imported("bad", "bad.log")
      assert.equal(exit, 2, name)
      assert.equal(json.error.code, code, name)
      assert.match(json.error.message, message, name)
    }
    assert.equal((await imported("bad", "nowhere.log")).json.error.code, "file_unreadable")
    assert.deepEqual((await ask(folder.path, "list", "--data-dir", "bad")).json.result.pipelines, [])
    assert.equal((await imported("bad", "orders.log")).code, 0)
  }, 60_000)

  it("waits for nobody: who holds the folder is named", async () => {
    write(folder.path, live)
    const running = start(folder.path, "run", "live.yaml", "--data-dir", "held")
    try {
      while (!existsSync(path("held/holder.json"))) await new Promise((resolve) => setImmediate(resolve))
      const { code, json } = await imported("held", "orders.log")
      assert.equal(code, 3)
      assert.equal(json.error.code, "log_locked")
      assert.include(json.error.message, `process ${running.child.pid}`)
    } finally {
      running.child.kill("SIGKILL")
      await running.outcome
    }
  })
})

const server = await startPostgres()
afterAll(() => (typeof server === "string" ? undefined : server.stop()))

describe.runIf(typeof server !== "string")("import into a database", () => {
  if (typeof server === "string") return
  const into = (...args: ReadonlyArray<string>) =>
    ask(folder.path, ...args, "--database-url", server.url, "--data-dir", "unused")

  it("keeps the rules of a folder: proven first, all or nothing, once, and never the password", async () => {
    const good = lines("orders.log")
    writeFileSync(
      path("bad.log"),
      good.map((line, at) => (at === 5 ? line.replace('"by":"', '"by":"x') : line)).join("\n")
    )
    const answers = [
      await into("import", "bad.log"),
      await into("list"),
      await into("import", "orders.log"),
      await into("import", "orders.log", "--name", "again"),
      await into("verify")
    ] as const
    const [refused, empty, taken, again, verified] = answers
    assert.equal(refused.json.error.code, "broken_chain")
    assert.match(refused.json.error.message, /line 6: /)
    assert.deepEqual(empty.json.result.pipelines, [])
    const { id, events } = JSON.parse(good[0]!)
    assert.deepEqual(taken.json.result, { name: "orders", id, events })
    assert.equal(again.json.error.code, "stream_exists")
    assert.include(again.json.error.suggestion, "--database-url")
    assert.deepInclude(verified.json.result, { first_bad: null })
    for (const verb of [["events"], ["state"], ["dead-letters", "list"]]) {
      const [name = "", ...rest] = verb
      const before = await ask(folder.path, name, "orders", ...rest)
      const after = await into(name, "orders", ...rest)
      const comparable = (text: string): string => text.replaceAll(/"position":\d+,/g, "")
      assert.equal(comparable(after.stdout), comparable(before.stdout))
    }
    for (const { stderr, stdout } of answers) {
      for (const secret of [server.password, encodeURIComponent(server.password)]) {
        assert.notInclude(stdout + stderr, secret)
      }
    }
    assert.isFalse(existsSync(path("unused")))
  }, 60_000)

  it("waits for nobody: who holds the log is named", async () => {
    write(folder.path, live)
    const running = start(folder.path, "run", "live.yaml", "--database-url", server.url)
    try {
      while ((await into("events", "live")).code !== 0) assert.isNull(running.child.exitCode)
      const { code, json } = await into("import", "orders.log")
      assert.equal(code, 3)
      assert.equal(json.error.code, "log_locked")
      assert.include(json.error.message, `process ${running.child.pid}`)
    } finally {
      running.child.kill("SIGKILL")
      await running.outcome
    }
  }, 60_000)
})
