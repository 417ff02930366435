import { rmSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Schema } from "effect"
import { TestClock } from "effect/testing"
import { fileLookup } from "../../src/drivers/file/FileLookup.ts"
import { codeOf, contextOf, tempFolder, vega } from "./support.ts"

const tableOf = (base: string, config: Readonly<Record<string, unknown>>, columns: ReadonlyArray<string>) =>
  Effect.flatMap(
    Effect.suspend(() =>
      fileLookup.make(Schema.decodeUnknownSync(fileLookup.config)(config), contextOf(base))
    ),
    (lookup) => lookup.open(columns)
  )

describe("file lookup", () => {
  it.effect("airports by their code", () =>
    Effect.gen(function* () {
      const table = yield* tableOf(process.cwd(), { path: vega("airports.csv") }, ["iata"])
      assert.strictEqual(table.size, 3376)
      assert.strictEqual(table.get(["LAX"])?.state, "CA")
      assert.isUndefined(table.get(["lax"]))
      assert.isUndefined(table.get([undefined]))
    })
  )

  it.effect("the first of equal keys, by the text of the JSON value, in every format", () =>
    Effect.gen(function* () {
      const folder = yield* tempFolder
      const rows = [
        { id: 1, as: "number" },
        { id: "1", as: "text" },
        { id: 1, as: "second" },
        { other: true }
      ]
      writeFileSync(join(folder, "a.json"), `\ufeff${JSON.stringify(rows)}`)
      writeFileSync(join(folder, "a.ndjson"), rows.map((row) => JSON.stringify(row)).join("\n"))
      for (const path of ["a.json", "a.ndjson"]) {
        const table = yield* tableOf(folder, { path }, ["id"])
        assert.strictEqual(table.get([1])?.as, "number")
        assert.strictEqual(table.get(["1"])?.as, "text")
        assert.deepStrictEqual(table.get([null]), { other: true })
      }
      writeFileSync(join(folder, "a.csv"), "x,y,z\n1,2,a\n1,3,b\n")
      const two = yield* tableOf(folder, { path: "a.csv", types: { x: "integer" } }, ["y", "x"])
      assert.strictEqual(two.get(["3", 1])?.z, "b")
    })
  )

  it.effect("with refresh the table follows its file, at most so often, and survives a slip", () =>
    Effect.gen(function* () {
      const folder = yield* tempFolder
      const path = join(folder, "a.csv")
      writeFileSync(path, "id,name\n1,old\n")
      const table = yield* tableOf(folder, { path: "a.csv", refresh: "30s" }, ["id"])
      const name = Effect.map(table.refreshed!, (now) => now.get(["1"])?.name)
      writeFileSync(path, "id,name\n1,newer\n")
      yield* TestClock.adjust("29 seconds")
      assert.strictEqual(yield* name, "old")
      yield* TestClock.adjust("1 second")
      assert.strictEqual(yield* name, "newer")
      rmSync(path)
      yield* TestClock.adjust("30 seconds")
      assert.strictEqual(yield* name, "newer")
      writeFileSync(path, "name\nno key\n")
      yield* TestClock.adjust("30 seconds")
      assert.strictEqual(yield* name, "newer")
      writeFileSync(path, "id,name\n1,newest\n")
      yield* TestClock.adjust("30 seconds")
      assert.strictEqual(yield* name, "newest")
      assert.isUndefined((yield* tableOf(folder, { path: "a.csv" }, ["id"])).refreshed)
    })
  )

  it.effect("what is wrong with a table is said when it is opened", () =>
    Effect.gen(function* () {
      const folder = yield* tempFolder
      writeFileSync(join(folder, "a.csv"), "iata,name\n1,2\n3,4\n")
      writeFileSync(join(folder, "a.json"), '{"no":"array"}')
      const wrong = yield* Effect.flip(tableOf(folder, { path: "a.csv" }, ["itaa"]))
      assert.deepStrictEqual(
        [wrong.reason.code, wrong.reason.suggestion],
        ["unknown_column", "did you mean iata?"]
      )
      assert.strictEqual(
        yield* codeOf(tableOf(folder, { path: "a.csv", max_rows: 1 }, ["iata"])),
        "lookup_too_large"
      )
      assert.strictEqual(yield* codeOf(tableOf(folder, { path: "a.json" }, ["no"])), "malformed_lookup")
      assert.strictEqual(yield* codeOf(tableOf(folder, { path: "b.csv" }, ["no"])), "file_not_found")
    })
  )
})
