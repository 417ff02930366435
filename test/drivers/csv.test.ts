import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import fc from "fast-check"
import { CsvEncoder } from "../../src/drivers/file/sink/CsvEncoder.ts"
import { readAll, recordsOf, sourceSuite } from "../contracts/Driver.ts"
import { codeOf, sourceIn, sourceOver, vega, vegaText } from "./support.ts"

const all = { records: 1_000_000, bytes: Number.MAX_SAFE_INTEGER }

const read = (content: string | Uint8Array, config: Readonly<Record<string, unknown>> = {}) =>
  Effect.scoped(
    Effect.gen(function* () {
      const batches = yield* readAll(yield* sourceOver("data.csv", content, config), all)
      return recordsOf(batches).map((record) => record.failure?.code ?? record.payload)
    })
  )

const dirty = Buffer.concat([
  Buffer.from(
    '\ufeffname,"a ""b"""\r\n\r\nplain,1\r\n"x,\ny","q""q"\r\n,\n"open" tail,2\nshort\nlong,1,2\nmid"quote,3\n'
  ),
  Buffer.from([0xff, 0x2c, 0x31, 10]),
  Buffer.from(`"ü",€\n"runaway,1\n${"pad,1\n".repeat(50)}after,2\n"never closed,3`)
])

describe("CSV source", () => {
  sourceSuite("dirty rows", sourceOver("dirty.csv", dirty, { max_record_bytes: 200 }))
  sourceSuite("quotes and a blank tail", sourceOver("q.csv", 'a\n"1\n2"\n3\n\n\n'), 2)
  for (const [name, rows] of [
    ["airports.csv", 3376],
    ["birdstrikes.csv", 10000]
  ] as const) {
    it.effect(`${name} has ${rows} rows and all of them fit`, () =>
      Effect.gen(function* () {
        const source = yield* sourceIn(process.cwd(), { path: vega(name) })
        const records = recordsOf(yield* readAll(source, { records: 1000, bytes: 1e9 }))
        assert.strictEqual(records.length, rows)
        assert.deepStrictEqual(
          records.filter((record) => record.failure !== undefined),
          []
        )
      })
    )
  }

  it.effect("a quoted field of few lines and many bytes", () =>
    Effect.gen(function* () {
      const field = `x\n${"y".repeat(3_000_000)}`
      assert.deepStrictEqual(yield* read(`a,b\n1,2\n"${field}",3\n4,5\n`), [
        { a: "1", b: "2" },
        { a: field, b: "3" },
        { a: "4", b: "5" }
      ])
    })
  )

  it.effect("zip codes are texts until they are told to be numbers", () =>
    Effect.gen(function* () {
      const path = vega("zipcodes.csv")
      const lines = vegaText("zipcodes.csv").trimEnd().split("\n").length - 1
      const texts = recordsOf(yield* readAll(yield* sourceIn(process.cwd(), { path }), all))
      assert.strictEqual(texts.length, lines)
      assert.strictEqual((texts[0]!.payload as { zip_code: string }).zip_code, "00501")
      const typed = yield* sourceIn(process.cwd(), { path, types: { latitude: "number" } })
      const [first] = recordsOf(yield* readAll(typed, all))
      assert.strictEqual((first!.payload as { latitude: number }).latitude, 40.922326)
    })
  )

  it.effect("what does not fit is a failure, and reading goes on behind it", () =>
    Effect.gen(function* () {
      const row = (name: string, value: string) => ({ name, 'a "b"': value })
      assert.deepStrictEqual(yield* read(dirty, { max_record_bytes: 200 }), [
        row("plain", "1"),
        row("x,\ny", 'q"q'),
        row("", ""),
        "malformed_csv",
        "malformed_csv",
        "malformed_csv",
        row('mid"quote', "3"),
        "not_utf8",
        row("ü", "€"),
        // The runaway quote costs the line it stands on, and none of the rows behind it.
        "malformed_csv",
        ...Array.from({ length: 50 }, () => row("pad", "1")),
        row("after", "2"),
        "malformed_csv"
      ])
    })
  )

  it.effect("types convert or fail; an empty field is null", () =>
    Effect.gen(function* () {
      const content =
        "n,i,b,s\n 1.5e3 ,-7,TRUE,x\n,,,\n1_000,1,true,\n1,1.5,true,\n1,9007199254740993,true,\n1,1,yes,\n"
      const types = { n: "number", i: "integer", b: "boolean" }
      assert.deepStrictEqual(yield* read(content, { types }), [
        { n: 1500, i: -7, b: true, s: "x" },
        { n: null, i: null, b: null, s: "" },
        "wrong_type",
        "wrong_type",
        "wrong_type",
        "wrong_type"
      ])
    })
  )

  it.effect("a file without a header, another delimiter, an empty file", () =>
    Effect.gen(function* () {
      const headless = { header: false, columns: ["a", "b"], delimiter: ";" }
      assert.deepStrictEqual(yield* read("1;2\n3;4", headless), [
        { a: "1", b: "2" },
        { a: "3", b: "4" }
      ])
      assert.deepStrictEqual(yield* read("", headless), [])
      assert.deepStrictEqual(yield* read(""), [])
      assert.deepStrictEqual(yield* read("\n\n"), [])
      assert.deepStrictEqual(yield* read("a,b\n"), [])
      assert.deepStrictEqual(yield* read("a,b"), [])
    })
  )

  it.effect("a header that cannot be used is refused", () =>
    Effect.gen(function* () {
      const open = Effect.fnUntraced(function* (content: string, config = {}) {
        return yield* codeOf((yield* sourceOver("data.csv", content, config)).open(null))
      })
      assert.strictEqual(yield* open("a,b,a\n1,2,3\n"), "duplicate_column")
      assert.strictEqual(yield* open("a,__proto__\n1,2\n"), "reserved_column")
      assert.strictEqual(yield* open('a,"b\n1,2\n'), "malformed_csv")
      assert.strictEqual(yield* open("delay,b\n1,2\n", { types: { dely: "number" } }), "unknown_column")
    })
  )

  it("rows of any values come back as they were written", () =>
    fc.assert(
      fc.asyncProperty(
        fc
          .integer({ min: 1, max: 4 })
          .chain((width) =>
            fc.array(fc.array(field, { minLength: width, maxLength: width }), { minLength: 1, maxLength: 20 })
          ),
        fc.constantFrom(",", ";", "\t", "|"),
        fc.integer({ min: 1, max: 5 }),
        async (rows, delimiter, records) => {
          const columns = rows[0]!.map((_, index) => `c ${index}`)
          const payloads = rows.map((row) => Object.fromEntries(row.map((value, at) => [columns[at], value])))
          const encoder = new CsvEncoder(delimiter, undefined)
          const lines = payloads.map((payload) => encoder.encode(payload))
          const found = await Effect.runPromise(
            Effect.scoped(
              Effect.gen(function* () {
                const source = yield* sourceOver("any.csv", encoder.header + lines.join(""), { delimiter })
                return recordsOf(yield* readAll(source, { records, bytes: 1e9 }))
              })
            )
          )
          assert.deepStrictEqual(
            found.map((record) => record.failure ?? record.payload),
            payloads
          )
        }
      ),
      { numRuns: 150 }
    ))

  it.effect("quoted fields may be longer than a window", () =>
    Effect.gen(function* () {
      const long = `${'é,\n"'.repeat(500_000)}`
      const encoder = new CsvEncoder(",", ["a", "b"])
      const content = encoder.header + encoder.encode({ a: "x", b: long }) + encoder.encode({ a: "y", b: 1 })
      assert.deepStrictEqual(yield* read(content), [
        { a: "x", b: long },
        { a: "y", b: "1" }
      ])
    })
  )
})

/** Text a CSV field can hold: UTF-8 has no lone surrogates. */
const field = fc.oneof(
  fc.string({ unit: "grapheme" }),
  fc.constantFrom('"', '""', ",", "\n", "\r\n", "\r", "", " ", "a\r", "\ufeff")
)
