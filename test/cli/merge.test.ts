import { readFileSync } from "node:fs"
import { join } from "node:path"
import { assert, expect, it } from "vitest"
import { run, temporaryFolder } from "../process/CommandLine.ts"
import { ask, write } from "./commandLine.ts"

const source = (path: string) =>
  `{ source: { use: file, path: ${path} }, event_time: { field: at, format: yyyy-MM-dd HH:mm, allowed_lateness: 7d } }`
const definition = `name: doors
stages:
  front: ${source("front.ndjson")}
  back: ${source("back.ndjson")}
  store: { from: [front, back], sink: { use: file, path: out.ndjson } }
merge: event_time
`
const at = (day: number, door: string) => ({ at: `2024-01-0${day} 08:00`, door })

it("two files become one in the order of their times, and a letter tells the file's own record", async () => {
  using folder = temporaryFolder()
  write(folder.path, {
    "front.ndjson": [at(1, "front"), at(4, "front"), at(3, "front")],
    "back.ndjson": [at(2, "back"), { at: "2024-02-30 08:00" }, at(4, "back"), at(5, "back")],
    "doors.yaml": definition
  })
  const { code, json } = await ask(folder.path, "run", "doors.yaml")
  assert.equal(code, 0)
  assert.deepInclude(json.result.pipelines[0], { read: 7, delivered: 6, dead_lettered: 1 })
  assert.deepEqual(
    readFileSync(join(folder.path, "out.ndjson"), "utf8")
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line)),
    [at(1, "front"), at(2, "back"), at(4, "front"), at(3, "front"), at(4, "back"), at(5, "back")]
  )
  const listed = await ask(folder.path, "dead-letters", "doors", "list")
  expect(listed.json.result.dead_letters).toEqual([
    expect.objectContaining({
      source: "front+back",
      offset: 2,
      stage: "back",
      branches: ["store"],
      origin: { source: "back", offset: 1 },
      reason: { code: "bad_event_time", message: expect.stringContaining("2024-02-30 08:00") }
    })
  ])
  const { stdout } = await run(folder.path, "dead-letters", "doors", "list")
  assert.include(stdout, "0.0.2  back record 1, owed to store")
  assert.include(stdout, "bad_event_time at back  at is ")
})
