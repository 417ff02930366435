/**
 * The promise of the house: SIGKILL at any moment, any number of times, and in the end the outputs are
 * byte for byte those of a run that nobody disturbed.
 *
 * @module
 */
import { mkdirSync, readdirSync, watch, writeFileSync } from "node:fs"
import { join } from "node:path"
import { assert, describe, it } from "vitest"
import { countEvents, digest, killAt, query, run, start, temporaryFolder } from "./CommandLine.ts"

const rows = 60_000
const runtime = "runtime: { batch_size: 100, checkpoint_interval: 20ms }"

/** NDJSON to NDJSON, with broken lines among the good ones. */
const ndjson = {
  name: "ndjson",
  outputs: ["out/late.ndjson"],
  prepare: (folder: string): void => {
    const line = (id: number) =>
      id % 5000 === 17
        ? `{"id": ${id}, broken`
        : JSON.stringify({ id, delay: (id * 7919) % 200, name: `f-${id}` })
    writeFileSync(
      join(folder, "in.ndjson"),
      Array.from({ length: rows }, (_, id) => `${line(id)}\n`).join("")
    )
    writeFileSync(
      join(folder, "pipeline.yaml"),
      `name: ndjson
stages:
  flights: { source: { use: file, path: in.ndjson, format: ndjson } }
  late: { from: flights, filter: record.delay > 60 }
  store: { from: late, sink: { use: file, path: out/late.ndjson, format: ndjson } }
${runtime}
`
    )
  }
}

/** CSV joined with a table, to CSV and NDJSON, the second behind a condition. */
const csv = {
  name: "csv",
  outputs: ["out/named.csv", "out/long.ndjson"],
  prepare: (folder: string): void => {
    const line = (id: number) => `${id},${(id * 31) % 300},"Place ${id % 7}, ""north"""\n`
    const body = Array.from({ length: rows }, (_, id) => line(id)).join("")
    writeFileSync(join(folder, "in.csv"), `id,delay,place\n${body}`)
    writeFileSync(join(folder, "bands.csv"), "band,label\n0,short\n1,medium\n2,long\n")
    writeFileSync(
      join(folder, "pipeline.yaml"),
      `name: csv
stages:
  in: { source: { use: file, path: in.csv, format: csv, types: { id: integer, delay: number } } }
  banded:
    from: in
    map:
      id: record.id
      place: record.place
      band: "record.delay > 200 ? '2' : record.delay > 100 ? '1' : '0'"
  named: { from: banded, lookup: { use: file, path: bands.csv, format: csv, match: { band: band }, take: [label] } }
  all: { from: named, sink: { use: file, path: out/named.csv, format: csv } }
  long:
    from: { stage: named, when: record.label == "long" }
    sink: { use: file, path: out/long.ndjson, format: ndjson }
${runtime}
`
    )
  }
}

/** Where each life of a pipeline ends. */
const markers = [
  { type: "RunStarted", count: 1 },
  { type: "BatchSealed", count: 1 },
  { type: "BatchSealed", count: 7 },
  { type: "StageApplied", count: 1 },
  { type: "BatchSealed", count: 40 },
  { type: "ReplayStarted", count: 1 },
  { type: "StageApplied", count: 30 },
  { type: "BatchSealed", count: 90 },
  { type: "StageApplied", count: 100 },
  // The last one is well before the end: a life that has logged its finish may complete before the signal comes.
  { type: "BatchSealed", count: 60 }
]

describe.each([ndjson, csv])("$name", ({ name, outputs, prepare }) => {
  it("is the same after ten kills", async () => {
    using calm = temporaryFolder()
    using rough = temporaryFolder()
    for (const { path } of [calm, rough]) prepare(path)
    const undisturbed = await run(calm.path, "run", "pipeline.yaml", "--json")
    assert.strictEqual(undisturbed.code, 0, undisturbed.stderr)

    let kills = 0
    for (const marker of markers) {
      const life = await killAt(rough.path, marker, "run", "pipeline.yaml")
      if (life.signal === "SIGKILL") kills++
      else assert.fail(`it ended before ${marker.count} more ${marker.type}: ${life.stderr}`)
    }
    assert.strictEqual(kills, markers.length)
    const resumed = await run(rough.path, "run", "pipeline.yaml", "--json")
    assert.strictEqual(resumed.code, 0, resumed.stderr)

    for (const output of outputs)
      assert.strictEqual(digest(join(rough.path, output)), digest(join(calm.path, output)))
    // Nothing is left behind: no partial file, no lock.
    assert.deepStrictEqual(
      readdirSync(join(rough.path, "out")).sort(),
      readdirSync(join(calm.path, "out")).sort()
    )
    assert.strictEqual((await run(rough.path, "verify", "--json")).code, 0)

    const before = JSON.parse(undisturbed.stdout).result.pipelines[0]
    const after = JSON.parse(resumed.stdout).result.pipelines[0]
    assert.isAbove(after.resumed_from, 0)
    for (const member of ["read", "filtered", "unrouted", "dead_lettered", "applied"]) {
      assert.deepStrictEqual(after[member], before[member], member)
    }
    assert.strictEqual(after.read, rows)
    assert.strictEqual(query(rough.path, "select 1 from events where type = 'Completed'").length, 1, name)
  })
})

describe("a second process", () => {
  it("is told who holds the data directory", async () => {
    using folder = temporaryFolder()
    mkdirSync(join(folder.path, ".millrace"))
    ndjson.prepare(folder.path)
    let second: Promise<Awaited<ReturnType<typeof run>>> | undefined
    const first = await stopAnd(folder.path, () => {
      second ??= run(folder.path, "run", "pipeline.yaml", "--json")
      return second
    })
    assert.isDefined(second)
    const refused = await second!
    assert.strictEqual(refused.code, 3, refused.stderr)
    assert.match(JSON.parse(refused.stdout).error.message, new RegExp(`process ${first.pid}`))
  })
})

/** Stops the first process in the middle of its run, lets the second try, then kills the first. */
const stopAnd = async (folder: string, meanwhile: () => Promise<unknown>) => {
  const { child, outcome } = start(folder, "run", "pipeline.yaml")
  let stopped = false
  const watching = watch(folder, { recursive: true }, () => {
    if (stopped || countEvents(folder, "BatchSealed") === 0) return
    stopped = true
    child.kill("SIGSTOP")
    void meanwhile().finally(() => child.kill("SIGKILL"))
  })
  await outcome
  watching.close()
  return { pid: child.pid }
}
