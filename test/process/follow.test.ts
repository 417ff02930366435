/**
 * A continuous pipeline on a file that is still being written, driven as a person would: appended to, killed,
 * started again, and asked to end.
 */
import { appendFileSync, readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { assert, it } from "vitest"
import { start, temporaryFolder } from "./CommandLine.ts"
import { type Marker, once } from "./Marker.ts"
import { inFolder } from "./Place.ts"

const file = `name: follow
schedule: continuous
stages:
  in: { source: { use: file, path: log.ndjson } }
  out: { from: in, sink: { use: file, path: out.ndjson, mode: append } }
runtime: { checkpoint_interval: 20ms }
`
const line = (n: number): string => `{"n":${n}}\n`
const lines = (count: number): string => Array.from({ length: count }, (_, n) => line(n + 1)).join("")

it("follows its file over a kill, and ends well when it is asked to", async () => {
  using folder = temporaryFolder()
  const path = (name: string): string => join(folder.path, name)
  writeFileSync(path("follow.yaml"), file)
  writeFileSync(path("log.ndjson"), line(1))
  const applied: Marker = { type: "StageApplied", count: 1 }
  const place = await inFolder(folder.path)
  /** Resolves when one more batch is applied than there was when this was asked. */
  const nextApplied = async () => {
    let tell = () => {}
    const told = new Promise<void>((resolve) => {
      tell = resolve
    })
    const watching = await once(place, applied, () => tell())
    return { told: told.then(() => watching.close()) }
  }

  const first = await nextApplied()
  const killed = start(folder.path, "run", "follow.yaml")
  await first.told
  const second = await nextApplied()
  appendFileSync(path("log.ndjson"), line(2))
  await second.told
  killed.child.kill("SIGKILL")
  await killed.outcome

  // Written while nobody looked, and a line that is not finished yet.
  appendFileSync(path("log.ndjson"), `${line(3)}{"n":`)
  const third = await nextApplied()
  const ended = start(folder.path, "run", "follow.yaml", "--json")
  await third.told
  const fourth = await nextApplied()
  appendFileSync(path("log.ndjson"), "4}\n")
  await fourth.told
  ended.child.kill("SIGINT")
  const { code, stdout } = await ended.outcome
  assert.strictEqual(code, 0)
  assert.isTrue(JSON.parse(stdout).ok)
  assert.strictEqual(readFileSync(path("out.ndjson"), "utf8"), lines(4))
})
