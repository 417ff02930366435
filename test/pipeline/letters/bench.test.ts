/**
 * The dead-letter bench as an operator works at it: through the library, on SQLite and files, without a run.
 *
 * @module
 */
import { readdirSync, readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Schema } from "effect"
import { File, Millrace, Pipeline } from "../../../src/index.ts"
import { tempFolder } from "../../drivers/support.ts"

/** Of these six, row 1 lacks what the map reads, and row 3 is no JSON. */
const rows = [
  '{"id":0,"size":1}',
  '{"id":1}',
  '{"id":2,"size":3}',
  "{broken",
  '{"id":4,"size":5}',
  '{"id":5,"size":6}'
]

const Shaped = Schema.Struct({ id: Schema.Number, size: Schema.Number })

/** One output that is replaced, behind a map; one that grows, without it. */
const bench = (base: string, size = "record.size") =>
  Pipeline.make("bench", { base, runtime: { batchSize: 2, checkpointInterval: 0 } }).pipe(
    Pipeline.source("in", File.ndjson("in.ndjson")),
    Pipeline.sink("kept", File.ndjson("kept.ndjson", undefined, { mode: "append" })),
    Pipeline.from("in"),
    Pipeline.mapBy("shaped", Shaped, { id: "record.id", size }),
    Pipeline.sink("made", File.csv("made.csv", Shaped))
  )

const within = <A, E>(base: string, effect: Effect.Effect<A, E, Millrace>) =>
  Effect.provide(effect, Millrace.layerSqlite({ directory: join(base, "data"), by: "tester" }))

const ran = Effect.gen(function* () {
  const base = yield* tempFolder
  writeFileSync(join(base, "in.ndjson"), `${rows.join("\n")}\n`)
  yield* within(
    base,
    Effect.gen(function* () {
      const millrace = yield* Millrace
      yield* millrace.define(bench(base))
      const { state } = yield* millrace.run("bench")
      assert.strictEqual(state.lifecycle, "Completed")
    })
  )
  return base
})

const idsIn = (base: string, file: string): ReadonlyArray<number> =>
  readFileSync(join(base, file), "utf8")
    .split("\n")
    .filter((line) => line !== "" && !line.startsWith("id,"))
    .map((line) => (line.startsWith("{") ? JSON.parse(line).id : Number(line.split(",")[0])))

describe("the dead-letter bench", () => {
  it.live("redrives what a corrected definition can handle, into complete outputs", () =>
    Effect.gen(function* () {
      const base = yield* ran
      assert.deepStrictEqual(idsIn(base, "made.csv"), [0, 2, 4, 5])
      assert.deepStrictEqual(idsIn(base, "kept.ndjson"), [0, 1, 2, 4, 5])
      yield* within(
        base,
        Effect.gen(function* () {
          const millrace = yield* Millrace
          const before = yield* millrace.deadLetters("bench")
          assert.deepStrictEqual(
            before.map(({ branches, id }) => [id, branches.toSorted()]),
            [
              ["0.0.1", ["made"]],
              ["0.1.3", ["kept", "made"]]
            ]
          )
          yield* millrace.define(bench(base, "has(record.size) ? record.size : 0"))
          const outcomes = yield* millrace.redrive("bench", {
            letters: "all",
            reason: "size is optional now"
          })
          assert.deepStrictEqual(
            outcomes.map(({ branches, letter, n, outcome }) => [letter, n, outcome, branches]),
            [
              ["0.0.1", 1, "left", { made: "applied" }],
              ["0.1.3", 1, "nacked", { kept: "lettered", made: "lettered" }]
            ]
          )
          assert.strictEqual(outcomes[1]?.reason?.code, "malformed_json")
          assert.strictEqual((yield* millrace.state("bench")).deployment, "Shutdown")
        })
      )
      assert.deepStrictEqual(idsIn(base, "made.csv"), [0, 2, 4, 5, 1])
      assert.deepStrictEqual(idsIn(base, "kept.ndjson"), [0, 1, 2, 4, 5])
      assert.deepStrictEqual(
        readdirSync(base).filter((name) => name.endsWith(".partial")),
        []
      )
      yield* within(
        base,
        Effect.gen(function* () {
          const millrace = yield* Millrace
          const edits = { "0.1.3": { id: 3, size: 4 } }
          const tried = yield* millrace.dryRunRedrive("bench", { letters: ["0.1.3"], edits })
          assert.deepStrictEqual(
            tried.map(({ branches, outcome }) => [outcome, branches]),
            [
              [
                "delivered",
                {
                  kept: { outcome: "applied", records: ['{"id":3,"size":4}\n'] },
                  made: { outcome: "applied", records: ["3,4\n"] }
                }
              ]
            ]
          )
          const outcomes = yield* millrace.redrive("bench", { letters: ["0.1.3"], edits, reason: "mended" })
          assert.deepStrictEqual(
            outcomes.map(({ n, outcome }) => [n, outcome]),
            [[2, "left"]]
          )
          assert.deepStrictEqual(yield* millrace.deadLetters("bench"), [])
          const story = yield* millrace.letter("bench", "0.1.3")
          assert.strictEqual(story.status, "redriven")
          assert.strictEqual(story.raw.data, "{broken")
          assert.deepStrictEqual(
            story.reasons.map(({ n, reason }) => [n, reason.code]),
            [
              [0, "malformed_json"],
              [1, "malformed_json"]
            ]
          )
          assert.deepStrictEqual(
            story.redrives.map(({ by, edit, n, outcome, reason }) => [n, by, outcome, reason, edit?.payload]),
            [
              [1, "tester", "nacked", "size is optional now", undefined],
              [2, "tester", "left", "mended", { id: 3, size: 4 }]
            ]
          )
        })
      )
      assert.deepStrictEqual(idsIn(base, "made.csv"), [0, 2, 4, 5, 1, 3])
      assert.deepStrictEqual(idsIn(base, "kept.ndjson"), [0, 1, 2, 4, 5, 3])
    }).pipe(Effect.scoped)
  )

  it.live("an edit holds: the sinks that are owed the rest get the record the others have got", () =>
    Effect.gen(function* () {
      const base = yield* ran
      yield* within(
        base,
        Effect.gen(function* () {
          const millrace = yield* Millrace
          const letters = ["0.1.3"]
          const first = yield* millrace.redrive("bench", { letters, edits: { "0.1.3": { id: 33 } } })
          assert.deepStrictEqual(
            first.map(({ branches, outcome }) => [outcome, branches]),
            [["partly", { kept: "applied", made: "lettered" }]]
          )
          yield* millrace.define(bench(base, "has(record.size) ? record.size : 0"))
          const tried = yield* millrace.dryRunRedrive("bench", { letters })
          assert.deepStrictEqual(tried[0]?.branches, { made: { outcome: "applied", records: ["33,0\n"] } })
          yield* millrace.redrive("bench", { letters })
          const { redrives } = yield* millrace.letter("bench", "0.1.3")
          assert.deepStrictEqual(
            redrives.map(({ edit }) => edit?.payload),
            [{ id: 33 }, { id: 33 }]
          )
        })
      )
      assert.deepStrictEqual(idsIn(base, "kept.ndjson"), [0, 1, 2, 4, 5, 33])
      assert.deepStrictEqual(idsIn(base, "made.csv"), [0, 2, 4, 5, 33])
    }).pipe(Effect.scoped)
  )
})
