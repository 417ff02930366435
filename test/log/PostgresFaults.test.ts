import { afterAll, assert, describe, it } from "@effect/vitest"
import { Effect, Exit, Fiber, Redacted, Scope } from "effect"
import { EventLog } from "../../src/log/EventLog.ts"
import { layerPostgres } from "../../src/log/Postgres.ts"
import { verify } from "../../src/log/verify.ts"
import { newEvent, newEvents } from "../contracts/newEvent.ts"
import { append, idsOf } from "../contracts/onLog.ts"
import { startFaultyProxy } from "../support/FaultyProxy.ts"
import { startPostgres } from "../support/PostgresServer.ts"
import { eventually, layerPostgresTemporary, newSchema, openingFailure, sql } from "./postgres.ts"
import { open } from "./temporary.ts"

const server = await startPostgres()
afterAll(() => (typeof server === "string" ? undefined : server.stop()))

describe.runIf(typeof server !== "string")("a log on Postgres", () => {
  if (typeof server === "string") return

  const proxy = Effect.acquireRelease(
    Effect.promise(() => startFaultyProxy(server.port)),
    ({ close }) => Effect.promise(close)
  )
  const through = (port: number) => server.url.replace(`:${server.port}/`, `:${port}/`)
  const deadlineMs = 1000

  /** A log behind a proxy, and one that looks past it. */
  const behindProxy = Effect.gen(function* () {
    const faulty = yield* proxy
    const log = yield* open(layerPostgresTemporary(through(faulty.port), { deadlineMs }))
    return { faulty, log }
  })

  for (const fault of ["cut after", "swallow"] as const) {
    it.live(
      `${fault === "swallow" ? "whose answers are lost" : "cut right after a commit"} finds the append by its ids`,
      () =>
        Effect.gen(function* () {
          const { faulty, log } = yield* behindProxy
          const first = yield* append(log, yield* log.claim("a"), newEvents("a", 2))
          faulty.strike(fault, "marked")
          const head = yield* append(log, first, [newEvent("marked")])
          assert.strictEqual(head.version, 3)
          yield* append(log, head, newEvents("later", 1))
          assert.deepStrictEqual(yield* idsOf(log, "a"), ["a-1", "a-2", "marked", "later-1"])
          assert.isNull((yield* verify().pipe(Effect.provideService(EventLog, log))).firstBad)
        }).pipe(Effect.scoped)
    )
  }

  it.live("cut before the server has seen the append says that nothing was written", () =>
    Effect.gen(function* () {
      const { faulty, log } = yield* behindProxy
      const head = yield* log.claim("a")
      faulty.strike("cut before", "marked")
      const error = yield* Effect.flip(append(log, head, [newEvent("marked")]))
      assert.match(JSON.stringify(error), /Unavailable.*Nothing was written/)
      assert.deepStrictEqual(yield* idsOf(log, "a"), [])
      assert.strictEqual((yield* append(log, head, [newEvent("marked")])).version, 1)
    }).pipe(Effect.scoped)
  )

  it.live("that stalls is Unavailable in time, and serves again once it is healed", () =>
    Effect.gen(function* () {
      const { faulty, log } = yield* behindProxy
      const head = yield* append(log, yield* log.claim("a"), newEvents("a", 1))
      faulty.stall()
      const start = performance.now()
      const calls: ReadonlyArray<Effect.Effect<unknown, unknown>> = [
        append(log, head, newEvents("b", 1)),
        log.claim("c"),
        idsOf(log, "a"),
        log.heads
      ]
      const errors = yield* Effect.forEach(calls, Effect.flip, { concurrency: "unbounded" })
      assert.isBelow(performance.now() - start, 5 * deadlineMs)
      for (const error of errors) assert.match(JSON.stringify(error), /Unavailable/)
      faulty.heal()
      yield* append(log, head, newEvents("b", 1))
      assert.deepStrictEqual(yield* idsOf(log, "a"), ["a-1", "b-1"])
    }).pipe(Effect.scoped)
  )

  it.live("that stalls does not keep the process from ending", () =>
    Effect.gen(function* () {
      const faulty = yield* proxy
      const schema = yield* newSchema
      const scope = yield* Scope.make()
      const layer = layerPostgres({ url: Redacted.make(through(faulty.port)), schema, deadlineMs })
      const log = yield* Effect.provideService(open(layer), Scope.Scope, scope)
      const head = yield* log.claim("a")
      faulty.stall()
      yield* Effect.forkChild(append(log, head, newEvents("a", 1)), { startImmediately: true })
      const start = performance.now()
      yield* Scope.close(scope, Exit.void)
      assert.isBelow(performance.now() - start, 5 * deadlineMs)
    }).pipe(Effect.scoped)
  )

  it.live("loses nothing it confirmed and doubles nothing when the server is killed under load", () =>
    Effect.gen(function* () {
      const schema = yield* newSchema
      const log = yield* open(layerPostgres({ url: Redacted.make(server.url), schema, deadlineMs: 3000 }))
      const confirmed = new Map<string, number>()
      let isOver = false
      const actor = Effect.fnUntraced(function* (stream: string) {
        let head = yield* log.claim(stream)
        while (!isOver) {
          const events = newEvents(`${stream}-${head.version}`, 2)
          const exit = yield* Effect.exit(append(log, head, events))
          if (Exit.isFailure(exit)) {
            // A server that is away is asked again a little later.
            yield* Effect.sleep(50)
            continue
          }
          head = exit.value
          confirmed.set(stream, head.version)
        }
      })
      const actors = yield* Effect.forEach(
        Array.from({ length: 20 }, (_, i) => `s${i}`),
        (stream) => Effect.forkChild(actor(stream))
      )
      for (let kills = 0; kills < 3; kills++) {
        const before = total(confirmed)
        yield* until(() => total(confirmed) > before + 200)
        yield* Effect.promise(server.kill)
        yield* Effect.promise(server.start)
      }
      const before = total(confirmed)
      yield* until(() => total(confirmed) > before + 200)
      isOver = true
      yield* Effect.forEach(actors, Fiber.join)
      for (const [stream, version] of confirmed) {
        const ids = yield* idsOf(log, stream)
        assert.strictEqual(ids.length, version)
        assert.strictEqual(new Set(ids).size, version)
      }
      const { events, firstBad } = yield* verify().pipe(Effect.provideService(EventLog, log))
      assert.isNull(firstBad)
      assert.strictEqual(events, total(confirmed))
    }).pipe(Effect.scoped)
  )

  it.live("takes its lock again when that connection is lost, and is told when another has it", () =>
    Effect.gen(function* () {
      const schema = yield* newSchema
      const layer = layerPostgres({ url: Redacted.make(server.url), schema, deadlineMs })
      const log = yield* open(layer)
      const head = yield* append(log, yield* log.claim("a"), newEvents("a", 1))
      const endHolder = sql(
        server.url,
        "select pg_terminate_backend(pid, 1000) from pg_locks where locktype = 'advisory' and objsubid = 2"
      )
      yield* endHolder
      const next = yield* eventually(append(log, head, newEvents("b", 1)))
      assert.match(yield* openingFailure(layer), new RegExp(`^Locked: process ${process.pid} on .+ since 2`))

      const rival = yield* Scope.make()
      yield* endHolder
      const other = yield* eventually(Effect.provideService(open(layer), Scope.Scope, rival)).pipe(
        Effect.result
      )
      if (other._tag === "Success") {
        assert.match(JSON.stringify(yield* Effect.flip(append(log, next, newEvents("c", 1)))), /Locked/)
      }
      yield* Scope.close(rival, Exit.void)
    }).pipe(Effect.scoped)
  )

  it.live("that would lose what it confirms is refused, with what to change", () =>
    Effect.gen(function* () {
      const layer = layerPostgresTemporary(server.url)
      const cases = [
        [
          "alter database postgres set synchronous_commit = off",
          "alter database postgres reset synchronous_commit"
        ],
        ["alter system set fsync = off", "alter system reset fsync"],
        ["alter system set full_page_writes = off", "alter system reset full_page_writes"]
      ] as const
      for (const [spoil, restore] of cases) {
        yield* sql(server.url, spoil, "select pg_reload_conf()")
        const name = /set (\w+) = off/.exec(spoil)![1]!
        const refused = openingFailure(layer)
        assert.match(
          yield* Effect.retry(refused, { times: 20 }),
          new RegExp(`^Unusable: Postgres runs with ${name} = off .* Set it to on`)
        )
        yield* sql(server.url, restore, "select pg_reload_conf()")
      }
      yield* eventually(Effect.scoped(open(layer)))
    })
  )
})

const total = (counts: ReadonlyMap<string, number>): number => counts.values().reduce((sum, n) => sum + n, 0)

const until = (isSo: () => boolean): Effect.Effect<void> =>
  // Progress of others is what is waited for.
  Effect.suspend(() => (isSo() ? Effect.void : Effect.andThen(Effect.sleep(5), until(isSo))))
