/**
 * Pushed records are durable before they are answered, whole or not at all, and are read like a file.
 *
 * @module
 */
import { appendFileSync, readdirSync, readFileSync, statSync } from "node:fs"
import { join } from "node:path"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber, Stream } from "effect"
import { TestClock } from "effect/testing"
import { fileDisk, type SpoolDisk } from "../../../src/drivers/http/spool/SpoolDisk.ts"
import { sourceSuite } from "../../contracts/Driver.ts"
import { movies, tempFolder } from "../support.ts"
import { ending, ingressOn, lines, payloadsFrom, push, sourceOf } from "./pushing.ts"

const numbers = (from: number, to: number) =>
  Array.from({ length: to - from }, (_, index) => ({ n: from + index }))

const pushed = (settings: Record<string, unknown>, bodies: ReadonlyArray<string>, segmentBytes: number) =>
  Effect.gen(function* () {
    const ingress = yield* ingressOn(yield* tempFolder, { segmentBytes })
    for (const body of bodies) {
      yield* Effect.orDie(push(ingress, body, { source: { use: "http", ...settings } as never }))
    }
    return ending(yield* sourceOf(ingress, settings))
  })

const rows = movies().split("\n").slice(0, 300)
const bodies = Array.from({ length: 10 }, (_, index) => rows.slice(index * 30, index * 30 + 30).join("\n"))

sourceSuite("pushed NDJSON in one segment", pushed({ format: "ndjson" }, bodies, 1 << 24), 300)
sourceSuite("pushed NDJSON in segments", pushed({ format: "ndjson" }, bodies, 20_000), 300)
sourceSuite(
  "pushed CSV",
  pushed(
    { format: "csv", columns: ["id", "text"], types: { id: "integer" }, header: false },
    Array.from({ length: 40 }, (_, n) => `${n},"a ""b""\nline ${n}"\r\n\n${n + 100},plain`),
    500
  ),
  80
)

describe("a push", () => {
  it.effect("takes an array element by element, numbers as they were written", () =>
    Effect.gen(function* () {
      const ingress = yield* ingressOn(yield* tempFolder)
      yield* push(ingress, '\ufeff [ {"n": 1.50, "t": "a,\\"]}" } ,\n [1,\n 2], "x" ]\n', { array: true })
      const reader = yield* (yield* sourceOf(ingress)).open(null)
      const batch = yield* reader.next({ records: 10, bytes: 1000 })
      assert.deepStrictEqual(
        batch!.records.map(({ payload }) => payload),
        [{ n: 1.5, t: 'a,"]}' }, [1, 2], "x"]
      )
      assert.strictEqual(batch!.raw(0).data, '{"n":1.50,"t":"a,\\"]}"}')
    })
  )

  const refusals: ReadonlyArray<readonly [string, Record<string, unknown>, string, string, number?]> = [
    ["a broken line", {}, '{"n":1}\n\n{"n":\n{"n":3}\n', "malformed_json", 3],
    ["a rounded integer", {}, '{"n":1}\n{"n":90071992547409931}\n', "unsafe_integer", 2],
    ["bytes that are no text", {}, '{"n":1}\n{"n":"\u0000"}\n', "malformed_json", 2],
    ["an array that breaks off", { format: "json" }, '[{"n":1},\n{"n":2}', "malformed_json", 2],
    ["no array", { format: "json" }, '{"n":1}', "not_an_array", 1],
    ["a trailing comma", { format: "json" }, "[1,\n2,\n]", "malformed_json", 3],
    ["a record too large", { max_record_bytes: 10 }, '{"n":1}\n{"n":"0123456789"}\n', "record_too_large", 2],
    [
      "a row with too many fields",
      { format: "csv", columns: ["a"], header: false },
      '"x\ny"\n1,2\n',
      "malformed_csv",
      3
    ],
    [
      "a field of another type",
      { format: "csv", columns: ["a"], types: { a: "number" } },
      "a\n1\nx\n",
      "wrong_type",
      3
    ],
    ["a quote left open", { format: "csv", columns: ["a"], header: false }, '1\n"2\n', "malformed_csv", 2],
    ["another header", { format: "csv", columns: ["a", "b"] }, "b,a\n1,2\n", "wrong_header", 1]
  ]
  for (const [what, settings, body, code, line] of refusals) {
    it.effect(`refuses ${what} as a whole, with its line`, () =>
      Effect.gen(function* () {
        const ingress = yield* ingressOn(yield* tempFolder)
        const { reason } = yield* Effect.flip(
          push(ingress, body, { source: { use: "http", ...settings } as never })
        )
        assert.strictEqual(reason._tag, "Malformed")
        if (reason._tag === "Malformed") assert.deepStrictEqual([reason.code, reason.line], [code, line])
        assert.deepStrictEqual(yield* payloadsFrom(ingress, null, { use: "http", ...settings }), [])
      })
    )
  }

  it.effect("refuses what does not suit the source", () =>
    Effect.gen(function* () {
      const ingress = yield* ingressOn(yield* tempFolder)
      for (const more of [
        { format: "csv" },
        { updateFormat: "insert_delete" },
        { source: { use: "file" } }
      ] as const) {
        const error = yield* Effect.flip(push(ingress, "1\n", more as never))
        assert.strictEqual(error.reason._tag, "Unsuited")
      }
    })
  )

  it.effect("with one key is stored once, whoever answers, and another body is refused", () =>
    Effect.gen(function* () {
      const folder = yield* tempFolder
      const first = yield* Effect.scoped(
        Effect.gen(function* () {
          const ingress = yield* ingressOn(folder, { segmentBytes: 200 })
          const twice = yield* Effect.all(
            [1, 2].map(() => push(ingress, lines(0, 3), { key: "a" })),
            {
              concurrency: "unbounded"
            }
          )
          assert.deepStrictEqual(twice[0], twice[1])
          // The segment with the key is settled and removed; the key is not forgotten.
          for (let n = 3; n < 30; n += 3) yield* push(ingress, lines(n, n + 3))
          const reader = yield* (yield* sourceOf(ingress)).open(null)
          let read = 0
          while (read < 24) {
            const batch = yield* reader.next({ records: 3, bytes: 1000 })
            read += batch!.records.length
            yield* reader.ack(batch!.to)
          }
          return twice[0]
        })
      )
      const ingress = yield* ingressOn(folder, { segmentBytes: 200 })
      assert.deepStrictEqual(yield* push(ingress, lines(0, 3), { key: "a" }), first)
      const other = yield* Effect.flip(push(ingress, lines(0, 4), { key: "a" }))
      assert.strictEqual(other.reason._tag, "KeyReused")
      assert.deepStrictEqual(yield* payloadsFrom(ingress), numbers(24, 30))
    })
  )

  it.effect("of fifty at once shares its place on the disk: fewer syncs than pushes", () =>
    Effect.gen(function* () {
      let syncs = 0
      const disk: SpoolDisk = {
        ...fileDisk,
        sync: (handle) => {
          syncs++
          return fileDisk.sync(handle)
        }
      }
      const ingress = yield* ingressOn(yield* tempFolder, {}, disk)
      const tokens = yield* Effect.forEach(
        Array.from({ length: 50 }, (_, n) => n),
        (n) => push(ingress, lines(n * 10, n * 10 + 10)),
        { concurrency: "unbounded" }
      )
      assert.isBelow(syncs, 25)
      assert.strictEqual(new Set(tokens.map(({ token }) => token)).size, 50)
      const payloads = yield* payloadsFrom(ingress)
      assert.deepStrictEqual(
        payloads.map((each) => (each as { n: number }).n).sort((a, b) => a - b),
        numbers(0, 500).map(({ n }) => n)
      )
    })
  )

  it.effect(
    "of 16 MiB goes to the disk as it arrives; one byte more is refused; nothing is left behind",
    () =>
      Effect.gen(function* () {
        const folder = yield* tempFolder
        const ingress = yield* ingressOn(folder)
        const record = Buffer.from(`{"t":"${"x".repeat(1024 - 9)}"}\n`)
        assert.strictEqual(record.length, 1024)
        const part = Buffer.concat(Array.from({ length: 64 }, () => record))
        const folderOfBodies = join(folder, "arriving")
        let arriving = 0
        let held = 0
        const before = process.memoryUsage().arrayBuffers
        const body = Stream.range(1, 256).pipe(
          Stream.rechunk(1),
          Stream.mapEffect(() =>
            Effect.sync(() => {
              const sizes = readdirSync(folderOfBodies).map(
                (name) => statSync(join(folderOfBodies, name)).size
              )
              arriving = Math.max(arriving, ...sizes)
              held = Math.max(held, process.memoryUsage().arrayBuffers - before)
              return part
            })
          )
        )
        yield* push(ingress, "", { body })
        assert.isAbove(arriving, 15 * 1024 * 1024)
        assert.isBelow(held, 4 * 1024 * 1024)
        assert.strictEqual((yield* payloadsFrom(ingress)).length, 16 * 1024)
        const more = yield* Effect.flip(
          push(ingress, "", { body: Stream.concat(body, Stream.make(Buffer.from(" "))) })
        )
        assert.strictEqual(more.reason._tag, "TooLarge")
        assert.deepStrictEqual(readdirSync(join(folder, "arriving")), [])
      })
  )

  for (const step of ["write", "sync"] as const) {
    it.effect(`that the disk fails at (${step}) is refused, and leaves nothing to those behind it`, () =>
      Effect.gen(function* () {
        const folder = yield* tempFolder
        let isBroken = false
        const fails = async () => {
          if (isBroken) throw new Error("no space left")
        }
        const disk: SpoolDisk = {
          ...fileDisk,
          write: async (handle, buffers, at) => {
            await fileDisk.write(handle, buffers, at)
            if (step === "write") await fails()
          },
          sync: async (handle) => {
            await fileDisk.sync(handle)
            if (step === "sync") await fails()
          }
        }
        yield* Effect.scoped(
          Effect.gen(function* () {
            const ingress = yield* ingressOn(folder, {}, disk)
            yield* push(ingress, lines(0, 2))
            // What failed is whole on the disk, and the second one stands right behind what is sent again.
            isBroken = true
            const two = [push(ingress, lines(2, 4)), push(ingress, lines(20, 40))]
            const failed = yield* Effect.all(two.map(Effect.flip), { concurrency: "unbounded" })
            assert.deepStrictEqual(
              failed.map(({ reason }) => reason._tag),
              ["Unavailable", "Unavailable"]
            )
            isBroken = false
            yield* push(ingress, lines(2, 4))
          })
        )
        assert.deepStrictEqual(yield* payloadsFrom(yield* ingressOn(folder)), numbers(0, 4))
      })
    )
  }

  it.effect("into a full spool is refused until some of it is settled", () =>
    Effect.gen(function* () {
      const ingress = yield* ingressOn(yield* tempFolder, { segmentBytes: 1000, spoolBytes: 4000 })
      const some = lines(100, 140)
      let taken = 0
      const fill = Effect.forever(Effect.tap(push(ingress, some), () => Effect.sync(() => taken++)))
      assert.strictEqual((yield* Effect.flip(fill)).reason._tag, "Full")
      assert.isAbove(taken, 1)
      const reader = yield* (yield* sourceOf(ingress)).open(null)
      for (let batch = 0; batch < taken; batch++) {
        const read = yield* reader.next({ records: 1000, bytes: 100_000 })
        yield* reader.ack(read!.to)
        if (reader.progress().done === reader.progress().total) break
      }
      yield* push(ingress, some)
    })
  )
})

describe("reading", () => {
  it.effect("waits for a record, then a while for the rest of its batch, and wakes by itself", () =>
    Effect.gen(function* () {
      const ingress = yield* ingressOn(yield* tempFolder)
      const reader = yield* (yield* sourceOf(ingress)).open(null)
      const next = (records: number) =>
        Effect.forkChild(reader.next({ records, bytes: 1_000_000, waitMs: 1000 }), { startImmediately: true })
      const full = yield* next(4)
      yield* push(ingress, lines(0, 2))
      assert.isUndefined(full.pollUnsafe())
      yield* push(ingress, lines(2, 4))
      assert.strictEqual((yield* Fiber.join(full))!.records.length, 4)
      yield* push(ingress, lines(4, 5))
      const late = yield* next(4)
      yield* TestClock.adjust("1 second")
      assert.strictEqual((yield* Fiber.join(late))!.records.length, 1)
      const idle = yield* next(4)
      yield* Fiber.interrupt(idle)
      yield* push(ingress, lines(5, 6))
      assert.deepStrictEqual((yield* reader.next({ records: 1, bytes: 1 }))!.records[0]!.payload, { n: 5 })
    })
  )

  it.effect("a torn tail is cut off; what was answered stays, and what comes next stands behind it", () =>
    Effect.gen(function* () {
      const folder = yield* tempFolder
      yield* Effect.scoped(Effect.flatMap(ingressOn(folder), (ingress) => push(ingress, lines(0, 5))))
      const spool = join(folder, "p-1", "stage")
      const segment = join(spool, readdirSync(spool).find((name) => name.endsWith(".spool"))!)
      const whole = statSync(segment).size
      // Garbage as long as the next frame, and then a frame that was whole and never answered.
      appendFileSync(segment, Buffer.alloc(80, 0x4d))
      appendFileSync(segment, readFileSync(segment).subarray(whole - 64 - 5 * 8, whole))
      yield* Effect.scoped(Effect.flatMap(ingressOn(folder), (ingress) => push(ingress, lines(5, 7))))
      assert.strictEqual(statSync(segment).size, whole + 80)
      assert.deepStrictEqual(yield* payloadsFrom(yield* ingressOn(folder)), numbers(0, 7))
    })
  )

  it.effect("settings that change leave what was pushed as it was meant", () =>
    Effect.gen(function* () {
      const ingress = yield* ingressOn(yield* tempFolder)
      const one = { use: "http", format: "csv", columns: ["a"], header: false }
      const two = { ...one, columns: ["b"], types: { b: "integer" } }
      yield* push(ingress, "1\n", { source: one as never })
      yield* push(ingress, "2\n", { source: two as never })
      assert.deepStrictEqual(yield* payloadsFrom(ingress, null, two), [{ a: "1" }, { b: 2 }])
    })
  )

  it.effect("a second process is kept out", () =>
    Effect.gen(function* () {
      const folder = yield* tempFolder
      yield* ingressOn(folder)
      assert.strictEqual((yield* Effect.flip(ingressOn(folder))).reason.code, "output_locked")
    })
  )
})
