/**
 * Processes that are killed while they redrive dead letters: nothing is lost, nothing is doubled.
 *
 * @module
 */
import type { ChildProcess } from "node:child_process"
import { readFileSync } from "node:fs"
import { join } from "node:path"
import { assert, describe, it } from "vitest"
import { ask, write } from "../cli/commandLine.ts"
import { countEvents, start, temporaryFolder } from "./CommandLine.ts"
import { killAt } from "./Marker.ts"
import { inFolder } from "./Place.ts"

const letters = 120
const file = (size: string, mode: string): string => `name: p
stages:
  in: { source: { use: file, path: in.ndjson } }
  twice: { from: in, map: { id: record.id, size: "${size}" } }
  out: { from: twice, sink: { use: file, path: out.ndjson, mode: ${mode} } }
dead_letters: { window: 0 }
`
const records = Array.from({ length: letters + 30 }, (_, id) => ({ id, size: id < letters ? "n/a" : 1 }))

/** A folder with a run whose first records are dead letters, and the definition that can handle them. */
const afterRun = async (mode: string) => {
  const folder = temporaryFolder()
  write(folder.path, { "in.ndjson": records, "p.yaml": file("record.size * 2.0", mode) })
  await ask(folder.path, "run", "p.yaml")
  write(folder.path, { "p.yaml": file("type(record.size) == string ? 0.0 : record.size * 2.0", mode) })
  assert.equal((await ask(folder.path, "apply", "p.yaml")).code, 0)
  return folder
}

const wholeAndOnce = async (folder: string) => {
  const ids = readFileSync(join(folder, "out.ndjson"), "utf8")
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line).id)
  assert.deepEqual(
    ids.toSorted((a, b) => a - b),
    records.map(({ id }) => id)
  )
  const listed = await ask(folder, "dead-letters", "p", "list")
  assert.equal(listed.json.result.total, 0)
  assert.equal((await ask(folder, "verify")).code, 0)
}

/** Where a service answers, once it does. */
const addressOf = (child: ChildProcess): Promise<string> =>
  new Promise((resolve, reject) => {
    child.stdout?.on("data", (text: string) => {
      const [url] = /http:\/\/[^\s/]+/.exec(text) ?? []
      if (url !== undefined) resolve(url)
    })
    child.on("close", () => reject(new Error("the service has ended")))
  })

describe("redrives of a folder", () => {
  it.each([
    ["replace", ["RedriveRequested", "RedriveSealed", "RedriveApplied"]],
    ["append", ["RedriveSealed"]]
  ] as const)(
    "that are killed go on with the same verb, into a file to %s",
    { timeout: 240_000 },
    async (mode, kills) => {
      using folder = await afterRun(mode)
      const place = await inFolder(folder.path)
      const redrive = ["dead-letters", "p", "redrive", "--all", "--rate", "300"]
      for (const type of kills) {
        const count = type === "RedriveRequested" ? 1 : 11
        const { signal } = await killAt(folder.path, place, { type, count }, ...redrive)
        assert.equal(signal, "SIGKILL", type)
      }
      const left = (await ask(folder.path, "dead-letters", "p", "list")).json.result
      assert.isAbove(left.total, 0, "there is something left to do")
      const done = await ask(folder.path, ...redrive)
      assert.equal(done.code, 0)
      assert.deepInclude(done.json.result, { open: 0, nacked: 0, requested: letters, applied: letters })
      assert.equal(countEvents(folder.path, "RedriveRequested"), 1, "what was asked for goes on")
      await wholeAndOnce(folder.path)
    }
  )

  it("that are killed are taken up by a service", { timeout: 240_000 }, async () => {
    using folder = await afterRun("replace")
    const place = await inFolder(folder.path)
    const redrive = ["dead-letters", "p", "redrive", "--all", "--rate", "300"]
    await killAt(folder.path, place, { type: "RedriveSealed", count: 20 }, ...redrive)
    const { child, outcome } = start(folder.path, "serve", "--port", "0")
    try {
      const url = await addressOf(child)
      // Whatever was asked for, from the beginning of the log.
      const redrives = `${url}/v0/pipelines/p/dead_letters/redrives/0-1000000`
      let progress = { settled: false, applied: 0 }
      while (!progress.settled) progress = (await (await fetch(redrives)).json()) as typeof progress
      assert.equal(progress.applied, letters)
    } finally {
      child.kill("SIGTERM")
    }
    assert.equal((await outcome).code, 0)
    await wholeAndOnce(folder.path)
  })
})
