/**
 * Two real sources, fan-in by event time with late records, a lookup with misses, three conditional sinks,
 * windowed counts and a threshold that trips: killed again and again, and in the end exactly what plain code
 * makes of the same files.
 */
import { readFileSync } from "node:fs"
import { join } from "node:path"
import { assert, it } from "vitest"
import { run, temporaryFolder } from "./CommandLine.ts"
import { expected } from "./delays/expected.ts"
import { prepare } from "./delays/inputs.ts"
import { killAt } from "./Marker.ts"
import { inFolder } from "./Place.ts"

const markers = [
  { type: "BatchSealed", count: 3 },
  { type: "StageApplied", count: 20 },
  { type: "BatchSealed", count: 15 },
  { type: "StageApplied", count: 60 }
]

it("flights and bird strikes come out as plain code has them, however often the process is killed", {
  timeout: 240_000
}, async () => {
  using folder = temporaryFolder()
  const place = await inFolder(folder.path)
  prepare(folder.path)
  for (const marker of markers) {
    const life = await killAt(folder.path, place, marker, "run", "delays.yaml")
    assert.strictEqual(life.signal, "SIGKILL", life.stderr)
  }
  const tripped = await run(folder.path, "run", "delays.yaml", "--json")
  assert.strictEqual(tripped.code, 1, tripped.stderr)
  assert.match(tripped.stdout, /dead_letter_threshold/)
  const done = await run(folder.path, "run", "delays.yaml", "--json")
  assert.strictEqual(done.code, 0, done.stderr)

  const { all, costly, daily, late, letters, read } = expected(folder.path)
  const output = (name: string): ReadonlyArray<unknown> =>
    readFileSync(join(folder.path, "out", name), "utf8")
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line))
  assert.deepStrictEqual(output("all.ndjson"), all)
  assert.deepStrictEqual(output("costly.ndjson"), costly)
  assert.deepStrictEqual(output("daily.ndjson"), daily)
  assert.deepStrictEqual(
    readFileSync(join(folder.path, "out/late.csv"), "utf8")
      .trim()
      .split("\n")
      .slice(1)
      .map((line) => line.split(",").slice(0, 4)),
    late.map(({ amount, at, kind, place }) => [kind, at, place, String(amount)])
  )
  const { pipelines } = JSON.parse(done.stdout).result
  assert.strictEqual(pipelines[0].read, read)
  const listed = await run(folder.path, "dead-letters", "delays", "list", "--json", "--limit", "500")
  const codes: Record<string, number> = {}
  for (const { reason } of JSON.parse(listed.stdout).result.dead_letters) {
    codes[reason.code] = (codes[reason.code] ?? 0) + 1
  }
  assert.deepStrictEqual(codes, letters)
})
