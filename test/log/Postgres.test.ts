import { spawn } from "node:child_process"
import { once } from "node:events"
import { createInterface } from "node:readline"
import { fileURLToPath } from "node:url"
import { afterAll, assert, describe, it } from "@effect/vitest"
import { Effect, Exit, Fiber, Layer, Redacted, Stream } from "effect"
import { EventLog, type LogError } from "../../src/log/EventLog.ts"
import { layerPostgres, layerPostgresReader } from "../../src/log/Postgres.ts"
import { appendLockOf, formatVersion } from "../../src/log/PostgresSchema.ts"
import { openSession } from "../../src/log/PostgresSession.ts"
import { verify } from "../../src/log/verify.ts"
import { newEvent, newEvents } from "../contracts/newEvent.ts"
import { append, idsOf, range } from "../contracts/onLog.ts"
import { startPostgres } from "../support/PostgresServer.ts"
import { eventually, layerPostgresTemporary, newSchema, openingFailure, sql } from "./postgres.ts"
import { open, writeTo } from "./temporary.ts"

const server = await startPostgres()
afterAll(() => (typeof server === "string" ? undefined : server.stop()))

describe.runIf(typeof server !== "string")("Postgres", () => {
  if (typeof server === "string") return
  const url = Redacted.make(server.url)

  describe("the writer", () => {
    it.live("finds everything again after it was closed", () =>
      Effect.gen(function* () {
        const layer = layerPostgres({ url, schema: yield* newSchema })
        const head = yield* Effect.scoped(Effect.flatMap(open(layer), (log) => writeTo(log, "a", 3)))
        const log = yield* open(layer)
        assert.deepStrictEqual(yield* log.heads, [head])
        assert.deepStrictEqual(yield* log.claim("a"), { ...head, epoch: 2 })
      }).pipe(Effect.scoped)
    )

    it.live("commits the appends of many callers in few transactions", () =>
      Effect.gen(function* () {
        const schema = yield* newSchema
        const log = yield* open(layerPostgres({ url, schema }))
        const heads = yield* Effect.forEach(range(1, 200), (n) => log.claim(`s${n}`), { concurrency: 20 })
        yield* Effect.forEach(heads, (head) => append(log, head, newEvents(head.stream, 2)), {
          concurrency: "unbounded"
        })
        const [[[count]]] = (yield* sql(
          server.url,
          `select count(distinct xmin::text)::int4 from ${schema}.events`
        )) as [[[number]]]
        assert.isBelow(count, 6)
      }).pipe(Effect.scoped)
    )

    it.live("appends of any number of events, alone and together, make one chain", () =>
      Effect.gen(function* () {
        const log = yield* open(layerPostgresTemporary(server.url))
        for (const count of [1, 2, 3, 4, 5, 6]) {
          const streams = range(1, count).map((n) => `s${count}-${n}`)
          yield* Effect.forEach(streams, (stream) => writeTo(log, stream, count), {
            concurrency: "unbounded"
          })
        }
        const { events, firstBad } = yield* verify().pipe(Effect.provideService(EventLog, log))
        assert.deepStrictEqual([events, firstBad], [91, null])
      }).pipe(Effect.scoped)
    )

    it.live("reads large payloads in pages of few events", () =>
      Effect.gen(function* () {
        const log = yield* open(layerPostgresTemporary(server.url))
        const payload = JSON.stringify("x".repeat(2_500_000))
        yield* append(
          log,
          yield* log.claim("a"),
          range(1, 5).map((n) => newEvent(`${n}`, { payload }))
        )
        for (const events of [log.read("a"), log.readAll(), log.readAll({ types: ["Tested"] })]) {
          const pages: Array<number> = []
          yield* Stream.runForEachArray(events, (page) => Effect.sync(() => pages.push(page.length)))
          assert.deepStrictEqual(
            pages.filter((length) => length > 0),
            [2, 2, 1]
          )
        }
      }).pipe(Effect.scoped)
    )

    it.live("keeps texts that Postgres and its client would change", () =>
      Effect.gen(function* () {
        const log = yield* open(layerPostgresTemporary(server.url))
        const texts = [
          "\u0000",
          "\u0001",
          "\u00010",
          "\ufeff\ufffd",
          `${"\ufeff".repeat(40)}\ufffd`,
          "a\ufeff"
        ]
        for (const [i, text] of texts.entries()) {
          const head = yield* append(log, yield* log.claim(`s${text}`), [
            newEvent(`${i}${text}`, { by: text, type: text, causationId: text, correlationId: text })
          ])
          const [event] = yield* Stream.runCollect(log.read(head.stream))
          assert.deepInclude(event, {
            stream: `s${text}`,
            by: text,
            type: text,
            causationId: text,
            correlationId: text
          })
        }
        assert.isNull((yield* verify().pipe(Effect.provideService(EventLog, log))).firstBad)
      }).pipe(Effect.scoped)
    )

    it.live("data that a column refuses concerns nobody else of the group", () =>
      Effect.gen(function* () {
        const log = yield* open(layerPostgresTemporary(server.url))
        const heads = yield* Effect.forEach(["a", "b", "c"], log.claim)
        const exits = yield* Effect.forEach(
          heads,
          (head) =>
            Effect.exit(
              append(log, head, [newEvent(head.stream, { schemaVersion: head.stream === "b" ? 2 ** 40 : 1 })])
            ),
          { concurrency: "unbounded" }
        )
        assert.deepStrictEqual(exits.map(Exit.isSuccess), [true, false, true])
        assert.match(JSON.stringify(exits[1]), /Unusable.*Events for b cannot be stored/)
      }).pipe(Effect.scoped)
    )
  })

  describe("the global order", () => {
    /** Somebody else's append that has drawn its positions and is not committed yet. */
    const lateAppend = (schema: string) =>
      Effect.gen(function* () {
        const session = yield* openSession({ url, deadlineMs: 20_000, name: "late" })
        yield* Effect.addFinalizer(() => session.close)
        yield* session.query("begin")
        yield* session.query(`select pg_advisory_xact_lock(${appendLockOf(schema).join()})`)
        yield* session.query(
          `insert into ${schema}.events (stream, version, type, schema_version, payload, at, event_id, by, epoch, hash)
            values ('late', 1, 'T', 1, '{}', 1, 'late-1', 'x', 0, '')`
        )
        return session
      })

    it.live("shows no position before every smaller one: an append waits for one that is late", () =>
      Effect.gen(function* () {
        const schema = yield* newSchema
        const log = yield* open(layerPostgres({ url, schema }))
        const head = yield* writeTo(log, "a", 1)
        const late = yield* lateAppend(schema)
        const waiting = yield* Effect.forkChild(append(log, head, newEvents("b", 1)), {
          startImmediately: true
        })
        yield* waitsForLock(server.url)
        const all = Stream.runCollect(Stream.map(log.readAll(), (event) => event.eventId))
        assert.deepStrictEqual(yield* all, ["a-1"])
        yield* late.query("commit")
        yield* Fiber.join(waiting)
        assert.deepStrictEqual(yield* all, ["a-1", "late-1", "b-1"])
      }).pipe(Effect.scoped)
    )

    it.live("an append that would wait too long fails, and is not written later", () =>
      Effect.gen(function* () {
        const schema = yield* newSchema
        const log = yield* open(layerPostgres({ url, schema, deadlineMs: 500 }))
        const head = yield* writeTo(log, "a", 1)
        const late = yield* lateAppend(schema)
        const error = yield* Effect.flip(append(log, head, newEvents("b", 1)))
        assert.match(JSON.stringify(error), /Unavailable/)
        yield* late.query("rollback")
        assert.deepStrictEqual(yield* idsOf(log, "a"), ["a-1"])
        assert.strictEqual((yield* append(log, head, newEvents("b", 1))).version, 2)
      }).pipe(Effect.scoped)
    )
  })

  describe("a process that writes", () => {
    it.live("is named to the second one, and when it is killed what it called durable is there", () =>
      Effect.gen(function* () {
        const schema = yield* newSchema
        const layer = layerPostgres({ url, schema })
        const script = fileURLToPath(new URL("./postgresWriter.ts", import.meta.url))
        const child = spawn(process.execPath, [script, schema], {
          stdio: ["pipe", "pipe", "inherit"],
          env: { ...process.env, MILLRACE_TEST_URL: server.url }
        })
        const exited = once(child, "exit")
        let durable = 0
        let seen = 0
        yield* Effect.promise(async () => {
          for await (const line of createInterface({ input: child.stdout })) {
            durable = Number(line)
            seen += 1
            if (seen === 20) {
              assert.match(
                await Effect.runPromise(openingFailure(layer)),
                new RegExp(`^Locked: process ${child.pid} on .+ since \\d{4}-`)
              )
              child.kill("SIGKILL")
            }
          }
          await exited
        })
        // The server sees the end of the connection a moment later.
        const log = yield* eventually(open(layer))
        const head = yield* log.claim("a")
        assert.isAtLeast(head.version, durable)
        assert.strictEqual(head.version % 3, 0, "an append is all or nothing")
        const { events, firstBad } = yield* verify().pipe(Effect.provideService(EventLog, log))
        assert.deepStrictEqual([events, firstBad], [head.version, null])
      }).pipe(Effect.scoped)
    )
  })

  describe("what is not a log of ours is refused", () => {
    const refusedAs = (prepare: (schema: string) => ReadonlyArray<string>, reason: RegExp) =>
      Effect.gen(function* () {
        const schema = yield* newSchema
        yield* sql(server.url, `create schema ${schema}`, ...prepare(schema))
        assert.match(yield* openingFailure(layerPostgres({ url, schema })), reason)
        assert.match(yield* openingFailure(layerPostgresReader({ url, schema })), reason)
      }).pipe(Effect.scoped)

    it.live("a schema of another program", () =>
      refusedAs((schema) => [`create table ${schema}.theirs (x int)`], /^Unusable: .*another program/)
    )
    it.live("a log of a newer release", () =>
      refusedAs(
        (schema) => [
          `create table ${schema}.meta (key text primary key, value text)`,
          `insert into ${schema}.meta values ('format', '${formatVersion + 1}')`
        ],
        /^Unusable: .*newer Millrace/
      )
    )
    it.live(
      "a name that is none, a database that is not there, a server that is away; no word of the password",
      () =>
        Effect.gen(function* () {
          const cases: ReadonlyArray<readonly [string, string, RegExp]> = [
            [server.url, 'x"; drop', /^Unusable: .*schema/],
            [server.url.replace(/postgres$/, "nowhere"), "s", /^Unusable: .*nowhere/],
            [server.url.replace("p%40ss", "wrong%40"), "s", /^Unusable: .*password/],
            [server.url.replace(`:${server.port}/`, ":1/"), "s", /^Unavailable: .*ECONNREFUSED/],
            [server.url.replace("postgres://", "mysql://"), "s", /^Unusable: .*postgres:\/\/user/],
            [server.url.replace("127.0.0.1", "[bad"), "s", /^Unusable: .*postgres:\/\/user/]
          ]
          for (const [wrong, schema, reason] of cases) {
            for (const layer of [layerPostgres, layerPostgresReader]) {
              const exit = yield* Effect.exit(
                Effect.scoped(Layer.build(layer({ url: Redacted.make(wrong), schema })))
              )
              assert.notMatch(`${JSON.stringify(exit)}${exit}`, /canary|w0rd/)
              assert.match(yield* openingFailure(layer({ url: Redacted.make(wrong), schema })), reason)
            }
          }
        })
    )
  })

  describe("the reader", () => {
    it.live("reads beside the writer, and only reads", () =>
      Effect.gen(function* () {
        const schema = yield* newSchema
        const reader = yield* open(layerPostgresReader({ url, schema }))
        assert.deepStrictEqual(yield* reader.heads, [])
        assert.deepStrictEqual(yield* Stream.runCollect(reader.readAll()), [])
        const log = yield* open(layerPostgres({ url, schema }))
        const head = yield* writeTo(log, "a", 3)
        assert.deepStrictEqual(yield* reader.heads, [head])
        assert.deepStrictEqual(
          yield* Stream.runCollect(reader.readAll()),
          yield* Stream.runCollect(log.readAll())
        )
        for (const write of [
          reader.claim("a"),
          append(reader, head, newEvents("x", 1)),
          reader.saveSnapshot({ stream: "a", fold: "f", foldVersion: 1, version: 1, state: "{}" })
        ]) {
          assert.deepInclude(yield* Effect.flip(write as Effect.Effect<unknown, LogError>), {
            reason: { _tag: "ReadOnly" }
          })
        }
      }).pipe(Effect.scoped)
    )

    it.live("is woken by the writer", () =>
      Effect.gen(function* () {
        const schema = yield* newSchema
        const log = yield* open(layerPostgres({ url, schema }))
        const head = yield* writeTo(log, "a", 3)
        const reader = yield* open(layerPostgresReader({ url, schema }))
        const woken = yield* Effect.forkChild(Stream.runCollect(Stream.take(reader.changes, 2)), {
          startImmediately: true
        })
        yield* listens(server.url)
        yield* append(log, head, newEvents("more", 2))
        assert.deepStrictEqual(yield* Fiber.join(woken), [3, 5])
      }).pipe(Effect.scoped)
    )
  })
})

/** Until the server says so. */
const serverSays = (url: string, question: string): Effect.Effect<void> =>
  Effect.flatMap(sql(url, question), ([rows]) =>
    rows![0]![0] === true ? Effect.void : serverSays(url, question)
  )

const waitsForLock = (url: string) =>
  serverSays(url, "select exists (select from pg_locks where locktype = 'advisory' and not granted)")

const listens = (url: string) =>
  serverSays(url, "select exists (select from pg_stat_activity where query ilike 'listen%')")
