import { existsSync, mkdirSync, rmSync } from "node:fs"
import { join } from "node:path"
import { DatabaseSync } from "node:sqlite"
import { afterAll, assert, beforeAll, describe, expect, it } from "vitest"
import { foldVersion as rosterFoldVersion } from "../../projections/Roster.ts"
import { run, temporaryFolder } from "../process/CommandLine.ts"
import { ask, assertPlain, pipeline, records, write } from "./commandLine.ts"

const folder = temporaryFolder()
afterAll(() => folder[Symbol.dispose]())

/** A run with two dead letters, one of which would like to paint the terminal. */
beforeAll(async () => {
  const text = `${records(50)
    .map((record) => JSON.stringify(record))
    .join("\n")}\n{"evil \u001b[31m\n{"broken\n`
  write(folder.path, { "in.ndjson": text, "p.yaml": pipeline("orders") })
  assert.equal((await run(folder.path, "run", "p.yaml")).code, 0)
})

describe("events", () => {
  it("answers with every event, its payload parsed", async () => {
    const { code, json } = await ask(folder.path, "events", "orders")
    assert.equal(code, 0)
    const { events } = json.result
    expect(events[0]).toEqual({
      version: 1,
      position: expect.any(Number),
      type: "Defined",
      at: expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/),
      by: expect.any(String),
      event_id: expect.any(String),
      epoch: 1,
      hash: expect.stringMatching(/^[0-9a-f]{64}$/),
      payload: expect.objectContaining({ _tag: "Defined", name: "orders" })
    })
    assert.deepEqual(
      events.map(({ version }: { readonly version: number }) => version),
      events.map((_: unknown, index: number) => index + 1)
    )
    assert.equal(events.at(-1).type, "ShutDown")
  })

  it("takes what was asked for", async () => {
    const { json } = await ask(
      folder.path,
      "events",
      "orders",
      "--after",
      "1",
      "--limit",
      "2",
      "--type",
      "Deployed,Resumed"
    )
    assert.deepEqual(
      json.result.events.map(({ type }: { readonly type: string }) => type),
      ["Deployed", "Resumed"]
    )
  })

  it("tells the story, one line an event", async () => {
    const { stdout } = await run(folder.path, "events", "orders")
    assertPlain(stdout)
    assert.match(stdout, /^ {5}1 {2}\S+Z {2}Defined/)
    assert.match(
      stdout,
      /BatchSealed +batch 0: 52 records of in from 0: 5 for store, 45 filtered, 2 dead letters\n/
    )
  })

  it("follows, one object a line", async () => {
    const { stdout } = await run(folder.path, "events", "orders", "--follow", "--json", "--limit", "3")
    const lines = stdout
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line))
    assert.deepEqual(
      lines.map(({ version }) => version),
      [1, 2, 3]
    )
  })
})

describe("list, show, state", () => {
  it("list", async () => {
    const { json } = await ask(folder.path, "list")
    expect(json.result).toEqual({
      owner: null,
      pipelines: [
        {
          name: "orders",
          id: expect.any(String),
          deployment_status: "Shutdown",
          deployment_desired_status: "Shutdown",
          lifecycle: "Completed",
          version: 1,
          left_behind: false,
          unreadable: null
        }
      ]
    })
  })

  it("show", async () => {
    const { json } = await ask(folder.path, "show", "orders")
    assert.deepInclude(json.result, {
      name: "orders",
      lifecycle: "Completed",
      dead_letters: 2,
      open_batches: 0
    })
    assert.deepInclude(json.result.run, {
      outcome: "Completed",
      read: 52,
      filtered: 45,
      dead_lettered: 2,
      resumes: 0
    })
    assert.deepInclude(json.result.checkpoints[0], { source: "in", offset: 52 })
    assertPlain((await run(folder.path, "show", "orders")).stdout)
  })

  it("state at a version, at a time, and where there was none", async () => {
    const third = await ask(folder.path, "state", "orders", "--at", "4")
    assert.deepInclude(third.json.result, { version: 4 })
    assert.equal(third.json.result.state.deployment, "Provisioning")
    const same = await ask(folder.path, "state", "orders", "--at", third.json.result.at)
    assert.isAtLeast(same.json.result.version, 4)
    const before = await ask(folder.path, "state", "orders", "--at", "2000-01-01")
    assert.deepInclude(before.json.result, { version: 0, at: null })
    assert.equal(
      (await ask(folder.path, "state", "orders", "--at", "9999")).json.error.code,
      "unknown_version"
    )
    assert.equal((await ask(folder.path, "state", "orders", "--at", "soon")).json.error.code, "bad_moment")
  })
})

describe("dead-letters", () => {
  it("list answers with every letter", async () => {
    const { json } = await ask(folder.path, "dead-letters", "orders", "list")
    assert.equal(json.result.total, 2)
    expect(json.result.dead_letters[1]).toEqual({
      id: "0.0.51",
      run: expect.any(String),
      stage: "in",
      source: "in",
      offset: 51,
      reason: { code: "malformed_json", message: expect.any(String) },
      attempts: 1,
      branches: ["store"],
      batch: 0,
      raw: { encoding: "utf8", data: '{"broken', size: 8 },
      redrives: 0,
      redriving: false
    })
    assert.equal(json.result.next, null)
    const one = await ask(folder.path, "dead-letters", "orders", "list", "--limit", "1")
    assert.equal(one.json.result.dead_letters.length, 1)
    assert.deepInclude(one.json.result, { total: 2, next: "0.0.50" })
    const rest = await ask(folder.path, "dead-letters", "orders", "list", "--after", "0.0.50")
    assert.deepEqual(rest.json.result.dead_letters, [json.result.dead_letters[1]])
  })

  it("shows a person the cause and the record, and never obeys the record", async () => {
    const listed = await run(folder.path, "dead-letters", "orders", "list")
    assertPlain(listed.stdout)
    assert.include(listed.stdout, '{"evil \\u001b[31m')
    const { stdout } = await run(folder.path, "dead-letters", "orders", "group")
    assertPlain(stdout)
    assert.match(stdout, /\d × malformed_json at in\n/)
    assert.include(stdout, '{"evil \\u001b[31m')
    const shown = await run(folder.path, "dead-letters", "orders", "show", "0.0.50")
    assertPlain(shown.stdout)
    assert.match(shown.stdout, /owed to +store/)
  })

  it("knows no other letter", async () => {
    const { code, json } = await ask(folder.path, "dead-letters", "orders", "show", "0.0.52")
    assert.equal(code, 2)
    assert.deepInclude(json.error, { code: "unknown_dead_letter", suggestion: "did you mean 0.0.50?" })
  })
})

describe("names", () => {
  it.each(["events", "show", "state", "verify", "graph"])("%s suggests the nearest one", async (verb) => {
    const { code, json } = await ask(folder.path, verb, "odrers")
    assert.equal(code, 2)
    assert.deepInclude(json.error, { code: "unknown_pipeline", suggestion: "did you mean orders?" })
  })

  it("a folder without a log is said to be one, and is left as it was", async () => {
    const empty = join(folder.path, "empty")
    mkdirSync(empty)
    const { code, json } = await ask(empty, "events", "orders", "--data-dir", "log")
    assert.equal(code, 3)
    assert.equal(json.error.code, "no_log")
    assert.deepEqual((await ask(empty, "list", "--data-dir", "log")).json.result.pipelines, [])
    assert.isFalse(existsSync(join(empty, "log")))
  })
})

describe("verify", () => {
  it("counts what is intact", async () => {
    const { json } = await ask(folder.path, "verify")
    assert.deepInclude(json.result, { streams: 2, first_bad: null })
    assert.equal((await ask(folder.path, "verify", "orders")).json.result.events, json.result.events - 1)
  })

  it("finds a roster that is not what the events fold to", async () => {
    const path = join(folder.path, "forged")
    const forge = async (where: "ahead" | "present", reason: RegExp) => {
      write(folder.path, { "forged/.gitkeep": "" })
      const from = new DatabaseSync(join(folder.path, ".millrace/millrace.db"))
      from.exec(`vacuum into '${join(path, "millrace.db")}'`)
      from.close()
      const database = new DatabaseSync(join(path, "millrace.db"))
      const { position } = database.prepare("select max(position) as position from events").get() as {
        readonly position: number
      }
      database
        .prepare("insert or replace into snapshots values ('$all', 'roster', ?, ?, ?)")
        .run(
          rosterFoldVersion,
          where === "ahead" ? position + 1 : position,
          '{"registrations":7,"entries":[]}'
        )
      database.close()
      const { code, json } = await ask(folder.path, "verify", "--data-dir", "forged")
      assert.equal(code, 1)
      assert.match(json.result.first_bad.reason, reason)
      rmSync(path, { recursive: true })
    }
    await forge("present", /the saved roster differs/)
    await forge("ahead", /the saved roster stands at position/)
  })

  it("names the first row in which one byte was changed", async () => {
    const copy = join(folder.path, "tampered")
    write(folder.path, { "tampered/.gitkeep": "" })
    const from = new DatabaseSync(join(folder.path, ".millrace/millrace.db"))
    from.exec(`vacuum into '${join(copy, "millrace.db")}'`)
    from.close()
    const database = new DatabaseSync(join(copy, "millrace.db"))
    for (const { name } of database.prepare("select name from sqlite_schema where type = 'trigger'").all()) {
      database.exec(`drop trigger "${name}"`)
    }
    database.exec(
      "update events set payload = replace(payload, 'Deployed', 'Deploxed') where type = 'Deployed'"
    )
    database.close()
    const { code, json, stderr } = await ask(folder.path, "verify", "--data-dir", "tampered")
    assert.equal(code, 1, stderr)
    assert.deepInclude(json.result.first_bad, { version: 6 })
    assert.match(json.result.first_bad.stream, /^pipeline\//)
    assert.match(json.result.first_bad.reason, /changed/)
    assert.match(
      (await run(folder.path, "verify", "--data-dir", "tampered")).stderr,
      /✗ log_not_intact\n.*version 6/
    )
  })
})
