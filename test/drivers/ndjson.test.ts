import { createHash } from "node:crypto"
import { appendFileSync, chmodSync, mkdirSync, truncateSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Schema } from "effect"
import fc from "fast-check"
import { fileSource } from "../../src/drivers/file/FileSource.ts"
import { readAll, recordsOf, sourceSuite } from "../contracts/Driver.ts"
import { codeOf, movies, sourceIn, sourceOver, tempFolder } from "./support.ts"

const all = { records: 1_000_000, bytes: Number.MAX_SAFE_INTEGER }

const read = (content: string | Uint8Array, config: Readonly<Record<string, unknown>> = {}) =>
  Effect.scoped(
    Effect.gen(function* () {
      return yield* readAll(yield* sourceOver("data.ndjson", content, config), all)
    })
  )

const dirty = Buffer.concat([
  Buffer.from('\ufeff{"a":1}\r\n\n  \t\n{"a":"ü€😀"}\n{"a":\n'),
  Buffer.from([0x7b, 0xff, 0xfe, 0x7d, 10]),
  Buffer.from(`{"big":"${"x".repeat(300)}"}\n\n{"__proto__":{"polluted":true},"constructor":1}\n[1]\n"last"`)
])

describe("NDJSON source", () => {
  sourceSuite("movies", sourceOver("movies.ndjson", movies()), 3201)
  sourceSuite("dirty lines", sourceOver("dirty.jsonl", dirty, { max_record_bytes: 200 }), 8)
  sourceSuite("blank tail", sourceOver("tail.ndjson", '{"a":1}\n{"a":2}\n\n \n\n'), 2)

  it.effect("what cannot be read is a failure, and nothing else is lost", () =>
    Effect.gen(function* () {
      const records = recordsOf(yield* read(dirty, { max_record_bytes: 200 }))
      assert.deepStrictEqual(
        records.map((record) => record.failure?.code ?? record.payload),
        [
          { a: 1 },
          { a: "ü€😀" },
          "malformed_json",
          "not_utf8",
          "record_too_large",
          JSON.parse('{"__proto__":{"polluted":true},"constructor":1}'),
          [1],
          "last"
        ]
      )
      assert.isUndefined(({} as { polluted?: unknown }).polluted)
    })
  )

  it.effect("letters keep the bytes: text, base64, or size and digest", () =>
    Effect.gen(function* () {
      const [batch] = yield* read(dirty, { max_record_bytes: 200 })
      assert.deepStrictEqual(batch!.raw[0], { encoding: "utf8", data: '{"a":1}', size: 7 })
      assert.deepStrictEqual(batch!.raw[2], { encoding: "utf8", data: '{"a":', size: 5 })
      assert.deepStrictEqual(batch!.raw[3], { encoding: "base64", data: "e//+fQ==", size: 4 })
      const big = `{"big":"${"x".repeat(300)}"}`
      const digest = createHash("sha256").update(big).digest("hex")
      assert.deepStrictEqual(batch!.raw[4], { encoding: "omitted", data: "", size: big.length, digest })
    })
  )

  it.effect("a line of 100 MB is passed over without being held", () =>
    Effect.gen(function* () {
      const line = Buffer.alloc(100 * 1024 * 1024, 120)
      const content = Buffer.concat([Buffer.from('{"a":1}\n'), line, Buffer.from('\n{"a":2}\n')])
      const digest = createHash("sha256").update(line).digest("hex")
      const source = yield* sourceOver("huge.ndjson", content)
      const before = process.memoryUsage().arrayBuffers
      const [batch] = yield* readAll(source, all)
      assert.isBelow(process.memoryUsage().arrayBuffers - before, 96 * 1024 * 1024)
      assert.deepStrictEqual(
        batch!.records.map((record) => record.failure?.code ?? record.payload),
        [{ a: 1 }, "record_too_large", { a: 2 }]
      )
      assert.deepStrictEqual(batch!.raw[1], { encoding: "omitted", data: "", size: line.length, digest })
    })
  )

  it.effect("a letter beyond the cap keeps its size and digest only", () =>
    Effect.gen(function* () {
      const line = `{"a":"${"y".repeat(300_000)}"}`
      const [batch] = yield* read(`${line}\n`)
      const digest = createHash("sha256").update(line).digest("hex")
      assert.deepStrictEqual(batch!.raw[0], { encoding: "omitted", data: "", size: line.length, digest })
    })
  )

  it.effect("lines longer than a window and windows ending anywhere", () =>
    Effect.gen(function* () {
      const rows = Array.from({ length: 40 }, (_, n) => ({ n, text: "é".repeat((n * 7919) % 200_000) }))
      const content = rows.map((row) => JSON.stringify(row)).join("\n")
      assert.deepStrictEqual(
        recordsOf(yield* read(content)).map((record) => record.payload),
        rows
      )
    })
  )

  it("any lines, in any batches, as a naive reader sees them", () =>
    fc.assert(
      fc.asyncProperty(
        fc.array(fc.oneof(fc.json(), fc.constantFrom("", " ", "\r", "{", "nul"), fc.string()), {
          maxLength: 30
        }),
        fc.integer({ min: 1, max: 9 }),
        fc.boolean(),
        async (lines, records, newline) => {
          const content = lines.map((line) => line.replaceAll("\n", " ")).join("\n") + (newline ? "\n" : "")
          const bytes = Buffer.from(content)
          const naive = bytes
            .toString()
            .replace(/^\ufeff/, "")
            .split("\n")
            .filter((line) => !/^[ \t\r]*$/.test(line))
            .map(parsed)
          const batches = await Effect.runPromise(
            Effect.scoped(
              Effect.flatMap(sourceOver("any.ndjson", bytes), (source) =>
                readAll(source, { records, bytes: 1e9 })
              )
            )
          )
          assert.deepStrictEqual(
            recordsOf(batches).map((record) => record.failure?.code ?? record.payload),
            naive
          )
        }
      ),
      { numRuns: 150 }
    ))
})

/** Root may read everything, so for the time of the effect this process is somebody who may not. */
const asNobody = <A, E, R>(effect: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
  process.getuid?.() === 0
    ? Effect.acquireUseRelease(
        Effect.sync(() => process.seteuid?.(65534)),
        () => effect,
        () => Effect.sync(() => process.seteuid?.(0))
      )
    : effect

const parsed = (line: string): unknown => {
  try {
    return JSON.parse(line)
  } catch {
    return "malformed_json"
  }
}

describe("a position knows its file", () => {
  const setup = Effect.gen(function* () {
    const folder = yield* tempFolder
    const path = join(folder, "a.ndjson")
    writeFileSync(path, '{"a":1}\n{"a":2}\n{"a":3}')
    const source = yield* sourceIn(folder, { path: "a.ndjson" })
    const batches = yield* readAll(source, { records: 2, bytes: 1e9 })
    return { path, source, middle: batches[0]!.to, end: batches[1]!.to }
  })

  it.effect("growth is fine", () =>
    Effect.gen(function* () {
      const { path, source, middle, end } = yield* setup
      appendFileSync(path, '\n{"a":4}\n')
      assert.deepStrictEqual(
        recordsOf(yield* readAll(source, all, middle)).map((record) => record.payload),
        [{ a: 3 }, { a: 4 }]
      )
      assert.deepStrictEqual(
        recordsOf(yield* readAll(source, all, end)).map((record) => record.payload),
        [{ a: 4 }]
      )
    })
  )

  it.effect("a last line that went on after it was read is refused", () =>
    Effect.gen(function* () {
      const { path, source, end } = yield* setup
      appendFileSync(path, "33\n")
      assert.strictEqual(yield* codeOf(source.open(end)), "source_changed")
    })
  )

  it.effect("another beginning, other bytes before the place, a shorter file", () =>
    Effect.gen(function* () {
      const { path, source, middle } = yield* setup
      writeFileSync(path, '{"b":1}\n{"a":2}\n{"a":3}')
      assert.strictEqual(yield* codeOf(source.open(middle)), "source_changed")
      truncateSync(path, 8)
      assert.strictEqual(yield* codeOf(source.open(middle)), "source_changed")
      assert.strictEqual(yield* codeOf(source.open({ row: 1, footer: "x" })), "source_changed")
    })
  )

  it.effect("what is appended while it is read is left for the next run", () =>
    Effect.gen(function* () {
      const { path, source } = yield* setup
      const reader = yield* source.open(null)
      appendFileSync(path, "33\n")
      assert.deepStrictEqual((yield* reader.next(all))!.records.at(-1)!.payload, { a: 3 })
      assert.isNull(yield* reader.next(all))
    })
  )
})

describe("what is not there", () => {
  it.effect("is said with a code and a suggestion", () =>
    Effect.gen(function* () {
      const folder = yield* tempFolder
      writeFileSync(join(folder, "flights.ndjson"), "")
      mkdirSync(join(folder, "folder.ndjson"))
      const missing = yield* Effect.flip((yield* sourceIn(folder, { path: "flighs.ndjson" })).open(null))
      assert.strictEqual(missing.reason.code, "file_not_found")
      assert.include(missing.reason.suggestion, "flights.ndjson")
      const directory = yield* sourceIn(folder, { path: "folder.ndjson" })
      assert.strictEqual(yield* codeOf(directory.open(null)), "not_a_file")
      const empty = yield* sourceIn(folder, { path: "flights.ndjson" })
      assert.deepStrictEqual(yield* readAll(empty, all), [])
    })
  )

  it.effect("an unreadable file", () =>
    Effect.gen(function* () {
      const folder = yield* tempFolder
      chmodSync(folder, 0o755)
      writeFileSync(join(folder, "secret.ndjson"), "")
      chmodSync(join(folder, "secret.ndjson"), 0)
      const source = yield* sourceIn(folder, { path: "secret.ndjson" })
      const error = yield* asNobody(Effect.flip(source.open(null)))
      assert.strictEqual(error.reason._tag, "Unauthorized")
    })
  )

  it("settings that make no sense are refused before anything is opened", () => {
    const decode = Schema.decodeUnknownSync(fileSource.config)
    assert.throws(() => decode({ path: "a.txt" }), /format/)
    assert.throws(() => decode({ path: "a.ndjson", delimiter: ";" }), /delimiter/)
    assert.throws(() => decode({ path: "a.csv", header: false }), /columns/)
    assert.throws(() => decode({ path: "a.csv", delimiter: '"' }), /delimiter|quote/)
  })
})
