/**
 * The group `lifecycle`: what a pipeline is asked to do over HTTP, once for each key, across restarts.
 *
 * @module
 */
import { readFileSync } from "node:fs"
import { join } from "node:path"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Stream } from "effect"
import { aFolder, program, type Running, running } from "./running.ts"

const service = <A, E>(use: (running: Running) => Effect.Effect<A, E>) =>
  Effect.scoped(Effect.flatMap(Effect.flatMap(aFolder, running), use))

const at = (name: string, verb = "") => `/v0/pipelines/${name}${verb}`
const make = (name: string, options?: Parameters<typeof program>[1]) => ({
  name,
  program_code: program(name, options)
})
const refusal = (status: number, error_code: string) => ({ status, body: { error_code } })
const slow = { count: 100_000, rate: 2000 }
const eventsIn = ({ log }: Running) => Effect.map(Stream.runCollect(log.readAll()), (rows) => [...rows])

describe("a pipeline", () => {
  it.live("is started, triggered, paused, resumed and shut down", () =>
    service(({ call, until }) =>
      Effect.gen(function* () {
        yield* call("POST", "/v0/pipelines", make("a", slow))
        const trigger = call("POST", at("a", "/trigger"), { reason: "to see" })
        assert.containSubset(yield* trigger, refusal(400, "PipelineInteractionNotDeployed"))
        const started = yield* call("POST", at("a", "/start"), null)
        assert.deepEqual([started.status, started.body], [202, ""])
        yield* until("a", ({ deployment_status }) => deployment_status === "Running")
        assert.strictEqual((yield* trigger).status, 202)
        const working = yield* until("a", ({ run }) => (run?.read ?? 0) > 0)
        assert.containSubset(working, {
          deployment_desired_status: "Running",
          lifecycle: "Running",
          run: { trigger: "to see", outcome: "Running", ended_at: null, resumes: 0 },
          progress: { in_flight_batches: 1 }
        })
        assert.isBelow(working.progress?.ratio ?? 1, 1)
        assert.containSubset(yield* trigger, refusal(409, "RunInProgress"))
        yield* call("POST", at("a", "/pause"))
        const paused = yield* until("a", ({ deployment_status }) => deployment_status === "Paused")
        assert.strictEqual(paused.progress, null)
        yield* call("POST", at("a", "/start"))
        yield* until("a", ({ lifecycle, run }) => lifecycle === "Running" && run?.resumes === 1)
        yield* call("POST", at("a", "/shutdown"))
        const down = yield* until("a", ({ deployment_status }) => deployment_status === "Shutdown")
        assert.isAtLeast(down.run?.applied.out ?? 0, 1)
      })
    )
  )

  it.live("that failed is started only after it was shut down", () =>
    service(({ call, until }) =>
      Effect.gen(function* () {
        const program_code =
          "stages:\n  in: { source: { use: file, path: none.ndjson } }\n  out: { from: in, sink: { use: file, path: b.ndjson } }\n"
        yield* call("POST", "/v0/pipelines", { name: "a", program_code })
        yield* call("POST", at("a", "/start"))
        yield* call("POST", at("a", "/trigger"))
        const failed = yield* until("a", ({ deployment_status }) => deployment_status === "Failed")
        assert.containSubset(failed.deployment_error, { error_code: "file_not_found" })
        const start = call("POST", at("a", "/start"))
        assert.containSubset(yield* start, refusal(400, "IllegalPipelineStateTransition"))
        yield* call("POST", at("a", "/shutdown"))
        yield* until("a", ({ deployment_status }) => deployment_status === "Shutdown")
        assert.strictEqual((yield* start).status, 202)
      })
    )
  )

  it.live("settles what is in flight, and says how far that is", () =>
    service(({ call, until }) =>
      Effect.gen(function* () {
        const settings = { fault_tolerance: { checkpoint_interval_secs: 0 } }
        yield* call("POST", "/v0/pipelines", { ...make("a", slow), runtime_config: settings })
        const checkpoint = call("POST", at("a", "/checkpoint"))
        assert.containSubset(yield* checkpoint, refusal(400, "PipelineInteractionNotDeployed"))
        yield* call("POST", at("a", "/start"))
        yield* call("POST", at("a", "/trigger"))
        const before = yield* until("a", ({ run }) => (run?.read ?? 0) > 0)
        const settled = yield* checkpoint
        assert.strictEqual(settled.status, 200)
        assert.isAtLeast(settled.body.checkpoints[0].offset, before.run?.read ?? 1)
      })
    )
  )
})

describe("a repeated key", () => {
  it.live("gives the first answer and changes nothing, in this life and the next", () =>
    Effect.gen(function* () {
      const folder = yield* aFolder
      const posts = [
        ["/v0/pipelines", make("a")],
        [at("a", "/start"), null],
        [at("a", "/trigger"), { reason: "once" }],
        [at("a", "/pause"), null],
        [at("a", "/shutdown"), null]
      ] as const
      const post = ({ call }: Running, n: number) =>
        call("POST", posts[n]![0], posts[n]![1], { "idempotency-key": `key-${n}` })
      const answers = yield* Effect.scoped(
        Effect.gen(function* () {
          const life = yield* running(folder)
          const first = []
          for (const n of posts.keys()) {
            const answer = yield* post(life, n)
            const again = yield* post(life, n)
            assert.deepEqual([again.status, again.body], [answer.status, answer.body])
            first.push(answer)
            if (n === 2) yield* life.until("a", ({ lifecycle }) => lifecycle === "Completed")
            if (n === 3) yield* life.until("a", ({ deployment_status }) => deployment_status === "Paused")
          }
          yield* life.until("a", ({ deployment_status }) => deployment_status === "Shutdown")
          return first
        })
      )
      const life = yield* running(folder)
      // Under another name, it is still the same answer.
      yield* life.call("PATCH", at("a"), { description: "changed since" })
      const before = yield* eventsIn(life)
      for (const n of posts.keys()) {
        const again = yield* post(life, n)
        assert.deepEqual([again.status, again.body], [answers[n]?.status, answers[n]?.body])
      }
      assert.strictEqual(before.filter(({ type }) => type === "RunStarted").length, 1)
      assert.deepEqual((yield* eventsIn(life)).length, before.length)
      const other = yield* life.call(
        "POST",
        at("a", "/trigger"),
        { reason: "twice" },
        { "idempotency-key": "key-2" }
      )
      assert.containSubset(other, refusal(422, "IdempotencyKeyReused"))
    })
  )
})

describe("a service that comes back", () => {
  it.live("takes up what was wanted, wakes nobody else, and is ready only then", () =>
    Effect.gen(function* () {
      const folder = yield* aFolder
      yield* Effect.scoped(
        Effect.gen(function* () {
          const { call, until } = yield* running(folder)
          for (const name of ["idle", "a"])
            yield* call("POST", "/v0/pipelines", make(name, { count: 4000, rate: 2000 }))
          yield* call("POST", at("a", "/start"))
          yield* call("POST", at("a", "/trigger"))
          yield* until("a", ({ run }) => (run?.read ?? 0) > 0)
        })
      )
      const { adopted, call, log, readiness, until } = yield* running(folder)
      assert.strictEqual(adopted, 1)
      const done = yield* until("a", ({ lifecycle }) => lifecycle === "Completed")
      assert.containSubset(done.run, { read: 4000, applied: { out: 4000 }, resumes: 1 })
      const lines = readFileSync(join(folder, "out", "a.ndjson"), "utf8")
        .trimEnd()
        .split("\n")
      assert.deepEqual(
        lines.map((line) => JSON.parse(line).n),
        Array.from({ length: 4000 }, (_, n) => n)
      )
      // Whoever is woken claims its stream: the idle one is as its first life left it.
      yield* call("GET", at("idle"))
      const heads = yield* log.heads
      assert.deepEqual(
        heads
          .filter(({ stream }) => stream.startsWith("pipeline/"))
          .map(({ epoch }) => epoch)
          .sort(),
        [1, 2]
      )
      assert.strictEqual((yield* call("GET", "/readyz")).status, 200)
      yield* readiness.enter("draining")
      assert.containSubset(yield* call("GET", "/readyz"), refusal(503, "ShuttingDown"))
      yield* readiness.enter("starting")
      assert.containSubset(yield* call("GET", "/readyz"), refusal(503, "NotReady"))
      assert.strictEqual((yield* call("GET", "/healthz")).status, 200)
    })
  )
})

describe("the drivers", () => {
  it.live("say what they can and what they take", () =>
    service(({ call }) =>
      Effect.gen(function* () {
        const { drivers } = (yield* call("GET", "/v0/drivers")).body
        const file = drivers.find(({ name }: { name: string }) => name === "file")
        assert.containSubset(file, {
          class: "file",
          capabilities: { source: true, sink: true, lookup: true }
        })
        assert.property(JSON.parse(JSON.stringify(file.sink)).properties ?? file.sink, "path")
        const generator = drivers.find(({ name }: { name: string }) => name === "generator")
        assert.containSubset(generator, { sink: null, capabilities: { sink: false } })
      })
    )
  )
})

describe("everything else that is served", () => {
  it.live("answers from the same log", () =>
    service(({ call, until }) =>
      Effect.gen(function* () {
        const pushed =
          "stages:\n  in: { source: { use: http } }\n  out: { from: in, sink: { use: file, path: o.ndjson, mode: append } }\n"
        yield* call("POST", "/v0/pipelines", { name: "a", program_code: `schedule: continuous\n${pushed}` })
        yield* call("POST", at("a", "/start"))
        yield* until("a", ({ lifecycle }) => lifecycle === "Running")
        const { body, status } = yield* call("POST", at("a", "/ingress/in?array=true"), [{ n: 1 }, { n: 2 }])
        assert.strictEqual(status, 200, JSON.stringify(body))
        yield* until("a", ({ run }) => run?.applied.out === 2)
        const token = encodeURIComponent(body.token)
        assert.containSubset(yield* call("GET", at("a", `/completion_status?token=${token}`)), {
          status: 200
        })
        for (const path of ["/stats", "/events", "/runs", "/state", "/dead_letters"]) {
          assert.strictEqual((yield* call("GET", at("a", path))).status, 200, path)
        }
        assert.include((yield* call("GET", "/metrics")).body, "millrace_")
        // A run is under way: a replay is judged, and refused.
        const replay = yield* call("POST", at("a", "/replay"), { from: {} })
        assert.containSubset(replay, refusal(409, "RunInProgress"))
        yield* call("POST", at("a", "/shutdown"))
        yield* until("a", ({ deployment_status }) => deployment_status === "Shutdown")
        const dry = yield* call("POST", at("a", "/replay"), { from: {}, dry_run: true })
        assert.strictEqual(typeof dry.body, "object", JSON.stringify(dry.body))
      })
    )
  )
})
