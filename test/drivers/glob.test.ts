import { appendFileSync, mkdirSync, rmSync, writeFileSync } from "node:fs"
import { dirname, join } from "node:path"
import { gzipSync } from "node:zlib"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Schema } from "effect"
import fc from "fast-check"
import { Definition } from "../../events/Definition.ts"
import { fileDriver } from "../../src/drivers/file/FileDriver.ts"
import { validateDrivers } from "../../src/flow/graph/validateDrivers.ts"
import { essence, readAll, recordsOf, sourceSuite } from "../contracts/Driver.ts"
import { codeOf, movies, sourceIn, tempFolder } from "./support.ts"
import { writeParquet } from "./writeParquet.ts"

const all = { records: 1_000_000, bytes: Number.MAX_SAFE_INTEGER }

const put = (folder: string, files: Readonly<Record<string, string | Uint8Array>>): void => {
  for (const [name, content] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, name)), { recursive: true })
    writeFileSync(join(folder, name), content)
  }
}

const rows = (file: string, count: number): string =>
  Array.from({ length: count }, (_, n) => `{"id":"${file}${n}"}\n`).join("")

const over = Effect.fnUntraced(function* (
  files: Readonly<Record<string, string | Uint8Array>>,
  config: Readonly<Record<string, unknown>>
) {
  const folder = yield* tempFolder
  put(folder, files)
  return yield* sourceIn(folder, config)
})

const parts = (text: string, count: number): ReadonlyArray<string> => {
  const lines = text.trimEnd().split("\n")
  const size = Math.ceil(lines.length / count)
  return Array.from({ length: count }, (_, n) => lines.slice(n * size, (n + 1) * size).join("\n"))
}

const parquet = (from: number, count: number): Uint8Array =>
  writeParquet(
    [
      {
        name: "n",
        type: 2,
        dictionary: false,
        values: Array.from({ length: count }, (_, n) => BigInt(from + n))
      }
    ],
    { groupRows: 10, pageRows: 4 }
  )

const idsOf = (batches: Parameters<typeof recordsOf>[0]) =>
  recordsOf(batches).map(({ payload }) => (payload as { id: string }).id)

describe("a glob of files", () => {
  const [first = "", second = "", third = ""] = parts(movies(), 3)
  sourceSuite(
    "NDJSON, plain and compressed, with empty files between",
    over(
      {
        "d/0": "",
        "d/a.x": first,
        "d/b.x": "\n\n",
        "d/c.x.gz": gzipSync(second),
        "d/d.x": " ",
        "d/e.x": third,
        "d/f.x": ""
      },
      { path: "d/*", format: "ndjson" }
    ),
    3201
  )
  sourceSuite(
    "CSV with a header each",
    over({ "2.csv": "a,b\n3,4\n", "1.csv": "b,a\n1,2\n\n", "3.csv": "a,b\n" }, { path: "*.csv" }),
    2
  )
  sourceSuite("JSON", over({ "a.json": "[1,2 ]\n", "b.json": "[]", "c.json": "[3]" }, { path: "?.json" }), 3)
  sourceSuite(
    "Parquet",
    over({ "p/a.parquet": parquet(0, 33), "p/q/b.parquet": parquet(33, 20) }, { path: "p/**/*.parquet" }),
    53
  )

  it.effect("matches what a shell would, in the order of the names, and says which file", () =>
    Effect.gen(function* () {
      const files = Object.fromEntries(
        [
          "b.ndjson",
          "a.ndjson",
          "Z.ndjson",
          ".hidden.ndjson",
          "s/a.ndjson",
          "s/t/c.ndjson",
          "n.txt",
          "ä.ndjson"
        ].map((name) => [name, rows(name, 1)])
      )
      const folder = yield* tempFolder
      put(folder, files)
      mkdirSync(join(folder, "folder.ndjson"))
      for (const [path, names] of [
        ["*.ndjson", ["Z.ndjson", "a.ndjson", "b.ndjson", "ä.ndjson"]],
        ["**/*.ndjson", ["Z.ndjson", "a.ndjson", "b.ndjson", "s/a.ndjson", "s/t/c.ndjson", "ä.ndjson"]],
        ["[a-b].ndjson", ["a.ndjson", "b.ndjson"]],
        ["{b,s/t/c}.ndjson", ["b.ndjson", "s/t/c.ndjson"]],
        [join(folder, "s", "?.ndjson"), ["s/a.ndjson"]]
      ] as const) {
        const records = recordsOf(yield* readAll(yield* sourceIn(folder, { path }), all))
        assert.deepStrictEqual(
          records.map(({ metadata }) => metadata),
          names.map((file) => ({ file }))
        )
      }
      put(folder, { "[a].ndjson": rows("literal", 1) })
      const literal = yield* readAll(yield* sourceIn(folder, { path: "[a].ndjson" }), all)
      assert.deepStrictEqual(idsOf(literal), ["literal0"])
    })
  )

  it.effect("no match says what is there", () =>
    Effect.gen(function* () {
      const folder = yield* tempFolder
      put(folder, { "data/flights.csv": "a\n" })
      const error = yield* Effect.flip((yield* sourceIn(folder, { path: "data/*.ndjson" })).open(null))
      assert.strictEqual(error.reason.code, "file_not_found")
      assert.include(error.reason.message, "data/*.ndjson")
      assert.include(error.reason.suggestion, "flights.csv")
      const nowhere = yield* Effect.flip((yield* sourceIn(folder, { path: "dta/*.ndjson" })).open(null))
      assert.include(nowhere.reason.suggestion, "no folder")
    })
  )

  it.effect("what becomes of files that are done, or not begun, changes no sealed range", () =>
    Effect.gen(function* () {
      const folder = yield* tempFolder
      put(folder, { "b.ndjson": rows("b", 3), "d.ndjson": rows("d", 3), "f.ndjson": rows("f", 2) })
      const source = yield* sourceIn(folder, { path: "*.ndjson" })
      const batches = yield* readAll(source, { records: 2, bytes: 1e9 })
      assert.deepStrictEqual(
        batches.map((batch) => batch.records.length),
        [2, 1, 2, 1, 2]
      )
      // Done: moved away. New: one before, one between, one behind.
      rmSync(join(folder, "b.ndjson"))
      put(folder, { "a.ndjson": rows("a", 1), "e.ndjson": rows("e", 1), "g.ndjson": rows("g", 1) })
      const behindB = batches[1]!.to
      const again = yield* Effect.scoped(
        Effect.flatMap(source.open(behindB), (reader) => reader.next({ records: 2, bytes: 1, exactly: true }))
      )
      const { from: _, ...sealed } = batches[2]!
      assert.deepStrictEqual(essence(again!), sealed)
      const rest = yield* readAll(source, all, behindB)
      assert.deepStrictEqual(idsOf(rest), ["d0", "d1", "d2", "e0", "f0", "f1", "g0"])
      assert.deepStrictEqual(idsOf(yield* readAll(source, all)).slice(0, 2), ["a0", "d0"])
      // Not done: gone, or another one.
      assert.strictEqual(yield* codeOf(source.open(batches[0]!.to)), "source_changed")
      appendFileSync(join(folder, "f.ndjson"), rows("new", 1))
      assert.deepStrictEqual(idsOf(yield* readAll(source, all, batches[4]!.to)), ["new0", "g0"])
      put(folder, { "d.ndjson": rows("x", 3) })
      assert.strictEqual(yield* codeOf(source.open(batches[2]!.to)), "source_changed")
      assert.strictEqual(yield* codeOf(source.open({ byte: 0 })), "source_changed")
    })
  )

  it.effect("a file that cannot be read stops there, and what was read before it counts", () =>
    Effect.gen(function* () {
      const folder = yield* tempFolder
      put(folder, { "a.json": "[1,2]", "b.json": "{}", "c.json": "[3]" })
      const source = yield* sourceIn(folder, { path: "*.json" })
      const reader = yield* source.open(null)
      const batch = yield* reader.next(all)
      assert.deepStrictEqual(
        batch!.records.map((record) => record.payload),
        [1, 2]
      )
      assert.strictEqual(yield* codeOf(reader.next(all)), "not_an_array")
      put(folder, { "b.json": "[2.5]" })
      const rest = recordsOf(yield* readAll(source, all, batch!.to))
      assert.deepStrictEqual(
        rest.map((record) => record.payload),
        [2.5, 3]
      )
    })
  )

  it.effect("knows how far it is, in bytes of all files", () =>
    Effect.gen(function* () {
      const files = { "a.ndjson": rows("a", 10), "b.ndjson": rows("b", 10), "p.ndjson": "" }
      const reader = yield* (yield* over(files, { path: "*.ndjson" })).open(null)
      const total = rows("a", 10).length * 2
      yield* reader.next({ records: 5, bytes: 1e9 })
      assert.deepStrictEqual(reader.progress(), { done: total / 4, total, unit: "bytes" })
      yield* reader.next(all)
      yield* reader.next(all)
      assert.isNull(yield* reader.next(all))
      assert.deepStrictEqual(reader.progress(), { done: total, total, unit: "bytes" })
    })
  )

  it("any files, cut anywhere, give every record once and in order", () =>
    fc.assert(
      fc.asyncProperty(
        fc.dictionary(fc.stringMatching(/^[a-zA-Z0-9._-]{1,5}$/), fc.nat({ max: 4 }), {
          minKeys: 1,
          maxKeys: 7
        }),
        fc.integer({ min: 1, max: 4 }),
        async (counts, records) => {
          const names = Object.keys(counts).filter((name) => !name.startsWith("."))
          const expected = names
            .map((name) => `${name}.nd`)
            .sort()
            .flatMap((name) => Array.from({ length: counts[name.slice(0, -3)]! }, (_, n) => `${name}${n}`))
          const files = Object.fromEntries(
            names.map((name) => [`${name}.nd`, rows(`${name}.nd`, counts[name]!)])
          )
          await Effect.runPromise(
            Effect.scoped(
              Effect.gen(function* () {
                const source = yield* over({ "zzzzzz.nd": "", ...files }, { path: "*.nd", format: "ndjson" })
                const batches = yield* readAll(source, { records, bytes: 1e9 })
                assert.deepStrictEqual(idsOf(batches), expected)
                for (const [cut, { to }] of batches.entries()) {
                  const rest = yield* Effect.scoped(readAll(source, all, to))
                  assert.deepStrictEqual(idsOf(rest), idsOf(batches.slice(cut + 1)))
                }
              })
            )
          )
        }
      ),
      { numRuns: 60 }
    ))
})

describe("a sink below a glob", () => {
  const findings = (source: string, sink: string) =>
    validateDrivers(
      Schema.decodeUnknownSync(Definition)({
        name: "p",
        stages: {
          in: { source: { use: "file", path: source, format: "ndjson" } },
          out: { from: "in", sink: { use: "file", path: sink, format: "ndjson" } }
        }
      }),
      new Map([["file", fileDriver]]),
      { base: "/somewhere" }
    ).map(({ code }) => code)

  it("is found when the glob would read it", () => {
    assert.deepStrictEqual(findings("data/*.ndjson", "data/out.ndjson"), ["sink_overwrites_source"])
    assert.deepStrictEqual(findings("**/*.ndjson", "out/late.ndjson"), ["sink_overwrites_source"])
    assert.deepStrictEqual(findings("data/*.ndjson", "out/late.ndjson"), [])
    assert.deepStrictEqual(findings("data/*.ndjson", "data/out.csv"), [])
  })
})
