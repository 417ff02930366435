/**
 * Letters whose bytes are not enough: their batch is read again, or the letter says why that is not possible.
 *
 * @module
 */
import { writeFileSync } from "node:fs"
import { join } from "node:path"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Schema } from "effect"
import { File, Millrace, Pipeline } from "../../../src/index.ts"
import { tempFolder } from "../../drivers/support.ts"

const Item = Schema.Struct({ id: Schema.Number })

const pipelineOf = (base: string, minimum: number) =>
  Pipeline.make("again", { base, runtime: { batchSize: 2 } }).pipe(
    Pipeline.source("in", File.ndjson("in.ndjson")),
    Pipeline.mapBy("shaped", Item, { id: `record.id >= ${minimum} ? record.id : null` }),
    Pipeline.sink("out", File.ndjson("out.ndjson", Item))
  )

/** The second record is larger than a letter keeps. */
const large = (filler: string) =>
  [{ id: 5 }, { id: 1, text: filler.repeat(300_000) }, { id: 6 }].map((row) => JSON.stringify(row)).join("\n")

const on = <A, E>(act: (base: string, millrace: Millrace["Service"]) => Effect.Effect<A, E>) =>
  Effect.gen(function* () {
    const base = yield* tempFolder
    writeFileSync(join(base, "in.ndjson"), large("x"))
    return yield* Effect.gen(function* () {
      const millrace = yield* Millrace
      yield* millrace.define(pipelineOf(base, 2))
      yield* millrace.run("again")
      const [letter] = yield* millrace.deadLetters("again")
      assert.deepInclude(letter, { id: "0.0.1", reason: letter!.reason })
      assert.strictEqual(letter?.raw.encoding, "omitted")
      return yield* act(base, millrace)
    }).pipe(Effect.provide(Millrace.layerMemory()))
  }).pipe(Effect.scoped)

describe("a letter without its bytes", () => {
  it.live("is redriven out of its source", () =>
    on((base, millrace) =>
      Effect.gen(function* () {
        yield* millrace.define(pipelineOf(base, 0))
        const [tried] = yield* millrace.dryRunRedrive("again", { letters: "all" })
        assert.deepStrictEqual(tried?.branches.out?.records, ['{"id":1}\n'])
        const [outcome] = yield* millrace.redrive("again", { letters: "all" })
        assert.strictEqual(outcome?.outcome, "left")
      })
    )
  )

  it.live("stays, and says so, when its source has changed", () =>
    on((base, millrace) =>
      Effect.gen(function* () {
        yield* millrace.define(pipelineOf(base, 0))
        writeFileSync(join(base, "in.ndjson"), large("y"))
        const [outcome] = yield* millrace.redrive("again", { letters: "all" })
        assert.deepInclude(outcome, { outcome: "nacked" })
        assert.strictEqual(outcome?.reason?.code, "source_changed")
        const edits = { "0.0.1": { id: 9 } }
        const [mended] = yield* millrace.redrive("again", { letters: ["0.0.1"], edits })
        assert.strictEqual(mended?.outcome, "left")
      })
    )
  )

  it.live("is refused where the definition has no way to a sink that is owed it", () =>
    on((base, millrace) =>
      Effect.gen(function* () {
        const other = Pipeline.make("again", { base }).pipe(
          Pipeline.source("in", File.ndjson("in.ndjson")),
          Pipeline.sink("elsewhere", File.ndjson("out.ndjson"))
        )
        yield* millrace.define(other)
        const refused = yield* Effect.flip(millrace.redrive("again", { letters: "all" }))
        assert.strictEqual("code" in refused ? refused.code : refused._tag, "stage_gone")
        assert.deepStrictEqual(yield* millrace.discard("again", "all", "no use"), ["0.0.1"])
        assert.deepStrictEqual(yield* millrace.deadLetters("again"), [])
        assert.strictEqual((yield* millrace.letter("again", "0.0.1")).status, "discarded")
      })
    )
  )
})
