import { appendFileSync, truncateSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { createGzip, gzipSync } from "node:zlib"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Schema } from "effect"
import { fileSource } from "../../src/drivers/file/FileSource.ts"
import { essence, readAll, recordsOf, sourceSuite } from "../contracts/Driver.ts"
import { codeOf, movies, sinkIn, sourceIn, sourceOver, tempFolder, vegaText } from "./support.ts"

const all = { records: 1_000_000, bytes: Number.MAX_SAFE_INTEGER }

const lines = (count: number): string =>
  Array.from({ length: count }, (_, n) => `{"n":${n},"t":"${String(n * 2654435761).repeat(5)}"}\n`).join("")

/** Members that begin in the middle of lines, and the padding of tape archives behind them. */
const members = (text: string): Uint8Array => {
  const size = Math.ceil(text.length / 5)
  const parts = Array.from({ length: 5 }, (_, n) => gzipSync(text.slice(n * size, (n + 1) * size)))
  return Buffer.concat([...parts, Buffer.alloc(512)])
}

describe("gzip", () => {
  sourceSuite("NDJSON", sourceOver("movies.ndjson.gz", gzipSync(movies())), 3201)
  sourceSuite("several members", sourceOver("movies.jsonl.GZ", members(movies())), 3201)
  sourceSuite("CSV", sourceOver("airports.csv.gz", gzipSync(vegaText("airports.csv"))), 3376)
  sourceSuite("JSON", sourceOver("movies.json.gz", members(vegaText("movies.json"))), 3201)
  sourceSuite(
    "no extension",
    sourceOver("tail", gzipSync('{"a":1}\n{"a":2}\n\n \n'), { format: "ndjson", compression: "gzip" }),
    2
  )

  it.effect("reads what is inside, and counts what is outside", () =>
    Effect.gen(function* () {
      const text = lines(100_000)
      const packed = gzipSync(text)
      const source = yield* sourceOver("a.ndjson.gz", packed)
      const plain = yield* sourceOver("a.ndjson", text)
      const reader = yield* source.open(null)
      assert.deepStrictEqual(reader.progress().total, packed.length)
      const [batch] = yield* readAll(source, all)
      const [expected] = yield* readAll(plain, all)
      assert.strictEqual(batch!.digest, expected!.digest)
      assert.deepStrictEqual(
        batch!.records.map((record) => record.payload),
        expected!.records.map((record) => record.payload)
      )
      while ((yield* reader.next({ records: 10_000, bytes: 1e9 })) !== null);
      assert.deepStrictEqual(reader.progress(), { done: packed.length, total: packed.length, unit: "bytes" })
    })
  )

  it.effect("resumes deep inside, header and all, and reads a sealed range again", () =>
    Effect.gen(function* () {
      const rows = Array.from({ length: 200_000 }, (_, n) => `${n},${"x".repeat(n % 50)}`).join("\n")
      const source = yield* sourceOver("a.csv.gz", members(`id,text\n${rows}\n`))
      const reader = yield* source.open(null)
      yield* reader.next({ records: 150_000, bytes: Number.MAX_SAFE_INTEGER })
      const before = yield* reader.next({ records: 100, bytes: 1e9 })
      const sealed = yield* reader.next({ records: 1000, bytes: 1e9 })
      const again = yield* source.open(before!.to)
      const limit = { records: 1000, bytes: 1, exactly: true }
      assert.deepStrictEqual(essence((yield* again.next(limit))!), essence(sealed!))
      assert.deepInclude(sealed!.records[0]!.payload, { id: "150100" })
    })
  )

  it.effect("a file cut off gives every record before the cut, then says so", () =>
    Effect.gen(function* () {
      const folder = yield* tempFolder
      const path = join(folder, "a.ndjson.gz")
      const packed = gzipSync(lines(50_000))
      writeFileSync(path, packed)
      truncateSync(path, Math.floor(packed.length / 2))
      const source = yield* sourceIn(folder, { path: "a.ndjson.gz" })
      const reader = yield* source.open(null)
      let count = 0
      let last: unknown
      const error = yield* Effect.flip(
        Effect.gen(function* () {
          for (;;) {
            const batch = yield* reader.next({ records: 1000, bytes: 1e9 })
            for (const { payload } of batch!.records) {
              assert.strictEqual((payload as { n: number }).n, count++)
            }
            last = batch!.to
          }
        })
      )
      assert.strictEqual(error.reason.code, "corrupt_gzip")
      assert.isFalse(error.isRetryable)
      assert.isAbove(count, 20_000)
      assert.strictEqual(yield* codeOf(reader.next(all)), "corrupt_gzip")
      // The copy is finished: the reading goes on where it stood.
      writeFileSync(path, packed)
      const [rest] = yield* readAll(source, all, last as never)
      assert.strictEqual((rest!.records[0]!.payload as { n: number }).n, count)
      assert.strictEqual(rest!.records.length, 50_000 - count)
    })
  )

  it.effect("damage is never taken for the end", () =>
    Effect.gen(function* () {
      const whole = gzipSync(lines(30_000))
      const flipped = Buffer.from(whole)
      flipped[flipped.length - 6]! ^= 1
      const second = Buffer.concat([whole, Buffer.from([0x1f, 0x8c]), gzipSync(lines(10)).subarray(2)])
      const padded = Buffer.concat([whole, Buffer.alloc(64), gzipSync(lines(10))])
      for (const [name, content] of [
        ["checksum", flipped],
        ["second member", second],
        ["behind padding", padded],
        [
          "in the middle",
          Buffer.concat([whole.subarray(0, 5000), Buffer.alloc(5000, 7), whole.subarray(10_000)])
        ]
      ] as const) {
        const source = yield* sourceOver("a.ndjson.gz", content)
        assert.strictEqual(
          yield* codeOf(readAll(source, { records: 1000, bytes: 1e9 })),
          "corrupt_gzip",
          name
        )
      }
      const plain = yield* sourceOver("a.ndjson.gz", '{"a":1}\n')
      assert.strictEqual(yield* codeOf(plain.open(null)), "corrupt_gzip")
      assert.strictEqual(yield* codeOf((yield* sourceOver("a.ndjson.gz", "")).open(null)), "corrupt_gzip")
      const named = yield* sourceOver("a.ndjson.gz", '{"a":1}\n', { compression: "none" })
      assert.strictEqual(recordsOf(yield* readAll(named, all)).length, 1)
    })
  )

  it.effect("corruption inside a quoted field or an element is met, not waited for", () =>
    Effect.gen(function* () {
      const noise = Array.from({ length: 400_000 }, (_, n) => (n * 2654435761).toString(36)).join("")
      for (const [name, text] of [
        ["a.csv.gz", `a,b\n1,2\n"x\n${noise}\n${noise}`],
        ["a.json.gz", `[1,"${noise}`],
        ["a.ndjson.gz", `1\n"${noise}`]
      ] as const) {
        const packed = gzipSync(text)
        const source = yield* sourceOver(name, packed.subarray(0, packed.length - 2000))
        const reader = yield* source.open(null)
        assert.strictEqual((yield* reader.next(all))!.records.length, 1)
        assert.strictEqual(yield* codeOf(reader.next(all)), "corrupt_gzip")
      }
    })
  )

  it.effect("a position knows the compressed file", () =>
    Effect.gen(function* () {
      const folder = yield* tempFolder
      const path = join(folder, "a.ndjson.gz")
      writeFileSync(path, gzipSync('{"a":1}\n{"a":2}\n'))
      const source = yield* sourceIn(folder, { path: "a.ndjson.gz" })
      const [first, second] = yield* readAll(source, { records: 1, bytes: 1e9 })
      appendFileSync(path, gzipSync('{"a":3}\n'))
      const grown = yield* readAll(source, all, second!.to)
      assert.deepStrictEqual(
        recordsOf(grown).map((record) => record.payload),
        [{ a: 3 }]
      )
      writeFileSync(path, gzipSync('{"a":1}\n{"a":2}\n', { level: 1 }))
      appendFileSync(path, Buffer.alloc(100))
      assert.strictEqual(yield* codeOf(source.open(first!.to)), "source_changed")
      const plain = yield* sourceIn(folder, { path: "a.ndjson.gz", compression: "none" })
      assert.strictEqual(yield* codeOf(plain.open(first!.to)), "source_changed")
    })
  )

  it.effect(
    "a quarter of a gigabyte out of 250 kB takes the memory of a window",
    () =>
      Effect.gen(function* () {
        const folder = yield* tempFolder
        const path = join(folder, "bomb.json.gz")
        const gzip = createGzip({ level: 1 })
        const zeros = Buffer.alloc(16 * 1024 * 1024, 48)
        const done = new Promise<void>((resolve, reject) => {
          const parts: Array<Buffer> = []
          gzip.on("data", (part: Buffer) => parts.push(part))
          gzip.on("error", reject)
          gzip.on("end", () => {
            writeFileSync(path, Buffer.concat(parts))
            resolve()
          })
        })
        gzip.write('[1,"')
        for (let n = 0; n < 16; n++) gzip.write(zeros)
        gzip.end('",2]')
        yield* Effect.promise(() => done)
        const source = yield* sourceIn(folder, { path: "bomb.json.gz" })
        const before = process.memoryUsage().arrayBuffers
        const [batch] = yield* readAll(source, all)
        assert.isBelow(process.memoryUsage().arrayBuffers - before, 128 * 1024 * 1024)
        assert.deepStrictEqual(
          batch!.records.map((record) => record.failure?.code ?? record.payload),
          [1, "record_too_large", 2]
        )
      }),
    30_000
  )

  it("is refused where it means nothing", () => {
    const decode = Schema.decodeUnknownSync(fileSource.config)
    assert.throws(() => decode({ path: "a.parquet.gz" }), /parquet/)
    assert.throws(() => decode({ path: "a.txt.gz" }), /format/)
    assert.throws(() => Effect.runSync(Effect.scoped(sinkIn(".", { path: "out.ndjson.gz" }))), /format/)
  })
})
