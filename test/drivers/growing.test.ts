/**
 * A file that is still being written: its whole records and no others, as they come.
 */
import { appendFileSync, renameSync, truncateSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber, Schema } from "effect"
import { TestClock } from "effect/testing"
import type { Position } from "../../events/Checkpoint.ts"
import { fileSource } from "../../src/drivers/file/FileSource.ts"
import type { SourceReader } from "../../src/drivers/Source.ts"
import { codeOf, contextOf, tempFolder } from "./support.ts"

const some = { records: 100, bytes: Number.MAX_SAFE_INTEGER }

const following = Effect.fnUntraced(function* (
  folder: string,
  name: string,
  from: Position | null = null,
  settings: Readonly<Record<string, unknown>> = {}
) {
  const config = Schema.decodeUnknownSync(fileSource.config)({ path: name, ...settings })
  const source = yield* fileSource.make(config, { ...contextOf(folder), follows: true })
  return yield* source.open(from)
})

/** What the next batch holds, while time passes: the reader looks again and again. */
const nextOf = Effect.fnUntraced(function* (reader: SourceReader, limit = some) {
  const fiber = yield* Effect.forkChild(reader.next(limit))
  while (fiber.pollUnsafe() === undefined) {
    yield* TestClock.adjust("100 millis")
    yield* Effect.promise(() => new Promise((resolve) => setImmediate(resolve)))
  }
  return (yield* Fiber.join(fiber))!
})
const payloads = (batch: { readonly records: ReadonlyArray<{ readonly payload: unknown }> }) =>
  batch.records.map(({ payload }) => payload)

/** Lets the reader look several times; it must still be waiting. */
const keepsWaiting = Effect.fnUntraced(function* (reader: SourceReader) {
  const fiber = yield* Effect.forkChild(reader.next(some))
  for (let turn = 0; turn < 50; turn++) {
    yield* TestClock.adjust("100 millis")
    yield* Effect.promise(() => new Promise((resolve) => setImmediate(resolve)))
  }
  assert.isUndefined(fiber.pollUnsafe())
  yield* Fiber.interrupt(fiber)
})

describe("a file that grows", () => {
  it.effect("gives what is there, then what comes; an unfinished line waits for its newline", () =>
    Effect.gen(function* () {
      const folder = yield* tempFolder
      const path = join(folder, "a.ndjson")
      writeFileSync(path, '{"n":1}\n{"n":2}\n{"n"')
      const reader = yield* following(folder, "a.ndjson")
      assert.deepStrictEqual(payloads(yield* nextOf(reader)), [{ n: 1 }, { n: 2 }])
      yield* keepsWaiting(reader)
      appendFileSync(path, ':3}\n{"n":4}\n{')
      assert.deepStrictEqual(payloads(yield* nextOf(reader)), [{ n: 3 }, { n: 4 }])
    })
  )

  it.effect("goes on from a position, and reads a sealed batch again however long the file is by now", () =>
    Effect.gen(function* () {
      const folder = yield* tempFolder
      const path = join(folder, "a.ndjson")
      writeFileSync(path, '{"n":1}\n{"n":2}\n')
      const first = yield* nextOf(yield* following(folder, "a.ndjson"))
      appendFileSync(path, '{"n":3}\n')
      const again = yield* following(folder, "a.ndjson")
      const sealed = yield* nextOf(again, { ...some, records: 2, exactly: true } as typeof some)
      assert.strictEqual(sealed.digest, first.digest)
      const later = yield* following(folder, "a.ndjson", first.to)
      const third = yield* nextOf(later)
      assert.deepStrictEqual(payloads(third), [{ n: 3 }])
      // Its beginning is longer by now than it was when that reader was opened.
      appendFileSync(path, '{"n":4}\n')
      const fourth = yield* nextOf(later)
      appendFileSync(path, '{"n":5}\n')
      const last = yield* following(folder, "a.ndjson", fourth.to)
      assert.deepStrictEqual(payloads(yield* nextOf(last)), [{ n: 5 }])
    })
  )

  it.effect("a CSV record of several lines is whole when its quote is closed", () =>
    Effect.gen(function* () {
      const folder = yield* tempFolder
      const path = join(folder, "a.csv")
      writeFileSync(path, 'id,text\n1,"one\n')
      const reader = yield* following(folder, "a.csv")
      yield* keepsWaiting(reader)
      appendFileSync(path, 'line ""more"""\n2,two\n')
      assert.deepStrictEqual(payloads(yield* nextOf(reader)), [
        { id: "1", text: 'one\nline "more"' },
        { id: "2", text: "two" }
      ])
    })
  )

  it.effect("a quote that is never closed costs its line, not everything behind it", () =>
    Effect.gen(function* () {
      const folder = yield* tempFolder
      const path = join(folder, "a.csv")
      writeFileSync(path, `id,text\n1,"open\n${"2,two\n".repeat(60)}`)
      const reader = yield* following(folder, "a.csv", null, { max_record_bytes: 200 })
      const codes: Array<unknown> = []
      while (codes.length < 61) {
        const { records } = yield* nextOf(reader)
        codes.push(...records.map(({ failure, payload }) => failure?.code ?? (payload as { id: string }).id))
      }
      assert.deepStrictEqual(codes, ["malformed_csv", ...Array.from({ length: 60 }, () => "2")])
    })
  )

  it.effect("is refused when it shrinks, or another file takes its name", () =>
    Effect.gen(function* () {
      const folder = yield* tempFolder
      for (const change of [
        (path: string) => truncateSync(path, 3),
        (path: string) => {
          writeFileSync(`${path}.new`, '{"n":1}\n{"n":2}\n')
          renameSync(`${path}.new`, path)
        }
      ]) {
        const path = join(folder, "a.ndjson")
        writeFileSync(path, '{"n":1}\n')
        const reader = yield* following(folder, "a.ndjson")
        yield* nextOf(reader)
        change(path)
        assert.strictEqual(yield* codeOf(reader.next(some)), "source_changed")
      }
    })
  )
})
