import { spawn } from "node:child_process"
import { once } from "node:events"
import {
  appendFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync
} from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Schema } from "effect"
import fc from "fast-check"
import { fileError } from "../../src/drivers/file/fileError.ts"
import { fileSink } from "../../src/drivers/file/sink/FileSink.ts"
import type { Receipt, Sink, SinkOpening } from "../../src/drivers/Sink.ts"
import { readAll, recordsOf, sinkSuite } from "../contracts/Driver.ts"
import { codeOf, sinkIn, sourceIn, tempFolder } from "./support.ts"

const opening = (epoch: number, receipt: Receipt | null = null, finished = false): SinkOpening => ({
  epoch,
  run: "run",
  receipt,
  leftover: null,
  finished
})

const batch = (sink: Sink, n: number, payloads: ReadonlyArray<unknown>) => ({
  key: `k${n}`,
  batch: n,
  attempt: 1,
  records: payloads.map((payload) => sink.encode(payload))
})

const partialsIn = (folder: string) =>
  readdirSync(folder)
    .filter((name) => name.endsWith(".partial"))
    .sort()

for (const [name, mode] of [
  ["out.ndjson", "replace"],
  ["out.ndjson", "append"],
  ["out.csv", "replace"],
  ["out.csv", "append"]
] as const) {
  sinkSuite(
    `file ${name} ${mode}`,
    Effect.gen(function* () {
      const folder = yield* tempFolder
      return {
        sink: sinkIn(folder, { path: `deep/${name}`, mode }),
        visible: Effect.orDie(
          Effect.scoped(
            Effect.gen(function* () {
              const types = name === "out.csv" ? { types: { id: "integer" } } : {}
              const source = yield* sourceIn(folder, { path: `deep/${name}`, ...types })
              const batches = yield* readAll(source, { records: 1000, bytes: 1e9 })
              return recordsOf(batches).map((record) => record.failure ?? record.payload)
            })
          )
        )
      }
    })
  )
}

describe("what a power loss or a kill leaves behind", () => {
  it.effect("C13: torn bytes before the first receipt are cut off, because the base length is known", () =>
    Effect.gen(function* () {
      const folder = yield* tempFolder
      writeFileSync(join(folder, "all.ndjson"), '{"run":0}\n')
      const config = { path: "all.ndjson", mode: "append" }
      const base = yield* Effect.scoped(
        Effect.gen(function* () {
          const sink = yield* sinkIn(folder, config)
          const writer = yield* sink.open(opening(1))
          yield* writer.write(batch(sink, 0, [{ run: 1 }]))
          return writer.base
        })
      )
      assert.deepStrictEqual(base, { length: 10 })
      appendFileSync(join(folder, "all.ndjson"), '{"to')
      yield* Effect.scoped(
        Effect.gen(function* () {
          const sink = yield* sinkIn(folder, config)
          const writer = yield* sink.open(opening(2, base))
          yield* writer.write(batch(sink, 0, [{ run: 1 }]))
          yield* writer.flush
        })
      )
      assert.strictEqual(readFileSync(join(folder, "all.ndjson"), "utf8"), '{"run":0}\n{"run":1}\n')
    })
  )

  for (const mode of ["replace", "append"]) {
    it.effect(`C14: a ${mode} output shorter than recorded is refused`, () =>
      Effect.gen(function* () {
        const folder = yield* tempFolder
        const config = { path: "all.ndjson", mode }
        const receipt = yield* Effect.scoped(
          Effect.gen(function* () {
            const sink = yield* sinkIn(folder, config)
            const writer = yield* sink.open(opening(1))
            yield* writer.write(batch(sink, 0, [{ a: 1 }]))
            return yield* writer.flush
          })
        )
        const file = mode === "append" ? "all.ndjson" : partialsIn(folder)[0]!
        truncateSync(join(folder, file), 3)
        const sink = yield* sinkIn(folder, config)
        assert.strictEqual(yield* codeOf(sink.open(opening(2, receipt))), "output_shorter_than_recorded")
      })
    )
  }

  it.effect("C15: a publish repeated after the rename changes nothing", () =>
    Effect.gen(function* () {
      const folder = yield* tempFolder
      const target = join(folder, "all.ndjson")
      writeFileSync(target, "yesterday\n")
      const finished = yield* Effect.scoped(
        Effect.gen(function* () {
          const sink = yield* sinkIn(folder, { path: "all.ndjson" })
          const writer = yield* sink.open(opening(1))
          yield* writer.write(batch(sink, 0, [{ a: 1 }]))
          return yield* writer.finish
        })
      )
      assert.strictEqual(readFileSync(target, "utf8"), "yesterday\n")
      for (const epoch of [2, 3]) {
        const sink = yield* sinkIn(folder, { path: "all.ndjson" })
        const writer = yield* sink.open(opening(epoch, finished, true))
        assert.strictEqual(yield* codeOf(writer.write(batch(sink, 1, [{ a: 2 }]))), "output_finished")
        yield* writer.publish
        assert.strictEqual(readFileSync(target, "utf8"), '{"a":1}\n')
        assert.deepStrictEqual(partialsIn(folder), [])
      }
    })
  )

  it.effect("C15: a finished output that is gone is not called published", () =>
    Effect.gen(function* () {
      const folder = yield* tempFolder
      const sink = yield* sinkIn(folder, { path: "all.ndjson" })
      const receipt = { file: ".all.ndjson.p-1.1.partial", length: 8 }
      const writer = yield* sink.open(opening(2, receipt, true))
      assert.strictEqual(yield* codeOf(writer.publish), "output_shorter_than_recorded")
    })
  )

  it.effect("C16: a zombie's writes do not reach the file of its successor", () =>
    Effect.gen(function* () {
      const folder = yield* tempFolder
      const config = { path: "all.ndjson" }
      const zombie = yield* sinkIn(folder, config)
      const old = yield* zombie.open(opening(1))
      yield* old.write(batch(zombie, 0, [{ a: 0 }]))
      const receipt = yield* old.flush
      const sink = yield* sinkIn(folder, config)
      const writer = yield* sink.open(opening(2, receipt))
      yield* old.write(batch(zombie, 1, [{ zombie: true }]))
      yield* writer.write(batch(sink, 1, [{ a: 1 }]))
      yield* old.write(batch(zombie, 2, [{ zombie: true }]))
      yield* old.flush
      yield* writer.finish
      yield* writer.publish
      yield* old.write(batch(zombie, 3, [{ zombie: true }]))
      assert.strictEqual(readFileSync(join(folder, "all.ndjson"), "utf8"), '{"a":0}\n{"a":1}\n')
    })
  )

  it.effect("the partial file the log names survives until the log names another", () =>
    Effect.gen(function* () {
      const folder = yield* tempFolder
      const config = { path: "all.ndjson" }
      const open = (epoch: number, receipt: Receipt | null) =>
        Effect.scoped(
          Effect.gen(function* () {
            const sink = yield* sinkIn(folder, config)
            const writer = yield* sink.open(opening(epoch, receipt))
            yield* writer.write(batch(sink, epoch, [{ epoch }]))
            return yield* writer.flush
          })
        )
      const first = yield* open(1, null)
      yield* open(2, first) // killed before its receipt was logged
      yield* open(3, first)
      const fourth = yield* open(4, first)
      assert.deepStrictEqual(partialsIn(folder), [".all.ndjson.p-1.1.partial", ".all.ndjson.p-1.4.partial"])
      yield* open(5, fourth)
      assert.deepStrictEqual(partialsIn(folder), [".all.ndjson.p-1.4.partial", ".all.ndjson.p-1.5.partial"])
      const other = yield* sinkIn(folder, config, "p-2")
      yield* other.open(opening(9))
      assert.include(partialsIn(folder), ".all.ndjson.p-1.5.partial")
      yield* open(6, null) // a new run: the abandoned one's files go
      assert.deepStrictEqual(partialsIn(folder), [".all.ndjson.p-1.6.partial", ".all.ndjson.p-2.9.partial"])
    })
  )

  it("any prefix of writes, any torn tail, any number of kills: every record once", () =>
    fc.assert(
      fc.asyncProperty(
        fc.array(
          fc.record({ writes: fc.integer({ min: 0, max: 3 }), logged: fc.boolean(), torn: fc.string() }),
          {
            maxLength: 6
          }
        ),
        fc.constantFrom("replace", "append"),
        fc.constantFrom("all.ndjson", "all.csv"),
        (lives, mode, path) => Effect.runPromise(Effect.scoped(livesOf(lives, mode, path)))
      ),
      { numRuns: 60 }
    ))
})

interface Life {
  readonly writes: number
  readonly logged: boolean
  readonly torn: string
}

/** Each life writes some batches, may get its receipt into the log, writes on, and dies with a torn tail. */
const livesOf = Effect.fnUntraced(function* (lives: ReadonlyArray<Life>, mode: string, path: string) {
  const folder = yield* tempFolder
  const config = { path, mode }
  let receipt: Receipt | null = null
  let applied = 0
  for (const [index, life] of [...lives, { writes: 1, logged: true, torn: "" }].entries()) {
    const sink = yield* sinkIn(folder, config)
    yield* Effect.scoped(
      Effect.gen(function* () {
        const writer = yield* sink.open(opening(index + 1, receipt))
        receipt ??= writer.base
        for (let n = 0; n < life.writes; n++) yield* writer.write(batch(sink, n, [{ n: applied + n }]))
        const flushed = yield* writer.flush
        if (life.logged) {
          receipt = flushed
          applied += life.writes
        }
        if (index === lives.length) {
          receipt = yield* writer.finish
          yield* writer.publish
        } else {
          yield* writer.write(batch(sink, 9, [{ n: "owed" }]))
        }
      })
    )
    const current = mode === "append" ? path : (receipt as unknown as { file: string }).file
    if (index < lives.length) appendFileSync(join(folder, current), life.torn)
  }
  const written = readFileSync(join(folder, path), "utf8")
  const rows = Array.from({ length: applied }, (_, n) => (path === "all.csv" ? `${n}` : `{"n":${n}}`))
  assert.strictEqual(written, `${(path === "all.csv" ? ["n", ...rows] : rows).join("\n")}\n`)
})

describe("columns of a CSV file", () => {
  it.effect("are those of the first record, and a resumed run keeps them", () =>
    Effect.gen(function* () {
      const folder = yield* tempFolder
      const sink = yield* sinkIn(folder, { path: "a.csv" })
      const writer = yield* sink.open(opening(1))
      yield* writer.write(batch(sink, 0, [{ b: 1, a: null }]))
      const receipt = yield* writer.flush
      const again = yield* sinkIn(folder, { path: "a.csv" })
      const second = yield* again.open(opening(2, receipt))
      yield* second.write(batch(again, 1, [{ a: { deep: [1] }, b: 'x"y' }]))
      yield* second.finish
      yield* second.publish
      assert.strictEqual(readFileSync(join(folder, "a.csv"), "utf8"), 'b,a\n1,\n"x""y","{""deep"":[1]}"\n')
    })
  )

  it.effect("a record that does not fit is refused with the reason", () =>
    Effect.gen(function* () {
      const folder = yield* tempFolder
      const sink = yield* sinkIn(folder, { path: "a.csv", columns: ["a", "b"] })
      yield* sink.open(opening(1))
      assert.throws(() => sink.encode({ a: 1, c: 2 }), "unexpected field c")
      assert.throws(() => sink.encode([1]), /object/)
      assert.throws(() => sink.encode({ a: Number.NaN }), /field a is NaN/)
      assert.throws(() => sink.encode({ a: 1n }), /field a/)
      assert.strictEqual(sink.encode({ b: 1 }), ",1\n")
    })
  )

  it.effect("appending to a file goes on with its header; other columns are refused", () =>
    Effect.gen(function* () {
      const folder = yield* tempFolder
      writeFileSync(join(folder, "a.csv"), '"x y",b\n1,2')
      const sink = yield* sinkIn(folder, { path: "a.csv", mode: "append" })
      yield* Effect.scoped(
        Effect.gen(function* () {
          const writer = yield* sink.open(opening(1))
          yield* writer.write(batch(sink, 0, [{ b: 4, "x y": 3 }]))
          yield* writer.flush
        })
      )
      assert.strictEqual(readFileSync(join(folder, "a.csv"), "utf8"), '"x y",b\n1,2\n3,4\n')
      const other = yield* sinkIn(folder, { path: "a.csv", mode: "append", columns: ["b", "c"] })
      assert.strictEqual(yield* codeOf(other.open(opening(2))), "columns_differ")
    })
  )

  it.effect("a run without records leaves the header where the columns are known", () =>
    Effect.gen(function* () {
      const folder = yield* tempFolder
      for (const [path, columns] of [
        ["a.csv", { columns: ["a", "b"] }],
        ["b.ndjson", {}]
      ] as const) {
        const sink = yield* sinkIn(folder, { path, ...columns })
        const writer = yield* sink.open(opening(1))
        yield* writer.finish
        yield* writer.publish
      }
      assert.strictEqual(readFileSync(join(folder, "a.csv"), "utf8"), "a,b\n")
      assert.strictEqual(readFileSync(join(folder, "b.ndjson"), "utf8"), "")
    })
  )
})

describe("NDJSON rows", () => {
  it.effect("hold what JSON holds and refuse what it would silently change", () =>
    Effect.gen(function* () {
      const sink = yield* sinkIn("/", { path: "a.ndjson" })
      assert.strictEqual(sink.encode({ a: [1, null, "ü"], d: {} }), '{"a":[1,null,"ü"],"d":{}}\n')
      for (const bad of [
        undefined,
        1n,
        () => 1,
        { a: undefined },
        { a: [{ b: Number.NaN }] },
        { f: () => 1 }
      ]) {
        assert.throws(() => sink.encode(bad), /JSON cannot hold/)
      }
    })
  )
})

describe("a place that cannot be written", () => {
  it.effect("two appenders: the second waits, and gets it when the first is gone", () =>
    Effect.gen(function* () {
      const folder = yield* tempFolder
      const config = { path: "a.ndjson", mode: "append" }
      yield* Effect.scoped(
        Effect.gen(function* () {
          yield* (yield* sinkIn(folder, config)).open(opening(1))
          const second = yield* sinkIn(folder, config, "p-2")
          const error = yield* Effect.flip(second.open(opening(1)))
          assert.deepStrictEqual([error.reason.code, error.isRetryable], ["output_locked", true])
        })
      )
      yield* Effect.scoped((yield* sinkIn(folder, config, "p-2")).open(opening(1)))
    })
  )

  it.effect("an older file under the target's name is not taken for the finished output", () =>
    Effect.gen(function* () {
      const folder = yield* tempFolder
      const target = join(folder, "a.ndjson")
      writeFileSync(target, '{"old":"data"}\n')
      const sink = yield* sinkIn(folder, { path: "a.ndjson" })
      const gone = { file: ".a.ndjson.p-1.1.partial", length: 700 }
      const writer = yield* sink.open(opening(2, gone, true))
      assert.strictEqual(yield* codeOf(writer.publish), "output_shorter_than_recorded")
    })
  )

  it.effect("append goes on behind what a run that was given up is vouched for", () =>
    Effect.gen(function* () {
      const folder = yield* tempFolder
      const target = join(folder, "a.ndjson")
      writeFileSync(target, '{"kept":1}\n{"torn":')
      const sink = yield* sinkIn(folder, { path: "a.ndjson", mode: "append" })
      const writer = yield* sink.open({ ...opening(2), leftover: { length: 11 } })
      assert.deepStrictEqual(writer.base, { length: 11 })
      assert.strictEqual(readFileSync(target, "utf8"), '{"kept":1}\n')
    })
  )

  it("two names of one file are one resource", () => {
    const folder = mkdtempSync(join(tmpdir(), "millrace-"))
    try {
      writeFileSync(join(folder, "a.ndjson"), "")
      symlinkSync("a.ndjson", join(folder, "b.ndjson"))
      mkdirSync(join(folder, "deep"))
      symlinkSync("deep", join(folder, "link"))
      const context = { pipeline: { id: "1", name: "p" }, stage: "s", base: folder }
      const resource = (path: string) =>
        fileSink.resource?.(Schema.decodeUnknownSync(fileSink.config)({ path }), context)
      assert.strictEqual(resource("b.ndjson"), resource("a.ndjson"))
      assert.strictEqual(resource("link/new/c.ndjson"), resource("deep/new/c.ndjson"))
      assert.notStrictEqual(resource("a.ndjson"), resource("deep/new/c.ndjson"))
    } finally {
      rmSync(folder, { recursive: true })
    }
  })

  it.effect("a lock dies with its holder, killed or not", () =>
    Effect.gen(function* () {
      const folder = yield* tempFolder
      const target = join(folder, "a.ndjson")
      const script = `
        process.stdin.resume() // nothing else keeps the process alive
        import { Effect } from "effect"
        import { lockFile } from "./src/drivers/file/sink/FileLock.ts"
        const held = Effect.andThen(lockFile(${JSON.stringify(target)}), Effect.sync(() => console.log("held")))
        await Effect.runPromise(Effect.scoped(Effect.andThen(held, Effect.never)))`
      const child = spawn(process.execPath, ["--input-type=module-typescript", "-e", script])
      yield* Effect.promise(() => once(child.stdout, "data"))
      const sink = yield* sinkIn(folder, { path: "a.ndjson", mode: "append" })
      assert.strictEqual(yield* codeOf(sink.open(opening(1))), "output_locked")
      child.kill("SIGKILL")
      yield* Effect.promise(() => once(child, "exit"))
      yield* sink.open(opening(1))
    })
  )

  it.effect("a folder, or a folder that is a file", () =>
    Effect.gen(function* () {
      const folder = yield* tempFolder
      mkdirSync(join(folder, "a.ndjson"))
      writeFileSync(join(folder, "plain"), "")
      for (const mode of ["replace", "append"]) {
        const target = yield* sinkIn(folder, { path: "a.ndjson", mode })
        assert.strictEqual(yield* codeOf(target.open(opening(1))), "not_a_file")
        const below = yield* sinkIn(folder, { path: "plain/a.ndjson", mode })
        assert.strictEqual(yield* codeOf(below.open(opening(1))), "not_a_file")
      }
      assert.isTrue(statSync(join(folder, "a.ndjson")).isDirectory())
    })
  )

  it.effect.skipIf(!existsSync("/dev/full"))("a full disk is waited out", () =>
    Effect.gen(function* () {
      const { OutputFile } = yield* Effect.promise(() => import("../../src/drivers/file/sink/OutputFile.ts"))
      const { open } = yield* Effect.promise(() => import("node:fs/promises"))
      const handle = yield* Effect.promise(() => open("/dev/full", "w"))
      const output = new OutputFile("/dev/full", handle, 0)
      const cause = yield* Effect.promise(() => output.append("x").catch((error: unknown) => error))
      const error = fileError("write", "/dev/full", "write", cause)
      assert.deepStrictEqual([error.reason.code, error.isRetryable], ["disk_full", true])
      yield* Effect.promise(() => handle.close())
    })
  )

  it.effect("after a failed write the torn bytes are cut off before the next", () =>
    Effect.gen(function* () {
      const folder = yield* tempFolder
      const { OutputFile } = yield* Effect.promise(() => import("../../src/drivers/file/sink/OutputFile.ts"))
      const { open } = yield* Effect.promise(() => import("node:fs/promises"))
      const path = join(folder, "a.ndjson")
      const handle = yield* Effect.promise(() => open(path, "w+"))
      let faults = 1
      const faulty = new Proxy(handle, {
        get: (target, key) => {
          if (key !== "write") return Reflect.get(target, key).bind(target)
          return async (bytes: Buffer, from: number, length: number, at: number) => {
            const part = await target.write(bytes, from, Math.min(length, 5), at)
            if (from > 0 && faults-- > 0) throw Object.assign(new Error("no space"), { code: "ENOSPC" })
            return part
          }
        }
      })
      const output = new OutputFile(path, faulty, 0)
      const failed = yield* Effect.promise(() => output.append('{"a":"0123456789"}\n').catch(() => "failed"))
      assert.strictEqual(failed, "failed")
      yield* Effect.promise(() => output.append('{"b":"0123456789"}\n'))
      yield* Effect.promise(() => output.sync())
      assert.strictEqual(readFileSync(path, "utf8"), '{"b":"0123456789"}\n')
      yield* Effect.promise(() => handle.close())
    })
  )

  it.effect("what was gathered is written once, also when its first write failed", () =>
    Effect.gen(function* () {
      const folder = yield* tempFolder
      const { OutputFile } = yield* Effect.promise(() => import("../../src/drivers/file/sink/OutputFile.ts"))
      const { fileWriter } = yield* Effect.promise(() => import("../../src/drivers/file/sink/FileWriter.ts"))
      const { open } = yield* Effect.promise(() => import("node:fs/promises"))
      const path = join(folder, "a.ndjson")
      const handle = yield* Effect.promise(() => open(path, "w+"))
      let writes = 0
      const faulty = new Proxy(handle, {
        get: (target, key) => {
          if (key !== "write") return Reflect.get(target, key).bind(target)
          return async (...args: Parameters<typeof handle.write>) => {
            if (++writes === 1) throw Object.assign(new Error("no space"), { code: "ENOSPC" })
            return target.write(...args)
          }
        }
      })
      const writer = fileWriter({
        output: new OutputFile(path, faulty, 0),
        csv: undefined,
        replaces: true,
        endsOpen: false,
        attempt: (operation, path, act) =>
          Effect.tryPromise({ try: act, catch: (cause) => fileError(operation, path, "write", cause) }),
        publish: () => Effect.void
      })
      const small = { key: "k0", batch: 0, attempt: 1, records: ["1\n"] }
      const large = { key: "k1", batch: 1, attempt: 1, records: [`"${"x".repeat(600_000)}"\n`] }
      yield* writer.write(small)
      assert.strictEqual(writes, 0)
      assert.strictEqual((yield* Effect.flip(writer.write(large))).reason.code, "disk_full")
      yield* writer.write(large)
      yield* writer.flush
      assert.strictEqual(readFileSync(path, "utf8"), small.records[0]! + large.records[0]!)
      yield* Effect.promise(() => handle.close())
    })
  )
})
