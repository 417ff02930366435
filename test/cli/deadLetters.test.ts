import { readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { assert, describe, expect, it } from "vitest"
import { countEvents, run, temporaryFolder } from "../process/CommandLine.ts"
import { ask, assertPlain, write } from "./commandLine.ts"

/** Every tenth record is no JSON, every fifth of the others has a text where a number is wanted. */
const lines = (count: number): string =>
  Array.from({ length: count }, (_, id) =>
    id % 10 === 3 ? `{broken ${id}\u001b[31m` : JSON.stringify({ id, size: id % 5 === 0 ? "n/a" : id })
  )
    .map((line) => `${line}\n`)
    .join("")

const file = (size: string): string => `name: orders
stages:
  in: { source: { use: file, path: in.ndjson } }
  twice: { from: in, map: { id: record.id, size: "${size}" } }
  some: { from: twice, filter: record.size != 4.0 }
  store: { from: some, sink: { use: file, path: out.ndjson } }
dead_letters: { window: 0 }
`
const wrong = "record.size * 2"
const right = "type(record.size) == string ? -1.0 : record.size * 2.0"

/** A folder after one run with bad records: 0, 5, 10, 15 by their size, 3 and 13 by their form. */
const afterRun = async () => {
  const folder = temporaryFolder()
  write(folder.path, { "in.ndjson": lines(20), "p.yaml": file(wrong) })
  await ask(folder.path, "run", "p.yaml")
  const bench = (...args: ReadonlyArray<string>) => ask(folder.path, "dead-letters", "orders", ...args)
  const ids = (): ReadonlyArray<number> =>
    readFileSync(join(folder.path, "out.ndjson"), "utf8")
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line).id)
  return { folder: folder.path, bench, ids, [Symbol.dispose]: folder[Symbol.dispose] }
}

describe("the dead-letter bench", { timeout: 240_000 }, () => {
  it("mends what can be mended, lets go what cannot, and the log tells the story", async () => {
    using place = await afterRun()
    const { bench, folder, ids } = place
    const before = ids()
    const grouped = (await bench("group")).json.result
    expect(grouped).toEqual({
      causes: [
        {
          code: "expression_failed",
          stage: "twice",
          message: expect.stringContaining("size: "),
          count: 4,
          redriving: 0,
          first: { id: "0.0.0", at: expect.any(String) },
          last: { id: "0.0.15", at: expect.any(String) },
          example: expect.objectContaining({ id: "0.0.0", redrives: 0, redriving: false })
        },
        expect.objectContaining({ code: "malformed_json", stage: "in", count: 2 })
      ],
      total: 6,
      omitted: 0
    })
    assert.include(grouped.causes[1].message, "position …")

    write(folder, { "p.yaml": file(right) })
    assert.equal((await ask(folder, "apply", "p.yaml")).code, 0)
    const events = countEvents(folder, "RedriveRequested")
    const tried = (await bench("redrive", "--all", "--dry-run")).json.result
    assert.deepInclude(tried, { dry_run: true, total: 6, tried: 6 })
    expect(tried.dead_letters[0]).toEqual({
      letter: "0.0.0",
      outcome: "delivered",
      branches: { store: { outcome: "applied", count: 1, records: ['{"id":0,"size":-1}\n'] } },
      stage: null,
      reason: null,
      changes: []
    })
    expect(tried.dead_letters[1]).toMatchObject({
      letter: "0.0.3",
      outcome: "lettered",
      branches: { store: { outcome: "lettered", count: 0, records: [] } },
      stage: "in",
      reason: { code: "malformed_json" }
    })
    assert.deepEqual([ids(), countEvents(folder, "RedriveRequested")], [before, events], "nothing was done")

    const edited = await bench("redrive", "--edit", '0.0.3={"id":3,"size":3}', "--reason", "sent again")
    assert.deepInclude(edited.json.result, { requested: 1, applied: 1, nacked: 0, open: 0, waited: true })
    const all = await bench("redrive", "--all")
    assert.deepEqual([all.code, all.json.error.code], [1, "nacked_again"])
    expect(all.json.result).toEqual({
      dry_run: false,
      waited: true,
      redrives: [expect.stringMatching(/^\d+-\d+$/)],
      requested: 5,
      applied: 4,
      filtered: 0,
      partly: 0,
      nacked: 1,
      open: 0,
      withdrawn: 0,
      discarded: 0,
      outcomes: [
        {
          letter: "0.0.13",
          redrive: 1,
          outcome: "nacked",
          branches: { store: "lettered" },
          reason: expect.objectContaining({ code: "malformed_json" })
        }
      ]
    })
    const discarded = await bench("discard", "0.0.13", "--reason", "a test record")
    assert.deepEqual(discarded.json.result, { discarded: 1, letters: ["0.0.13"] })

    assert.deepEqual((await bench("list")).json.result, { dead_letters: [], total: 0, next: null })
    assert.deepEqual(ids(), [...before, 3, 0, 5, 10, 15], "nothing is doubled")
    const told = await run(folder, "events", "orders")
    assert.match(told.stdout, /RedriveApplied .*dead letter 0\.0\.3, redrive 1/)
    assert.match(told.stdout, /DeadLettersDiscarded .*0\.0\.13 .*a test record/)
    assert.include((await ask(folder, "verify")).json.result, { first_bad: null })
    assert.equal((await run(folder, "show", "orders", "--why")).code, 0)
  })

  it("tells the story of one letter, escaped, with what was changed", async () => {
    using place = await afterRun()
    const { bench, folder } = place
    const reason = ["--reason", "by hand"]
    await bench("redrive", "0.0.5", ...reason)
    await bench("redrive", "0.0.5", "--set", "size=7", ...reason)
    const { dead_letter: letter } = (await bench("show", "0.0.5")).json.result
    expect(letter).toEqual({
      id: "0.0.5",
      run: expect.any(String),
      stage: "twice",
      source: "in",
      offset: 5,
      reason: expect.objectContaining({ code: "expression_failed" }),
      attempts: 2,
      branches: [],
      batch: 0,
      raw: { encoding: "utf8", data: '{"id":5,"size":"n/a"}', size: 21 },
      redrives: 2,
      redriving: false,
      status: "redriven",
      reasons: [
        expect.objectContaining({ redrive: 0, stage: "twice", branches: ["store"] }),
        expect.objectContaining({ redrive: 1 })
      ],
      history: [
        expect.objectContaining({
          redrive: 1,
          reason: "by hand",
          edit: null,
          outcome: "nacked",
          branches: { store: "lettered" }
        }),
        expect.objectContaining({
          redrive: 2,
          outcome: "left",
          branches: { store: "applied" },
          edit: {
            payload: { id: 5, size: 7 },
            changes: [{ path: "/size", before: "n/a", after: 7 }]
          }
        })
      ],
      discarded: null
    })
    const { stdout } = await run(folder, "dead-letters", "orders", "show", "0.0.5")
    assertPlain(stdout)
    assert.match(stdout, /has left: redriven/)
    assert.match(stdout, /redrive 1 asked for by .*: by hand\n.*✗ expression_failed at twice, redrive 1/)
    assert.match(stdout, /\/size\n {6}- "n\/a"\n {6}\+ 7\n.*redrive 2: applied to store/)
    for (const view of [["list"], ["group"], ["show", "0.0.3"], ["redrive", "--all", "--dry-run"]]) {
      const shown = await run(folder, "dead-letters", "orders", ...view)
      assert.equal(shown.code, 0)
      assertPlain(shown.stdout)
    }
  })

  it("takes letters by what they have in common, and pages", async () => {
    using place = await afterRun()
    const { bench } = place
    const page = (await bench("list", "--limit", "2", "--code", "expression_failed")).json.result
    assert.deepEqual([page.total, page.next], [4, "0.0.5"])
    const rest = (await bench("list", "--code", "expression_failed", "--after", page.next)).json.result
    assert.deepEqual(
      [rest.dead_letters.map((letter: { id: string }) => letter.id), rest.next],
      [["0.0.10", "0.0.15"], null]
    )
    assert.equal((await bench("list", "--stage", "in", "--source", "in")).json.result.total, 2)
    assert.equal((await bench("list", "--run", page.dead_letters[0].run)).json.result.total, 6)
    assert.equal((await bench("list", "--run", "another")).json.result.total, 0)
    const set = await bench("redrive", "--stage", "twice", "--set", "size=2", "--rate", "1000")
    assert.deepInclude(set.json.result, { requested: 4, applied: 0, filtered: 4, nacked: 0 })
    assert.equal(
      (await bench("discard", "--code", "malformed_json", "--reason", "r")).json.result.discarded,
      2
    )
    const none = await bench("redrive", "--all")
    assert.deepEqual([none.code, none.json.result.requested], [0, 0])
  })

  it("leaves what it does not wait for in the log, where it can be taken back or goes on", async () => {
    using place = await afterRun()
    const { bench, ids } = place
    const before = ids()
    const asked = (await bench("redrive", "--code", "expression_failed", "--rate", "1", "--no-wait")).json
      .result
    assert.deepInclude(asked, { waited: false, requested: 4, next: null })
    const listed = (await bench("list", "--code", "expression_failed")).json.result.dead_letters
    assert.includeMembers(
      listed.map(({ redriving }: { redriving: boolean }) => redriving),
      [true]
    )
    const busy = await bench("redrive", "0.0.15")
    assert.deepEqual([busy.code, busy.json.error.code], [1, "redrive_open"])
    // What has begun at that rate by now is not to be taken back; the rest is.
    const { withdrawn } = (await bench("withdraw", "--reason", "later")).json.result
    assert.isAtLeast(withdrawn, 2)
    assert.equal((await bench("withdraw")).json.result.withdrawn, 0)
    const rest = await bench("redrive", "--stage", "twice", "--set", "size=9")
    assert.deepInclude(rest.json.result, { nacked: 0, open: 0 })
    assert.equal((await bench("list", "--stage", "twice")).json.result.total, 0)
    assert.sameMembers([...ids()].slice(before.length), [0, 5, 10, 15])
  })

  it("refuses what was typed wrongly, and does nothing of it", async () => {
    using place = await afterRun()
    const { bench, folder } = place
    writeFileSync(join(folder, "edit.json"), "{no")
    for (const [args, code] of [
      [["redrive"], "usage"],
      [["redrive", "0.0.3", "--all"], "usage"],
      [["redrive", "--all", "--limit", "2"], "usage"],
      [["redrive", "0.0.3", "0.0.4"], "unknown_dead_letter"],
      [["redrive", "0.0.3", "--edit", "0.0.5={}"], "unknown_dead_letter"],
      [["redrive", "--edit", "0.0.5"], "usage"],
      [["redrive", "--edit", "0.0.5={"], "bad_edit"],
      [["redrive", "--edit", "0.0.5=@edit.json"], "bad_edit"],
      [["redrive", "--edit", "0.0.5=@none.json"], "file_not_found"],
      [["redrive", "--stage", "in", "--set", "size=1"], "unknown_dead_letter"],
      [["redrive", "--all", "--after", "first"], "bad_request"],
      [["discard", "0.0.3"], "usage"],
      [["discard", "0.0.9", "--reason", "r"], "unknown_dead_letter"],
      [["withdraw", "--stage", "in"], "usage"],
      [["show"], "usage"],
      [["show", "9"], "unknown_dead_letter"]
    ] as const) {
      const { code: exit, json } = await bench(...args)
      assert.deepEqual([exit, json.error.code], [2, code], args.join(" "))
      assert.isString(json.error.suggestion, args.join(" "))
    }
    const near = await bench("redrive", "0.0.4")
    assert.equal(near.json.error.suggestion, "did you mean 0.0.0?")
    assert.equal(countEvents(folder, "RedriveRequested") + countEvents(folder, "DeadLettersDiscarded"), 0)
  })
})
