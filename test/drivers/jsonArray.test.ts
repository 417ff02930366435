import { createHash } from "node:crypto"
import { appendFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import fc from "fast-check"
import { readAll, recordsOf, sourceSuite } from "../contracts/Driver.ts"
import { codeOf, sourceIn, sourceOver, tempFolder, vega, vegaText } from "./support.ts"

const all = { records: 1_000_000, bytes: Number.MAX_SAFE_INTEGER }

const read = (content: string | Uint8Array, config: Readonly<Record<string, unknown>> = {}) =>
  Effect.scoped(
    Effect.gen(function* () {
      return yield* readAll(yield* sourceOver("data.json", content, config), all)
    })
  )

const seen = (content: string | Uint8Array, config: Readonly<Record<string, unknown>> = {}) =>
  Effect.map(read(content, config), (batches) =>
    recordsOf(batches).map((record) => record.failure?.code ?? record.payload)
  )

const dirty = Buffer.concat([
  Buffer.from('\ufeff \n[ {"a":1} ,\r\n {"a":"]},[{\\" \\\\"},\n\t[[1],{"b":[2]}] , nul, {"a":"ü€😀"} ,'),
  Buffer.from([0x22, 0xff, 0xfe, 0x22]),
  Buffer.from(`,, {"big":"${"x".repeat(300)}"}, {"a" 1}, {"a":1]}, "last" , 12345678901234567890 ] \n `)
])
const long = `[${Array.from({ length: 30 }, (_, n) => JSON.stringify({ n, t: "é".repeat((n * 7919) % 200_000) })).join(" ,\n")}]`

describe("JSON array source", () => {
  sourceSuite("movies", sourceOver("movies.json", vegaText("movies.json")), 3201)
  sourceSuite("dirty elements", sourceOver("dirty.json", dirty, { max_record_bytes: 200 }), 12)
  sourceSuite("elements larger than a window", sourceOver("long.json", long), 30)
  sourceSuite("cut off in an element", sourceOver("cut.json", '[1, {"a":2}, {"b":'), 3)
  sourceSuite("cut off behind an element", sourceOver("cut.json", '[1, {"a":2}  '), 2)
  sourceSuite("cut off behind a comma", sourceOver("cut.json", "[1, 2, \n"), 3)
  sourceSuite("more behind the array", sourceOver("more.json", "[1,2] ]\n3\n"), 3)
  sourceSuite(
    "a large rest",
    sourceOver("rest.json", `[1,2] ${"x ".repeat(900_000)}`, { max_record_bytes: 99 }),
    3
  )

  it.effect("is what JSON.parse reads", () =>
    Effect.gen(function* () {
      for (const name of ["movies.json", "cars.json", "barley.json", "flights-2k.json"]) {
        const source = yield* sourceIn(process.cwd(), { path: vega(name) })
        const records = recordsOf(yield* readAll(source, { records: 100, bytes: 1e9 }))
        assert.deepStrictEqual(
          records.map((record) => record.payload),
          JSON.parse(vegaText(name))
        )
        assert.deepStrictEqual(records[0]!.metadata, { file: vega(name) })
      }
    })
  )

  it.effect("what cannot be read is a failure, and reading goes on behind its comma", () =>
    Effect.gen(function* () {
      assert.deepStrictEqual(yield* seen(dirty, { max_record_bytes: 200 }), [
        { a: 1 },
        { a: ']},[{" \\' },
        [[1], { b: [2] }],
        "malformed_json",
        { a: "ü€😀" },
        "not_utf8",
        "malformed_json",
        "record_too_large",
        "malformed_json",
        "malformed_json",
        "last",
        "unsafe_integer"
      ])
      const [batch] = yield* read(dirty, { max_record_bytes: 200 })
      assert.deepStrictEqual(batch!.raw[3], { encoding: "utf8", data: "nul", size: 3 })
      assert.deepStrictEqual(batch!.raw[5], { encoding: "base64", data: "Iv/+Ig==", size: 4 })
      assert.deepStrictEqual(batch!.raw[9], { encoding: "utf8", data: '{"a":1]}', size: 8 })
      assert.deepInclude(batch!.raw[7], { encoding: "omitted", size: 310 })
    })
  )

  it.effect("a lost structure is one last failure that holds the rest", () =>
    Effect.gen(function* () {
      const [batch] = yield* read('[1, {"a":[2}, {"b":3}]\n')
      assert.deepStrictEqual(
        batch!.records.map((record) => record.failure?.code ?? record.payload),
        [1, "malformed_json"]
      )
      assert.deepStrictEqual(batch!.raw[1]!.data, '{"a":[2}, {"b":3}]')
      assert.deepStrictEqual(yield* seen("[1] [2]"), [1, "malformed_json"])
      assert.deepStrictEqual(yield* seen("[1,]"), [1, "malformed_json"])
      assert.deepStrictEqual(yield* seen("[1"), ["malformed_json"])
      assert.deepStrictEqual(yield* seen("["), ["malformed_json"])
      assert.deepStrictEqual(yield* seen(" [ ] \n"), [])
    })
  )

  it.effect("an element of 100 MB is passed over without being held", () =>
    Effect.gen(function* () {
      const element = Buffer.alloc(100 * 1024 * 1024, 120)
      element[0] = 34
      element[element.length - 1] = 34
      const content = Buffer.concat([Buffer.from('[{"a":1},'), element, Buffer.from(',{"a":2}]')])
      const digest = createHash("sha256").update(element).digest("hex")
      const source = yield* sourceOver("huge.json", content)
      const before = process.memoryUsage().arrayBuffers
      const [batch] = yield* readAll(source, all)
      assert.isBelow(process.memoryUsage().arrayBuffers - before, 96 * 1024 * 1024)
      assert.deepStrictEqual(
        batch!.records.map((record) => record.failure?.code ?? record.payload),
        [{ a: 1 }, "record_too_large", { a: 2 }]
      )
      assert.deepStrictEqual(batch!.raw[1], { encoding: "omitted", data: "", size: element.length, digest })
    })
  )

  it.effect("a file that is no array says so when it is opened", () =>
    Effect.gen(function* () {
      const earthquakes = yield* sourceIn(process.cwd(), { path: vega("earthquakes.json") })
      const error = yield* Effect.flip(earthquakes.open(null))
      assert.strictEqual(error.reason.code, "not_an_array")
      assert.include(error.reason.suggestion, "ndjson")
      for (const content of ["", " \n", "12", "\ufeff{}"]) {
        assert.strictEqual(yield* codeOf((yield* sourceOver("a.json", content)).open(null)), "not_an_array")
      }
    })
  )

  it.effect("a position knows its file", () =>
    Effect.gen(function* () {
      const folder = yield* tempFolder
      const path = join(folder, "a.json")
      writeFileSync(path, '[{"a":1}, {"a":2}')
      const source = yield* sourceIn(folder, { path: "a.json" })
      const batches = yield* readAll(source, { records: 1, bytes: 1e9 })
      appendFileSync(path, ', {"a":3}]')
      const rest = yield* readAll(source, all, batches[0]!.to)
      assert.deepStrictEqual(
        recordsOf(rest).map((record) => record.payload),
        [{ a: 2 }, { a: 3 }]
      )
      writeFileSync(path, '[{"a":1} ')
      appendFileSync(path, ', {"b":2}]')
      assert.strictEqual(yield* codeOf(source.open(batches[0]!.to)), "source_changed")
      writeFileSync(path, '[{"a":9}, {"a":2}]')
      assert.strictEqual(yield* codeOf(source.open(batches[0]!.to)), "source_changed")
    })
  )

  const blank = fc.constantFrom("", " ", "\n", "\t \r\n")
  const element = fc.oneof(
    fc.json(),
    fc.string().map((text) => JSON.stringify(text)),
    fc.constantFrom('{"a":', "nul", '{"a" 1}', '"\\u00"', "{]}", "", "1 2")
  )

  it("any elements, cut anywhere, as a naive reader sees them", () =>
    fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(blank, element, blank), { minLength: 1, maxLength: 20 }),
        fc.integer({ min: 1, max: 7 }),
        async (elements, records) => {
          const content = `[${elements.map((parts) => parts.join("")).join(",")}]`
          const expected = naive(content)
          const whole = await Effect.runPromise(
            Effect.scoped(
              Effect.gen(function* () {
                const source = yield* sourceOver("any.json", content)
                const batches = yield* readAll(source, { records, bytes: 1e9 })
                for (const [cut, { to }] of batches.entries()) {
                  const rest = yield* Effect.scoped(readAll(source, all, to))
                  assert.deepStrictEqual(recordsOf(rest), recordsOf(batches.slice(cut + 1)))
                }
                return batches
              })
            )
          )
          assert.deepStrictEqual(
            recordsOf(whole).map((record) => record.failure?.code ?? record.payload),
            expected
          )
        }
      ),
      { numRuns: 200 }
    ))
})

/** Splits one character at a time, with everything in memory. */
const naive = (content: string): ReadonlyArray<unknown> => {
  const found: Array<unknown> = []
  const parsed = (text: string): unknown => {
    try {
      return JSON.parse(text)
    } catch {
      return "malformed_json"
    }
  }
  let [depth, quoted, text] = [0, false, ""]
  const characters = [...content.slice(1)]
  for (let at = 0; at < characters.length; at++) {
    const each = characters[at]!
    if (quoted) {
      text += each
      if (each === "\\") text += characters[++at] ?? ""
      else if (each === '"') quoted = false
    } else if (depth === 0 && (each === "," || each === "]")) {
      const isEmpty = each === "]" && found.length === 0 && text.trim() === ""
      if (!isEmpty) found.push(parsed(text.trim()))
      text = ""
      if (each !== "]") continue
      const rest = characters.slice(at + 1).join("")
      return rest.trim() === "" ? found : [...found, "malformed_json"]
    } else {
      text += each
      if (each === '"') quoted = true
      else if (each === "[" || each === "{") depth++
      else if (each === "]" || each === "}") depth = Math.max(0, depth - 1)
    }
  }
  return [...found, "malformed_json"]
}
