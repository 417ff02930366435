import { afterAll, assert, describe, it } from "@effect/vitest"
import { Effect, Redacted, Stream } from "effect"
import { genesisHash } from "../../events/StoredEvent.ts"
import { link, type Row } from "../../src/log/Append.ts"
import { EventLog } from "../../src/log/EventLog.ts"
import { importStream } from "../../src/log/importStream.ts"
import { layerPostgres } from "../../src/log/Postgres.ts"
import { openPostgresImport } from "../../src/log/PostgresImport.ts"
import { verify } from "../../src/log/verify.ts"
import { newEvent, newEvents } from "../contracts/newEvent.ts"
import { idsOf } from "../contracts/onLog.ts"
import { startFaultyProxy } from "../support/FaultyProxy.ts"
import { startPostgres } from "../support/PostgresServer.ts"
import { eventually, newSchema } from "./postgres.ts"
import { open, writeTo } from "./temporary.ts"

const server = await startPostgres()
afterAll(() => (typeof server === "string" ? undefined : server.stop()))

describe.runIf(typeof server !== "string")("an import into Postgres", () => {
  if (typeof server === "string") return

  const history = link({ stream: "a", version: 0, epoch: 3, hash: genesisHash }, [
    ...newEvents("a", 4),
    newEvent("\u0000odd", { by: "\u0001", correlationId: "c" })
  ])
  const end = { version: 5, hash: history[4]!.hash }

  const bring = (
    options: { readonly schema: string; readonly port?: number },
    rows: ReadonlyArray<Row> = history,
    onPage: () => void = () => {}
  ) =>
    importStream({
      store: openPostgresImport({
        url: Redacted.make(server.url.replace(`:${server.port}/`, `:${options.port ?? server.port}/`)),
        schema: options.schema,
        deadlineMs: 2000
      }),
      stream: "a",
      end,
      pages: Stream.fromIterable([rows.slice(0, 2), rows.slice(2)]).pipe(
        Stream.tap(() => Effect.sync(onPage))
      ),
      companion: {
        stream: "catalog",
        decide: (before) => Effect.succeed(newEvents(`known-${before.length}`, 1))
      }
    })
  const opened = (schema: string) => open(layerPostgres({ url: Redacted.make(server.url), schema }))

  it.live("keeps versions, epochs and hashes, and the stream and its companion can be gone on with", () =>
    Effect.gen(function* () {
      const schema = yield* newSchema
      yield* Effect.scoped(Effect.flatMap(opened(schema), (log) => writeTo(log, "catalog", 2)))
      // The lock of the one before is free once the server has noticed that its connections are closed.
      yield* eventually(bring({ schema }))
      const log = yield* eventually(opened(schema))
      const rows = (yield* Stream.runCollect(log.read("a"))).map(({ position: _, ...row }) => row)
      assert.deepStrictEqual(rows, [...history])
      assert.deepStrictEqual(yield* idsOf(log, "catalog"), ["catalog-1", "catalog-2", "known-2-1"])
      assert.deepStrictEqual((yield* log.claim("a")).epoch, 4)
      assert.deepStrictEqual((yield* log.claim("catalog")).epoch, 3)
      yield* writeTo(log, "a", 0)
      assert.isNull((yield* verify().pipe(Effect.provideService(EventLog, log))).firstBad)
    }).pipe(Effect.scoped)
  )

  it.live("is refused whole: a broken chain, an id of another event, a stream that is there", () =>
    Effect.gen(function* () {
      const schema = yield* newSchema
      const log = yield* Effect.scoped(Effect.tap(opened(schema), (log) => writeTo(log, "a-4x", 0)))
      assert.isDefined(log)
      const changed = history.map((row, i) => (i === 3 ? { ...row, by: "x" } : row))
      const twice = link({ stream: "a", version: 0, epoch: 3, hash: genesisHash }, [
        ...newEvents("a", 4),
        newEvent("a-1")
      ])
      const cases = [
        [changed, "broken_chain", 4],
        [twice, "duplicate_event_id", 5],
        [history.slice(0, 4), "incomplete_history", 4]
      ] as const
      for (const [rows, code, version] of cases) {
        const error = yield* Effect.flip(bring({ schema }, rows))
        assert.deepInclude(error, { _tag: "NotImportable", code, version })
      }
      const heads = yield* Effect.scoped(Effect.flatMap(opened(schema), (log) => log.heads))
      assert.deepStrictEqual(
        heads.map(({ stream }) => stream),
        ["a-4x"]
      )
      yield* bring({ schema })
      assert.deepInclude(yield* Effect.flip(bring({ schema })), { code: "stream_exists" })
      yield* Effect.scoped(
        Effect.gen(function* () {
          const log = yield* opened(schema)
          const { events, firstBad } = yield* verify().pipe(Effect.provideService(EventLog, log))
          assert.deepStrictEqual([events, firstBad], [6, null])
        })
      )
    })
  )

  it.live("fails with Locked while another process has the log, and writes nothing", () =>
    Effect.gen(function* () {
      const schema = yield* newSchema
      const log = yield* opened(schema)
      assert.match(JSON.stringify(yield* Effect.flip(bring({ schema }))), /Locked.*process \d+ on/)
      assert.deepStrictEqual(yield* log.heads, [])
    }).pipe(Effect.scoped)
  )

  for (const [fault, events] of [
    ["cut after", 6],
    ["cut before", 0]
  ] as const) {
    it.live(`whose commit is ${fault} it reached the server says truly what is there`, () =>
      Effect.gen(function* () {
        const schema = yield* newSchema
        const proxy = yield* Effect.acquireRelease(
          Effect.promise(() => startFaultyProxy(server.port)),
          ({ close }) => Effect.promise(close)
        )
        // The tables are there before: the first transaction of the struck connection is the import's.
        yield* Effect.scoped(opened(schema))
        let pages = 0
        const strike = () => {
          pages += 1
          if (pages === 2) proxy.strike(fault, "commit")
        }
        const result = yield* Effect.result(bring({ schema, port: proxy.port }, history, strike))
        if (fault === "cut before") assert.match(JSON.stringify(result), /Unavailable.*Nothing was imported/)
        else assert.strictEqual(result._tag, "Success")
        const log = yield* opened(schema)
        const verified = yield* verify().pipe(Effect.provideService(EventLog, log))
        assert.deepStrictEqual([verified.events, verified.firstBad], [events, null])
      }).pipe(Effect.scoped)
    )
  }
})
