import { once } from "node:events"
import { assert, it } from "vitest"
import { wordAtRest } from "../../src/cli/runWord.ts"
import { run, start, temporaryFolder } from "../process/CommandLine.ts"
import { ask, write } from "./commandLine.ts"

const at = (minute: number) => `2024-01-01T00:${String(minute).padStart(2, "0")}:00.000Z`

const windows = `name: hours
stages:
  in: { source: { use: file, path: in.ndjson }, event_time: { field: at } }
  counts: { from: in, aggregate: { window: { tumbling: 10m }, make: { n: count } } }
  store: { from: counts, sink: { use: file, path: out.ndjson } }
`

it("tells the dead letters of the run apart from those of all runs, and event time in ISO 8601", async () => {
  using folder = temporaryFolder()
  write(folder.path, { "in.ndjson": [{ at: at(1) }, { at: "?" }, { at: at(21) }], "hours.yaml": windows })
  await run(folder.path, "run", "hours.yaml")
  assert.match((await run(folder.path, "show", "hours")).stdout, /dead letters +1 +see /)
  await run(folder.path, "run", "hours.yaml")
  const { stdout } = await run(folder.path, "show", "hours")
  assert.match(stdout, /dead letters +1 in this run, in all 2 +see /)
  assert.match(stdout, /aggregated +2\n/)
  // The last window was closed by the end of the source, behind which there is no time.
  assert.match(stdout, /event time +in at its end\n/)
  const { json } = await ask(folder.path, "show", "hours")
  assert.deepEqual(json.result.event_time, { idle: [], watermarks: { in: null }, combined: null })
})

it("a run without an end that was stopped has not crashed", async () => {
  using folder = temporaryFolder()
  const definition = `name: follow
schedule: continuous
stages:
  in: { source: { use: file, path: in.ndjson } }
  store: { from: in, sink: { use: file, path: out.ndjson, mode: append } }
`
  write(folder.path, { "in.ndjson": [{ a: 1 }], "follow.yaml": definition })
  const following = start(folder.path, "run", "follow.yaml")
  await once(following.child.stderr!, "data")
  following.child.kill("SIGINT")
  assert.equal((await following.outcome).code, 0)
  const { stdout } = await run(folder.path, "show", "follow")
  assert.match(stdout, /run +Stopped\n/)
  assert.match(stdout, /stopped +2/)
  assert.notInclude(stdout, "✗")
})

it("a run that a person stopped is told apart from one that crashed, and where it goes on", async () => {
  using folder = temporaryFolder()
  const definition = `name: made
stages:
  in: { source: { use: generator, rate: 100 } }
  store: { from: in, sink: { use: file, path: out.ndjson } }
`
  write(folder.path, { "made.yaml": definition })
  const making = start(folder.path, "run", "made.yaml")
  await once(making.child.stderr!, "data")
  making.child.kill("SIGINT")
  await making.outcome
  const { stdout } = await run(folder.path, "show", "made")
  assert.match(stdout, /run +Stopped\n/)
  assert.match(stdout, /it was stopped before its end, and goes on where it stopped/)
  assert.notInclude(stdout, "✗")
  const { json } = await ask(folder.path, "show", "made")
  assert.equal(json.result.lifecycle, "Crashed")
})

it("a pipeline that is paused is not shown as crashed", () => {
  assert.equal(wordAtRest("Crashed", "Paused"), "Paused")
  assert.equal(wordAtRest("Crashed", "Unavailable"), "Crashed")
  assert.equal(wordAtRest("Completed", "Paused"), "Completed")
})
