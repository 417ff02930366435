import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { DatabaseSync } from "node:sqlite"
import { assert, describe, it } from "@effect/vitest"
import { Clock, Effect, Exit, Logger, Option, Stream } from "effect"
import { layerSqliteReader, publishAddress, readHolder } from "../../src/log/Sqlite.ts"
import { databasePath, formatVersion } from "../../src/log/SqliteSchema.ts"
import { newEvent, newEvents } from "../contracts/newEvent.ts"
import { append, range } from "../contracts/onLog.ts"
import { refusal, temporaryDirectory, writeTo, writing } from "./temporary.ts"

describe("the writer", () => {
  it.effect("finds everything again after it was closed", () =>
    Effect.gen(function* () {
      const directory = yield* temporaryDirectory
      const snapshot = { stream: "a", fold: "state", foldVersion: 1, version: 3, state: "{}" }
      const head = yield* writing(directory, (log) =>
        Effect.tap(writeTo(log, "a", 3), () => log.saveSnapshot(snapshot))
      )
      yield* writing(directory, (log) =>
        Effect.gen(function* () {
          assert.deepStrictEqual(yield* log.heads, [head])
          assert.deepStrictEqual(yield* log.claim("a"), { ...head, epoch: 2 })
          assert.deepStrictEqual(yield* log.loadSnapshot("a", "state", 1), Option.some(snapshot))
        })
      )
    })
  )

  it.effect("does not go on writing to a file that was removed under it", () =>
    Effect.gen(function* () {
      const directory = yield* temporaryDirectory
      yield* writing(directory, (log) =>
        Effect.gen(function* () {
          yield* writeTo(log, "a", 1)
          rmSync(databasePath(directory))
          const error = yield* Effect.flip(writeTo(log, "b", 1))
          assert.match(JSON.stringify(error), /"Unusable"/)
        })
      )
    })
  )

  it.effect("gives positions without gaps, in the order of commits", () =>
    Effect.gen(function* () {
      const directory = yield* temporaryDirectory
      const positions = yield* writing(directory, (log) =>
        Effect.gen(function* () {
          yield* Effect.forEach(range(1, 20), (n) => writeTo(log, `s${n}`, n), { concurrency: "unbounded" })
          return yield* Stream.runCollect(Stream.map(log.readAll(), (event) => event.position))
        })
      )
      assert.deepStrictEqual(positions, range(1, 210))
    })
  )

  it.effect("commits the appends of many callers in few transactions", () =>
    Effect.gen(function* () {
      const directory = yield* temporaryDirectory
      yield* writing(directory, (log) =>
        Effect.gen(function* () {
          const heads = yield* Effect.forEach(range(1, 100), (n) => log.claim(`s${n}`))
          const before = transactions(directory)
          yield* Effect.forEach(heads, (head) => append(log, head, newEvents(head.stream, 1)), {
            concurrency: "unbounded"
          })
          assert.isBelow(transactions(directory) - before, 5)
        })
      )
    })
  )

  it.effect("reads large payloads in pages of few events", () =>
    Effect.gen(function* () {
      const directory = yield* temporaryDirectory
      yield* writing(directory, (log) =>
        Effect.gen(function* () {
          const payload = JSON.stringify("x".repeat(2_500_000))
          const head = yield* log.claim("a")
          yield* append(
            log,
            head,
            range(1, 5).map((n) => newEvent(`${n}`, { payload }))
          )
          for (const events of [log.read("a"), log.readAll(), log.readAll({ types: ["Tested"] })]) {
            const pages: Array<number> = []
            yield* Stream.runForEachArray(events, (page) => Effect.sync(() => pages.push(page.length)))
            assert.deepStrictEqual(pages, [2, 2, 1])
          }
        })
      )
    })
  )

  it.effect("goes on after a defect in the middle of a transaction", () =>
    Effect.gen(function* () {
      const directory = yield* temporaryDirectory
      yield* writing(directory, (log) =>
        Effect.gen(function* () {
          const head = yield* writeTo(log, "a", 3)
          const broken = [newEvent("x"), newEvent("y", { at: Symbol("not a time") as unknown as number })]
          assert.isTrue(Exit.hasDies(yield* Effect.exit(append(log, head, broken))))
          assert.deepStrictEqual(yield* log.heads, [head])
          assert.strictEqual((yield* append(log, head, newEvents("b", 1))).version, 4)
        })
      )
    })
  )

  it.effect("reports a slow commit after the fact", () =>
    Effect.gen(function* () {
      const directory = yield* temporaryDirectory
      const messages: Array<unknown> = []
      const logger = Logger.make(({ message }) => messages.push(message))
      const clock = yield* Clock.Clock
      let looks = 0n
      // Every look at the clock is 600 ms after the one before.
      const slow: Clock.Clock = { ...clock, currentTimeNanosUnsafe: () => looks++ * 600_000_000n }
      yield* writing(directory, (log) => writeTo(log, "a", 1)).pipe(
        Effect.provideService(Clock.Clock, slow),
        Effect.provide(Logger.layer([logger]))
      )
      assert.deepStrictEqual(messages, [["The log took 600 ms to commit 1 appends."]])
    })
  )

  it.effect("refuses what comes after it was closed, at once", () =>
    Effect.gen(function* () {
      const directory = yield* temporaryDirectory
      const log = yield* writing(directory, Effect.succeed)
      const error = yield* Effect.flip(log.append("a", { expectedVersion: 0, epoch: 0 }, newEvents("a", 1)))
      assert.deepInclude(error, { reason: { _tag: "Unavailable", message: "The log is closed." } })
      const other = yield* Effect.flip(log.claim("a"))
      assert.deepInclude(other, { reason: { _tag: "Unavailable", message: "The log is closed." } })
    })
  )
})

describe("the lock", () => {
  it.effect("a second writer is refused at once, with the holder's pid and address", () =>
    Effect.gen(function* () {
      const directory = yield* temporaryDirectory
      yield* writing(directory, () =>
        Effect.gen(function* () {
          assert.match(
            yield* refusal(directory),
            new RegExp(`^Locked: process ${process.pid} on .+ since 1970`)
          )
          yield* publishAddress(directory, "http://127.0.0.1:1")
          assert.match(yield* refusal(directory), /listening at http:\/\/127\.0\.0\.1:1$/)
          const holder = Option.getOrThrow(yield* readHolder(directory))
          assert.deepStrictEqual([holder.pid, holder.address], [process.pid, "http://127.0.0.1:1"])
        })
      )
      assert.deepStrictEqual(yield* readHolder(directory), Option.none())
      yield* writing(directory, () => Effect.void)
    })
  )

  it.effect("is freed by a log that could not be opened", () =>
    Effect.gen(function* () {
      const directory = yield* temporaryDirectory
      writeFileSync(databasePath(directory), "nonsense ".repeat(1000))
      assert.match(yield* refusal(directory), /^Unusable/)
      rmSync(databasePath(directory))
      yield* writing(directory, () => Effect.void)
    })
  )

  it.effect("a holder that cannot be read is still a holder", () =>
    Effect.gen(function* () {
      const directory = yield* temporaryDirectory
      yield* writing(directory, () =>
        Effect.gen(function* () {
          writeFileSync(join(directory, "holder.json"), '{"pid":')
          assert.strictEqual(yield* refusal(directory), "Locked: another process")
          assert.isTrue(Exit.isFailure(yield* Effect.exit(publishAddress(directory, "http://x"))))
        })
      )
    })
  )
})

describe("what is not a log is refused", () => {
  const refused = (title: string, prepare: (directory: string) => void, reason: RegExp) =>
    it.effect(title, () =>
      Effect.gen(function* () {
        const directory = join(yield* temporaryDirectory, "data")
        prepare(directory)
        assert.match(yield* refusal(directory), reason)
        assert.match(yield* refusal(directory, layerSqliteReader), reason)
      })
    )
  const database = (sql: string) => (directory: string) => {
    mkdirSync(directory)
    const other = new DatabaseSync(databasePath(directory))
    other.exec(sql)
    other.close()
  }

  refused("a directory that is a file", (directory) => writeFileSync(directory, ""), /^Unusable: .*Name /)
  refused(
    "a file that is not a database",
    (directory) => {
      mkdirSync(directory)
      writeFileSync(databasePath(directory), "nonsense ".repeat(1000))
    },
    /^Unusable: millrace\.db is not a database/
  )
  refused(
    "a database of another program",
    database("pragma application_id = 7; create table t (x)"),
    /^Unusable: .*another program/
  )
  refused(
    "a log of a newer release",
    database(`pragma application_id = ${0x6d6c7263}; pragma user_version = ${formatVersion + 1}`),
    /^Unusable: .*newer Millrace/
  )

  it.effect("a database without a mark but with tables is left alone", () =>
    Effect.gen(function* () {
      const directory = join(yield* temporaryDirectory, "data")
      database("create table theirs (x)")(directory)
      assert.match(yield* refusal(directory), /another program/)
    })
  )
})

/**
 * Commits since the write-ahead log began: each ends with a frame that says how long the database is.
 * https://www.sqlite.org/fileformat2.html#walformat
 */
const transactions = (directory: string): number => {
  const wal = readFileSync(`${databasePath(directory)}-wal`)
  const frameBytes = 24 + wal.readUInt32BE(8)
  let commits = 0
  for (let at = 32; at + 24 <= wal.length; at += frameBytes) if (wal.readUInt32BE(at + 4) > 0) commits += 1
  return commits
}
