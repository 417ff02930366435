/**
 * A read that breaks off has read nothing: whichever look at the disk it was, the same call made again goes on at the
 * same record, and what was handed over reads the same another time.
 *
 * @module
 */

import { hash } from "node:crypto"
import { writeFileSync } from "node:fs"
import { type FileHandle, open } from "node:fs/promises"
import { join } from "node:path"
import { gzipSync } from "node:zlib"
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import type { Position } from "../../events/Checkpoint.ts"
import type { Source, SourceReader } from "../../src/drivers/Source.ts"
import { sourceIn, tempFolder } from "./support.ts"
import { writeParquet } from "./writeParquet.ts"

const count = 1500
/** Some 2 KiB that do not compress well, so that every format takes several reads. */
const noise = (n: number): string =>
  Array.from({ length: 30 }, (_, at) => hash("sha256", `${n} ${at}`, "hex")).join("é")
const rows = Array.from({ length: count }, (_, n) => ({ n, text: noise(n) }))
const ndjson = rows.map((row) => `${JSON.stringify(row)}\n`).join("")
const csv = `n,text\n${rows.map(({ n, text }) => `${n},"${text}\n"\n`).join("")}`
const parquet = () =>
  writeParquet(
    [
      { name: "n", type: 5, dictionary: false, values: rows.map(({ n }) => n) },
      { name: "text", type: 6, converted: 0, dictionary: true, values: rows.map(({ text }) => text) }
    ],
    { groupRows: 350, pageRows: 50 }
  )

/** By the name of the file; of several, a glob over its parts. */
const files: Readonly<Record<string, () => string | Uint8Array>> = {
  "a.ndjson": () => ndjson,
  "a.csv": () => csv,
  "a.json": () => `[\n${rows.map((row) => JSON.stringify(row)).join(",\n")}\n]\n`,
  "a.ndjson.gz": () => gzipSync(ndjson),
  "a.parquet": parquet,
  "a-*.ndjson": () => ndjson
}

const limit = { records: 350, bytes: Number.MAX_SAFE_INTEGER }

/** The n-th read of the disk from now on fails, once; says how many there were. */
const breaking = Effect.fnUntraced(function* (path: string, nth: number) {
  const handle = yield* Effect.promise(() => open(path))
  const prototype: FileHandle = Object.getPrototypeOf(handle)
  yield* Effect.promise(() => handle.close())
  const read = prototype.read
  let reads = 0
  yield* Effect.acquireRelease(
    Effect.sync(() => {
      prototype.read = function (this: FileHandle, ...args: ReadonlyArray<unknown>) {
        if (++reads === nth) {
          return Promise.reject(
            Object.assign(new Error("EIO: i/o error, read"), { code: "EIO", syscall: "read" })
          )
        }
        return Reflect.apply(read, this, args)
      } as never
    }),
    () => Effect.sync(() => (prototype.read = read))
  )
  return () => reads
})

/** All batches of a reader that is asked again when it fails; each with the place before it. */
const readOn = Effect.fnUntraced(function* (reader: SourceReader) {
  const batches = []
  let from: Position | null = null
  let failures = 0
  while (true) {
    const read = yield* Effect.result(reader.next(limit))
    if (read._tag === "Failure") {
      assert.strictEqual(read.failure.reason.code, "file_io_failed")
      failures++
      continue
    }
    if (read.success === null) return { batches, failures }
    batches.push({ from, batch: read.success })
    from = read.success.to
  }
})

const readAgain = (source: Source, from: Position | null, records: number) =>
  Effect.scoped(
    Effect.flatMap(source.open(from), (reader) => reader.next({ ...limit, records, exactly: true }))
  )

describe.each(Object.keys(files))("%s", (name) => {
  it.effect("goes on at the same record, whichever read of the disk has failed", () =>
    Effect.gen(function* () {
      const folder = yield* tempFolder
      const content = files[name]!()
      const path = name.replace("*", "1")
      writeFileSync(join(folder, path), content)
      if (path !== name) writeFileSync(join(folder, name.replace("*", "2")), content)
      const source = yield* sourceIn(
        folder,
        name === "a.csv" ? { path: name, types: { n: "integer" } } : { path: name }
      )
      const whole = yield* Effect.scoped(Effect.flatMap(source.open(null), readOn))
      const payloads = whole.batches.flatMap(({ batch }) => batch.records.map(({ payload }) => payload))
      // What stands before a break may be handed over: then the batch ends there, and the next call goes on.
      let met = 0
      const step = name.endsWith(".gz") ? 11 : 1
      for (let nth = 1, more = true; more; nth += step) {
        yield* Effect.scoped(
          Effect.gen(function* () {
            const reader = yield* source.open(null)
            const { batches, failures, reads } = yield* Effect.scoped(
              Effect.gen(function* () {
                const reads = yield* breaking(join(folder, path), nth)
                return { ...(yield* readOn(reader)), reads: reads() }
              })
            )
            met += failures + batches.length - whole.batches.length
            more = reads >= nth
            const again = batches.flatMap(({ batch }) => batch.records.map(({ payload }) => payload))
            assert.deepStrictEqual(again, payloads, `read ${nth}`)
            for (const { batch, from } of batches) {
              const same = yield* readAgain(source, from, batch.records.length)
              assert.strictEqual(
                same?.digest,
                batch.digest,
                `read ${nth}: a batch of ${batch.records.length}`
              )
            }
          })
        )
      }
      assert.isAbove(met, 0)
    })
  )
})
