import { afterAll, assert, beforeAll, beforeEach, describe, it } from "vitest"
import type { Run } from "../../src/api/Run.ts"
import { styleOf } from "../../src/cli/terminal.ts"
import { topLines } from "../../src/cli/topLines.ts"
import { type Row, rowsOf, type Sample, type Sampled, sorted } from "../../src/cli/topRows.ts"
import { run, temporaryFolder } from "../process/CommandLine.ts"
import { ask, assertPlain, pipeline, records, write } from "./commandLine.ts"
import { resource, startService, type TestService } from "./service.ts"

const one = (over: Partial<Sampled>): Sampled => ({
  name: "a",
  run: "r1",
  lifecycle: "Running",
  status: "Running",
  read: 0,
  applied: 0,
  deadLetters: 0,
  inFlight: 0,
  lagMs: null,
  watermark: null,
  isLeftBehind: false,
  ...over
})
const sample = (at: number, ...pipelines: ReadonlyArray<Partial<Sampled>>): Sample => ({
  at,
  pipelines: pipelines.map(one)
})
const speeds = (rows: ReadonlyArray<Row>) => rows.map((row) => [row.read_per_second, row.applied_per_second])

describe("the figures", () => {
  it("are what happened between two looks, of one run or of the next one from its beginning", () => {
    const before = sample(1000, { read: 100, applied: 50 })
    assert.deepEqual(speeds(rowsOf(before, sample(3000, { read: 500, applied: 51 }))), [[200, 0.5]])
    assert.deepEqual(speeds(rowsOf(before, sample(3000, { run: "r2", read: 30, applied: 20 }))), [[15, 10]])
    assert.deepEqual(speeds(rowsOf(before, sample(2000, { read: 90 }))), [[0, 0]], "a run that was set back")
    const both = sample(2000, { read: 150, applied: 50 }, { name: "b", read: 9 })
    assert.deepEqual(speeds(rowsOf(before, both)), [
      [50, 0],
      [null, null]
    ])
    assert.deepEqual(speeds(rowsOf(undefined, both)), [
      [null, null],
      [null, null]
    ])
  })

  it("stand in the order that is asked for, what is not known behind the rest", () => {
    const rows = rowsOf(undefined, sample(0, { name: "b", lagMs: 5 }, { name: "c" }, { name: "a", lagMs: 9 }))
    const names = (...args: [Parameters<typeof sorted>[1], boolean]) =>
      sorted(rows, ...args)
        .map(({ name }) => name)
        .join("")
    assert.deepEqual([names("lag", false), names("lag", true)], ["abc", "bac"])
    assert.deepEqual(
      [names("name", false), names("name", true), names("dead_letters", false)],
      ["abc", "cba", "abc"]
    )
  })
})

describe("the table", () => {
  const style = styleOf({ isTTY: false })
  const rows = rowsOf(
    undefined,
    sample(0, ...Array.from({ length: 50 }, (_, n) => ({ name: `p${n}\u001b[2J`, deadLetters: n })))
  )
  const view = { place: "here", rows, sorting: "dead_letters", isTurned: false, stale: null } as const

  it.each([0, 1, 3, 4, 5, 10, 52, 53, 54, 100])(
    "fits into %i lines, and says how many it leaves out",
    (lines) => {
      const told = topLines(view, { columns: 60, lines }, style)
      assert.isAtMost(told.length, lines)
      for (const line of told) {
        assert.isAtMost(line.length, 60)
        assertPlain(line)
      }
      const shown = told.filter((line) => line.startsWith("p")).length
      const left = /… and (\d+) pipelines? more/.exec(told.join("\n"))?.[1]
      if (lines >= 5) assert.equal(shown + Number(left ?? 0), 50)
      if (shown > 0) assert.match(told.find((line) => line.startsWith("p"))!, /^p49\\u001b/)
    }
  )

  it("says how old its figures are when nobody answers", () => {
    const told = topLines(
      { ...view, stale: { ageMs: 4200, why: "connection refused" } },
      { columns: 80, lines: 10 },
      style
    )
    assert.equal(told[1], "these figures are 4.2 s old: connection refused")
  })
})

describe("top", () => {
  const folder = temporaryFolder()
  let service: TestService
  beforeAll(async () => {
    service = await startService(folder.path)
  })
  afterAll(async () => {
    await service.close()
    folder[Symbol.dispose]()
  })
  beforeEach(() => {
    service.pipelines.clear()
    service.stats.clear()
  })

  it("tells a program the figures of a service", async () => {
    const lastRun: Run = {
      run: "r",
      outcome: "Running",
      trigger: "by hand",
      started_at: "2026-11-21T08:00:00.000Z",
      ended_at: null,
      resumes: 0,
      failure: null,
      read: 900,
      filtered: 0,
      unrouted: 0,
      dead_lettered: 2,
      applied: { a: 400, b: 3 },
      batches: 1
    }
    const progress = {
      read: 900,
      settled: 800,
      in_flight_batches: 1,
      ratio: null,
      records_per_second: 9,
      at: null
    }
    service.pipelines.set(
      "orders",
      resource("orders", {
        deployment_status: "Running",
        lifecycle: "Running",
        run: lastRun,
        progress
      })
    )
    service.pipelines.set("idle", resource("idle", { run: null, progress: null }))
    const stage = {
      stage: "a",
      batches: 1,
      records: 1,
      lag_ms_max: 80,
      lag_ms_mean: 20,
      retries: 0,
      duplicates: 0
    }
    const source = { source: "in", sealed_offset: 1, settled_offset: 1, progress: null }
    service.stats.set("orders", {
      stages: [
        { ...stage, lag_ms_last: 12 },
        { ...stage, stage: "b", lag_ms_last: 30 }
      ],
      sources: [
        { ...source, watermark: "2026-11-21T08:00:02.000Z" },
        { ...source, watermark: "2026-11-21T08:00:01.000Z" }
      ]
    })
    const { code, json } = await ask(folder.path, "top", "--url", service.url)
    assert.equal(code, 0)
    const still = { read_per_second: 0, applied_per_second: 0, left_behind: false }
    assert.deepEqual(json.result.pipelines, [
      {
        name: "orders",
        lifecycle: "Running",
        deployment_status: "Running",
        lag_ms: 30,
        dead_letters: 2,
        in_flight: 1,
        watermark: "2026-11-21T08:00:01.000Z",
        read: 900,
        applied: 403,
        ...still
      },
      {
        name: "idle",
        lifecycle: "Idle",
        deployment_status: "Shutdown",
        lag_ms: null,
        dead_letters: 0,
        in_flight: 0,
        watermark: null,
        read: 0,
        applied: 0,
        ...still
      }
    ])
    const { stdout } = await run(folder.path, "top", "--url", service.url, "--sort", "name")
    assertPlain(stdout)
    assert.match(
      stdout,
      /^2 pipelines of http:\/\/127\.0\.0\.1:\d+\n\nNAME↓ +RUN +STATUS +READ\/S .*\nidle .*\norders /
    )
  })

  it("reads a folder that nobody holds, and says when there is none", async () => {
    using other = temporaryFolder()
    const none = await ask(other.path, "top", "--once")
    assert.deepInclude(none.json.error, { code: "no_log" })
    assert.equal(none.code, 3)
    write(other.path, { "p.yaml": pipeline("p"), "in.ndjson": records(100) })
    await run(other.path, "run", "p.yaml")
    const { json } = await ask(other.path, "top")
    assert.deepInclude(json.result.pipelines[0], {
      name: "p",
      lifecycle: "Completed",
      read: 100,
      applied: 10,
      read_per_second: 0,
      lag_ms: null
    })
    const away = await ask(other.path, "top", "--url", "http://127.0.0.1:1")
    assert.equal(away.code, 3)
  })
})
