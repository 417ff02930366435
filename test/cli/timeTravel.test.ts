import { afterAll, assert, beforeAll, describe, expect, it } from "vitest"
import { run, start, temporaryFolder } from "../process/CommandLine.ts"
import { ask, assertPlain, pipeline, records, write } from "./commandLine.ts"

const folder = temporaryFolder()
afterAll(() => folder[Symbol.dispose]())

beforeAll(async () => {
  write(folder.path, {
    "in.ndjson": records(50),
    "p.yaml": pipeline("orders", "schedule: { cron: 30 2 * * *, time_zone: Europe/Berlin }\n")
  })
  assert.equal((await run(folder.path, "run", "p.yaml")).code, 0)
})

const version = async (type: string): Promise<number> => {
  const { json } = await ask(folder.path, "events", "orders", "--type", type)
  return json.result.events[0].version
}

describe("diff", () => {
  it("answers with every difference between two versions", async () => {
    const started = await version("RunStarted")
    const { json } = await ask(folder.path, "diff", "orders", String(started - 1), String(started))
    assert.deepEqual(Object.keys(json.result), ["from", "to", "differences"])
    assert.deepEqual(
      json.result.differences.map(({ path }: { readonly path: string }) => path),
      ["/lifecycle", "/run"]
    )
    assert.deepEqual(json.result.differences[0], {
      path: "/lifecycle",
      before: "Triggered",
      after: "Running"
    })
    expect(json.result.from).toEqual({ version: started - 1, at: expect.stringMatching(/Z$/) })
  })

  it("takes times, and says when nothing is different", async () => {
    const { json } = await ask(folder.path, "diff", "orders", "2000-01-01", "2999-01-01")
    assert.deepInclude(json.result.from, { version: 0, at: null })
    const same = await run(folder.path, "diff", "orders", "2", "2")
    assert.match(same.stdout, /Nothing is different\.\n$/)
  })

  it("shows a person what was and what is", async () => {
    const { stdout } = await run(folder.path, "diff", "orders", "0", "9999-01-01")
    assertPlain(stdout)
    assert.match(stdout, /^from before its first event\nto {3}after event \d+, /)
    assert.match(stdout, /\n\/lifecycle\n {2}- "Idle"\n {2}\+ "Completed"\n/)
  })

  it("knows no version that is not there, and no other moment", async () => {
    const late = await ask(folder.path, "diff", "orders", "1", "9999")
    assert.equal(late.code, 2)
    assert.deepInclude(late.json.error, { code: "unknown_version" })
    assert.equal((await ask(folder.path, "diff", "orders", "soon", "1")).json.error.code, "bad_moment")
  })
})

describe("show --why", () => {
  it("answers with the events that led to each status", async () => {
    const { json } = await ask(folder.path, "show", "orders", "--why")
    const { deployment, desired, lifecycle, run } = json.result.why
    assert.equal(desired.value, "Shutdown")
    assert.deepEqual(
      lifecycle.because.map(({ follows, type }: { readonly follows: string; readonly type: string }) => [
        type,
        follows
      ]),
      [
        ["DesiredStatusSet", null],
        ["Triggered", "command"],
        ["RunStarted", "state"],
        ["Completed", "state"]
      ]
    )
    assert.deepEqual(run.because, lifecycle.because)
    assert.deepEqual(
      deployment.because.map(({ type }: { readonly type: string }) => type),
      ["DesiredStatusSet", "ShutdownStarted", "ShutDown"]
    )
    expect(deployment.because[0]).toEqual({
      version: expect.any(Number),
      at: expect.stringMatching(/Z$/),
      type: "DesiredStatusSet",
      by: expect.any(String),
      says: "wanted Shutdown: the run has ended",
      follows: null,
      event_id: expect.any(String),
      causation_id: null,
      correlation_id: expect.any(String)
    })
  })

  it("tells it as a story", async () => {
    const { stdout } = await run(folder.path, "show", "orders", "--why")
    assertPlain(stdout)
    assert.match(
      stdout,
      /\nits run is Completed\n.*wanted Running.*\n.*with it: triggered.*\n.*so: run \S+ started\n/
    )
  })
})

describe("schedule", () => {
  it("answers with the next ticks, as the clock on the wall shows them", async () => {
    const { json } = await ask(folder.path, "schedule", "orders", "--limit", "3")
    assert.deepInclude(json.result.schedule, { cron: "30 2 * * *", time_zone: "Europe/Berlin" })
    assert.equal(json.result.situation, "shutdown")
    assert.lengthOf(json.result.next, 3)
    expect(json.result.next[0]).toMatchObject({
      tick: expect.stringMatching(/:30:00\.000Z$/),
      local: expect.stringMatching(/T0[23]:30:00$/),
      time_zone: "Europe/Berlin"
    })
    assert.deepEqual(json.result.past, [])
  })

  it("tells a person that nothing will come of them now", async () => {
    const { stdout } = await run(folder.path, "schedule", "orders")
    assertPlain(stdout)
    assert.match(stdout, /it is shut down: ticks are skipped\n/)
  })
})

describe("beside a run", () => {
  it("every verb reads, takes no lock, and follows what happens", async () => {
    write(folder.path, {
      "slow.yaml": `name: slow
schedule: continuous
stages:
  tick: { source: { use: generator, rate: 50 } }
  shown: { from: tick, sink: { use: console, limit: 1 } }
`
    })
    const { child, outcome } = start(folder.path, "run", "slow.yaml")
    try {
      // It waits for the run to be there, and for the rest as it happens.
      await new Promise<void>((resolve) => child.stdout?.once("data", () => resolve()))
      const followed = await run(
        folder.path,
        "events",
        "slow",
        "-f",
        "--json",
        "--type",
        "StageApplied",
        "--limit",
        "2"
      )
      assert.lengthOf(followed.stdout.trimEnd().split("\n"), 2)
      for (const args of [
        ["schedule", "slow"],
        ["show", "slow", "--why"],
        ["state", "slow"],
        ["diff", "slow", "1", "2"]
      ]) {
        assert.equal((await ask(folder.path, ...args)).code, 0, args.join(" "))
      }
      assert.equal(
        (await ask(folder.path, "show", "slow", "--why")).json.result.why.lifecycle.value,
        "Running"
      )
    } finally {
      child.kill("SIGTERM")
      await outcome
    }
    assert.equal((await ask(folder.path, "verify")).code, 0)
  })
})
