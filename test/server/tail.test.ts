/**
 * Records as they pass, over a real connection: told, counted, and never waited for.
 *
 * @module
 */
import { connect } from "node:net"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber, Stream } from "effect"
import * as Catalog from "../../projections/Catalog.ts"
import { Taps, tapsOfPipelineMost } from "../../src/flow/tap/Taps.ts"
import { aFolder, clientOf, type Running, running } from "./running.ts"

const service = <A, E>(use: (running: Running) => Effect.Effect<A, E>) =>
  Effect.scoped(Effect.flatMap(Effect.flatMap(aFolder, running), use))

const program = (count: number) => `stages:
  in: { source: { use: generator, count: ${count} } }
  even: { from: in, map: { id: record.n, even: "int(record.n) % 2 == 0", of: '"${"x".repeat(500)}"' } }
  kept: { from: even, filter: record.even }
  out: { from: kept, sink: { use: file, path: out.ndjson } }
`

const started = Effect.fnUntraced(function* ({ call, pipelines, until }: Running, count: number) {
  yield* call("POST", "/v0/pipelines", { name: "p", program_code: program(count) })
  yield* call("POST", "/v0/pipelines/p/start")
  yield* until("p", ({ deployment_status }) => deployment_status === "Running")
  return Catalog.idOf(yield* pipelines.catalog, "p")!
})

const ran = ({ call, until }: Running) =>
  Effect.andThen(
    call("POST", "/v0/pipelines/p/trigger", {}),
    until("p", ({ lifecycle }) => lifecycle === "Completed")
  )

const watched = (id: string) =>
  Effect.flatMap(Taps, (taps) =>
    Effect.repeat(
      Effect.sync(() => taps.isWatched(id)),
      { until: (is) => is }
    )
  )
const alone = (id: string) =>
  Effect.flatMap(Taps, (taps) =>
    Effect.repeat(
      Effect.sync(() => taps.isWatched(id)),
      { until: (is) => !is }
    )
  )

type Told = { readonly told: number; readonly dropped: number }

describe("a tail", () => {
  it.live("tells or counts every record that passes, and ends with its reader", () =>
    service((world) =>
      Effect.gen(function* () {
        const count = 5000
        const id = yield* started(world, count)
        const client = yield* clientOf(world)
        const reader = yield* client.history
          .tailPipeline({ params: { name: "p" }, query: { stage: ["kept"], where: "record.even", rate: 50 } })
          .pipe(
            Stream.unwrap,
            Stream.mapAccum(
              (): Told => ({ told: 0, dropped: 0 }),
              ({ told, dropped }, { data }) => {
                const next =
                  "dropped" in data ? { told, dropped: dropped + data.dropped } : { told: told + 1, dropped }
                return [next, [{ ...next, data }]] as const
              }
            ),
            Stream.takeUntil(({ dropped, told }) => told + dropped >= count / 2),
            Stream.runCollect,
            Effect.forkChild({ startImmediately: true })
          )
        yield* watched(id)
        yield* ran(world)
        const all = yield* Fiber.join(reader)
        const last = all.at(-1)!
        assert.strictEqual(last.told + last.dropped, count / 2)
        assert.isAtLeast(last.told, 50)
        const first = all[0]!.data
        assert.deepInclude(first, {
          stage: "kept",
          source: "in",
          outcome: "passed",
          reason: null,
          cut: false
        })
        assert.isTrue("after" in first && (first.after as { readonly even: boolean }).even)
        yield* alone(id)
      })
    )
  )

  it.live("is not waited for by the run when its reader takes nothing", () =>
    service((world) =>
      Effect.gen(function* () {
        const id = yield* started(world, 20_000)
        const { hostname, port } = new URL(world.url)
        const socket = yield* Effect.acquireRelease(
          Effect.sync(() => connect(Number(port), hostname)),
          (socket) => Effect.sync(() => socket.destroy())
        )
        // Nobody reads the other end: what the operating system does not take stays where it is.
        socket.pause()
        socket.write(
          `GET /v0/pipelines/p/tail?rate=1000&stage=even&stage=out HTTP/1.1\r\nHost: ${hostname}:${port}\r\n\r\n`
        )
        yield* watched(id)
        const { run } = yield* ran(world)
        assert.deepInclude(run, { read: 20_000, applied: { out: 10_000 } })
        socket.destroy()
        yield* alone(id)
      }).pipe(Effect.scoped)
    )
  )

  it.live("is refused for what is not there, for who may not, and when enough are looking", () =>
    service((world) =>
      Effect.gen(function* () {
        const id = yield* started(world, 1)
        const { call } = world
        assert.containSubset(yield* call("GET", "/v0/pipelines/p/tail?stage=kep"), {
          status: 404,
          body: { error_code: "UnknownStage", details: { suggestion: "did you mean kept?" } }
        })
        assert.containSubset(yield* call("GET", "/v0/pipelines/p/tail?where=record.%20%2B"), {
          status: 400,
          body: { error_code: "BadRequest", details: { path: "/where" } }
        })
        assert.containSubset(yield* call("GET", "/v0/pipelines/q/tail"), {
          status: 404,
          body: { error_code: "UnknownPipelineName" }
        })
        const taps = yield* Taps
        const options = { stages: new Set<string>(), perSecond: 1 }
        for (let n = 0; n < tapsOfPipelineMost; n++) yield* taps.open(id, options)
        assert.containSubset(yield* call("GET", "/v0/pipelines/p/tail"), {
          status: 429,
          body: { error_code: "TooManyReaders" }
        })
      }).pipe(Effect.scoped)
    )
  )
})
