import { copyFileSync, readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { textParsers } from "../../src/drivers/file/parquet/parquetValue.ts"
import { essence, readAll, recordsOf, sourceSuite } from "../contracts/Driver.ts"
import { codeOf, sourceIn, sourceOver, tempFolder, vega } from "./support.ts"
import { type ParquetColumn, writeParquet } from "./writeParquet.ts"

const count = 1000
const rows = Array.from({ length: count }, (_, n) => n)
const columns: ReadonlyArray<ParquetColumn> = [
  { name: "n", type: 2, dictionary: false, values: rows.map((n) => (n === 700 ? 2n ** 60n : BigInt(n))) },
  {
    name: "kind",
    type: 6,
    converted: 0,
    dictionary: true,
    values: rows.map((n) => (n % 7 === 0 ? null : `k${n % 5} ü`))
  },
  { name: "value", type: 5, dictionary: false, values: rows.map((n) => (n % 11 === 0 ? null : n / 4)) },
  {
    name: "at",
    type: 2,
    converted: 10,
    dictionary: true,
    values: rows.map((n) => BigInt(n % 3) * 1_500_001n)
  },
  { name: "bytes", type: 6, dictionary: false, values: rows.map((n) => new Uint8Array([n % 256])) }
]
const written = writeParquet(columns, { groupRows: 300, pageRows: 64 })
const at = ["1970-01-01T00:00:00.000Z", "1970-01-01T00:00:01.500001Z", "1970-01-01T00:00:03.000002Z"]
const expected = rows.map((n) => ({
  n: n === 700 ? null : n,
  kind: n % 7 === 0 ? null : `k${n % 5} ü`,
  value: n % 11 === 0 ? null : n / 4,
  at: at[n % 3],
  bytes: Buffer.from([n % 256]).toString("base64")
}))
const all = { records: 1_000_000, bytes: Number.MAX_SAFE_INTEGER }

describe("Parquet source", () => {
  sourceSuite("written", sourceOver("a.parquet", written), count)

  it.effect("values become JSON, and one that cannot is its row's failure", () =>
    Effect.gen(function* () {
      const records = recordsOf(yield* readAll(yield* sourceOver("a.parquet", written), all))
      assert.deepStrictEqual(
        records.map((record) => record.payload),
        expected
      )
      assert.deepStrictEqual(
        records.flatMap((record, index) =>
          record.failure === undefined ? [] : [[index, record.failure.code]]
        ),
        [[700, "unsafe_integer"]]
      )
    })
  )

  it.effect("reads the columns that are named, in their order", () =>
    Effect.gen(function* () {
      const source = yield* sourceOver("a.parquet", written, { columns: ["value", "n"] })
      const [batch] = yield* readAll(source, { records: 2, bytes: 1e9 })
      assert.strictEqual(batch!.raw[1]!.data, '{"value":0.25,"n":1}')
      const wrong = yield* sourceOver("a.parquet", written, { columns: ["vlaue"] })
      const error = yield* Effect.flip(wrong.open(null))
      assert.strictEqual(error.reason.code, "unknown_column")
      assert.include(error.reason.suggestion, "value")
    })
  )

  it.effect("another file under the same name is refused", () =>
    Effect.gen(function* () {
      const folder = yield* tempFolder
      writeFileSync(join(folder, "a.parquet"), written)
      const source = yield* sourceIn(folder, { path: "a.parquet" })
      const [batch] = yield* readAll(source, { records: 10, bytes: 1e9 })
      writeFileSync(join(folder, "a.parquet"), writeParquet(columns, { groupRows: 200, pageRows: 64 }))
      assert.strictEqual(yield* codeOf(source.open(batch!.to)), "source_changed")
      assert.strictEqual(yield* codeOf(source.open(5)), "source_changed")
      writeFileSync(join(folder, "a.parquet"), "no parquet")
      assert.strictEqual(yield* codeOf(source.open(null)), "malformed_parquet")
    })
  )

  it.effect("bytes changed in place change the digest", () =>
    Effect.gen(function* () {
      const folder = yield* tempFolder
      const path = join(folder, "a.parquet")
      writeFileSync(path, written)
      const source = yield* sourceIn(folder, { path: "a.parquet" })
      const [before] = yield* readAll(source, { records: 10, bytes: 1e9 })
      const bytes = readFileSync(path)
      bytes[500]! ^= 1
      writeFileSync(path, bytes)
      const [after] = yield* readAll(source, { records: 10, bytes: 1e9 })
      assert.notStrictEqual(after!.digest, before!.digest)
    })
  )

  it("times keep their digits, before 1970 too", () => {
    assert.strictEqual(textParsers.timestampFromMicroseconds!(-1n), "1969-12-31T23:59:59.999999Z")
    assert.strictEqual(textParsers.timestampFromNanoseconds!(1_000_001n), "1970-01-01T00:00:00.001000001Z")
    assert.strictEqual(textParsers.dateFromDays!(-1), "1969-12-31")
  })
})

describe("three million flights", () => {
  const first = 272_727

  it.effect("resumes inside, at and across row groups", () =>
    Effect.gen(function* () {
      const folder = yield* tempFolder
      copyFileSync(vega("flights-3m.parquet"), join(folder, "flights.parquet"))
      const source = yield* sourceIn(folder, { path: "flights.parquet" })
      const reader = yield* source.open(null)
      const start = yield* reader.next({ records: first - 5, bytes: Number.MAX_SAFE_INTEGER })
      assert.deepStrictEqual(start!.records[0]!.payload, {
        date: "2001-01-01T00:01:00.000Z",
        delay: 33,
        distance: 2176,
        origin: "LAS",
        destination: "PHL"
      })
      const across = yield* reader.next({ records: 10, bytes: 1e9 })
      const behind = yield* reader.next({ records: 3, bytes: 1e9 })
      for (const [from, batch] of [
        [start!.to, across!],
        [across!.to, behind!]
      ] as const) {
        const again = yield* source.open(from)
        const limit = { records: batch.records.length, bytes: 1, exactly: true }
        assert.deepStrictEqual(essence((yield* again.next(limit))!), essence(batch))
      }
      assert.deepStrictEqual(reader.progress(), { done: first + 8, total: 3_000_000, unit: "rows" })
      const last = yield* source.open({ row: 2_999_999, footer: (start!.to as { footer: string }).footer })
      assert.strictEqual((yield* last.next(all))!.records.length, 1)
      assert.isNull(yield* last.next(all))
    })
  )
})
