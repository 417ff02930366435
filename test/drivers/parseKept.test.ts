/**
 * Records out of the bytes their dead letters kept: as the file would give them today.
 *
 * @module
 */
import { writeFileSync } from "node:fs"
import { join } from "node:path"
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import type { Raw } from "../../events/PipelineEvent.ts"
import type { Source } from "../../src/drivers/Source.ts"
import { sourceIn, tempFolder } from "./support.ts"

const kept = (data: string): { readonly raw: Raw; readonly from: null } => ({
  raw: { encoding: "utf8", data, size: Buffer.byteLength(data) },
  from: null
})

/** A file of this content, and the parser of its source. */
const parserOf = Effect.fnUntraced(function* (name: string, content: string, config: object = {}) {
  const folder = yield* tempFolder
  writeFileSync(join(folder, name), content)
  const source: Source = yield* sourceIn(folder, { path: name, ...config })
  return (of: Parameters<NonNullable<Source["parse"]>>[0]) => source.parse!(of)
})

/** Every record of a file, with its bytes. */
const readAll = Effect.fnUntraced(function* (name: string, content: string, config: object = {}) {
  const folder = yield* tempFolder
  writeFileSync(join(folder, name), content)
  const source: Source = yield* sourceIn(folder, { path: name, ...config })
  const reader = yield* source.open(null)
  const batch = yield* reader.next({ records: 100, bytes: 1e6 })
  return { source, batch: batch! }
})

describe("a record that is parsed again", () => {
  const files: ReadonlyArray<readonly [string, string, object]> = [
    ["in.ndjson", '{"a":1}\r\n{broken\n[1,2]\n{"n":12345678901234567890}\n', {}],
    ["in.json", '[{"a":\n 1}, "two", {"b": [3]}]', {}],
    ["in.csv", 'id,text\n1,"a, ""b""\nc"\n2\n3,x"y\n"open\n', { types: { id: "integer" } }],
    ["bare.csv", "1;x\n2\n", { header: false, columns: ["id", "text"], delimiter: ";" }]
  ]
  for (const [name, content, config] of files) {
    it.effect(`is what the file gave (${name})`, () =>
      Effect.gen(function* () {
        const { batch, source } = yield* readAll(name, content, config)
        assert.isAbove(batch.records.length, 1)
        for (const [index, record] of batch.records.entries()) {
          const again = yield* source.parse!({ raw: batch.raw(index), from: null })
          // The words about broken JSON name a line where there is one.
          const { failure, ...rest } = again!
          assert.deepStrictEqual(rest, { payload: record.payload, metadata: record.metadata })
          assert.strictEqual(failure?.code, record.failure?.code)
        }
      }).pipe(Effect.scoped)
    )
  }

  it.effect("has what its source says of today: other types, other columns", () =>
    Effect.gen(function* () {
      const parse = yield* parserOf("in.csv", "id,text\n", { types: { id: "integer" } })
      const record = yield* parse(kept("7,x"))
      assert.deepStrictEqual(record?.payload, { id: 7, text: "x" })
      assert.strictEqual((yield* parse(kept("x,7")))?.failure?.code, "wrong_type")
    }).pipe(Effect.scoped)
  )

  it.effect("has the payload that takes its place, and the metadata of its file", () =>
    Effect.gen(function* () {
      const parse = yield* parserOf("in.ndjson", "{broken\n")
      const record = yield* parse({ ...kept("{broken"), edited: { payload: { a: 1 } } })
      assert.deepStrictEqual(record, { payload: { a: 1 }, metadata: { file: "in.ndjson" } })
    }).pipe(Effect.scoped)
  )

  it.effect("is one record, or none at all", () =>
    Effect.gen(function* () {
      const parse = yield* parserOf("in.ndjson", "{}\n")
      assert.strictEqual((yield* parse(kept("{}\n{}")))?.failure?.code, "not_one_record")
      assert.strictEqual((yield* parse(kept("")))?.failure?.code, "not_one_record")
      const bytes: Raw = {
        encoding: "base64",
        data: Buffer.from([0x22, 0xff, 0x22]).toString("base64"),
        size: 3
      }
      assert.strictEqual((yield* parse({ raw: bytes, from: null }))?.failure?.code, "not_utf8")
    }).pipe(Effect.scoped)
  )

  it.effect("of many files is told where its batch says which of them it is of", () =>
    Effect.gen(function* () {
      const folder = yield* tempFolder
      writeFileSync(join(folder, "a.csv"), "id\n1\n")
      writeFileSync(join(folder, "b.csv"), "name\nx\n")
      const source: Source = yield* sourceIn(folder, { path: "*.csv" })
      assert.isUndefined(yield* source.parse!(kept("1")))
      const record = yield* source.parse!({ ...kept("x"), from: { file: "b.csv", at: null } })
      assert.deepStrictEqual(record, { payload: { name: "x" }, metadata: { file: "b.csv" } })
    }).pipe(Effect.scoped)
  )
})
