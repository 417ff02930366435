/**
 * The group `pipelines`: what is made, changed and removed over HTTP, and what is refused.
 *
 * @module
 */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Stream } from "effect"
import { aFolder, clientOf, program, type Running, running } from "./running.ts"

const service = <A, E>(use: (running: Running) => Effect.Effect<A, E>) =>
  Effect.scoped(Effect.flatMap(Effect.flatMap(aFolder, running), use))

const at = (name: string) => `/v0/pipelines/${name}`
const make = (name: string, more: object = {}) => ({ name, program_code: program(name), ...more })
const refusal = (status: number, error_code: string) => ({ status, body: { error_code } })

describe("creating", () => {
  it.live("answers with the resource and its version, once for each name", () =>
    service(({ call }) =>
      Effect.gen(function* () {
        const settings = { workers: 3, tracing: true, mine: { deep: [1, null] } }
        const made = yield* call(
          "POST",
          "/v0/pipelines",
          make("a", { runtime_config: settings, udf_toml: "t" })
        )
        assert.containSubset(made, {
          status: 201,
          body: {
            name: "a",
            description: "",
            version: 1,
            program_version: 1,
            program_status: "Success",
            deployment_status: "Shutdown",
            runtime_config: settings,
            udf_toml: "t",
            udf_rust: "",
            program_config: {},
            program_code: program("a")
          }
        })
        assert.strictEqual(made.headers.get("etag"), '"1"')
        assert.deepEqual((yield* call("GET", at("a"))).body, made.body)
        assert.containSubset(yield* call("POST", "/v0/pipelines", make("a")), refusal(409, "DuplicateName"))
        const { program_code: _, ...short } = made.body
        const [listed] = (yield* call("GET", "/v0/pipelines?selector=status")).body
        assert.containSubset(short, listed)
        assert.notProperty(listed, "runtime_config")
      })
    )
  )

  it.live("of an invalid program is stored, says what is wrong, and cannot be started", () =>
    service(({ call }) =>
      Effect.gen(function* () {
        const program_code = "stages:\n  in: { source: { use: generater } }\n"
        const made = yield* call("POST", "/v0/pipelines", { name: "a", program_code })
        assert.strictEqual(made.status, 201)
        assert.containSubset(made.body.program_status.SqlError, [
          { start_line_number: 2, warning: false, error_type: "unknown_driver" }
        ])
        assert.deepEqual(made.body.program_code, program_code)
        const started = yield* call("POST", `${at("a")}/start`)
        assert.containSubset(started, refusal(400, "StartFailedDueToFailedCompilation"))
        const mended = yield* call("PATCH", at("a"), { program_code: program("a") })
        assert.containSubset(mended.body, { version: 2, program_version: 2, program_status: "Success" })
        assert.strictEqual((yield* call("POST", `${at("a")}/start`)).status, 202)
      })
    )
  )

  it.live("refuses what is no name, and goes on where a process died", () =>
    service(({ call, pipelines }) =>
      Effect.gen(function* () {
        const names = {
          "": "EmptyName",
          [`${"x".repeat(101)}`]: "TooLongName",
          "a b": "NameDoesNotMatchPattern"
        }
        for (const [name, code] of Object.entries(names)) {
          assert.containSubset(yield* call("POST", "/v0/pipelines", make(name)), refusal(400, code))
        }
        const id = yield* pipelines.register("half", "somebody")
        assert.containSubset(yield* call("GET", at("half")), refusal(404, "UnknownPipelineName"))
        assert.deepEqual((yield* call("GET", "/v0/pipelines")).body, [])
        const made = yield* call("POST", "/v0/pipelines", make("half"))
        assert.containSubset(made, { status: 201, body: { id, version: 1 } })
      })
    )
  )

  it.live("lets the resource's name win, and warns", () =>
    service((running) =>
      Effect.gen(function* () {
        const client = yield* clientOf(running)
        const made = yield* client.pipelines.createPipeline({
          headers: {},
          payload: { name: "a", program_code: `name: b\n${program("a")}` }
        })
        assert.strictEqual(made.name, "a")
        assert.strictEqual(made.program_status, "Success")
        assert.containSubset(made.program_findings, [{ severity: "warning", code: "other_name", line: 1 }])
      })
    )
  )
})

describe("changing", () => {
  it.live("creates or replaces, renames, and counts only what changed", () =>
    service(({ call }) =>
      Effect.gen(function* () {
        const first = yield* call("PUT", at("early"), make("early", { description: "one" }))
        assert.containSubset(first, { status: 201, body: { version: 1 } })
        const same = yield* call("PUT", at("early"), make("early", { description: "one" }))
        assert.containSubset(same, { status: 200, body: { version: 1 } })
        const told = yield* call("PUT", at("early"), make("early"))
        assert.containSubset(told.body, { version: 2, program_version: 1, description: "" })
        const renamed = yield* call("PUT", at("early"), make("early-2"))
        assert.containSubset(renamed, {
          status: 200,
          body: { name: "early-2", version: 3, id: first.body.id }
        })
        assert.strictEqual(renamed.headers.get("etag"), '"3"')
        assert.containSubset(yield* call("GET", at("early")), {
          status: 404,
          body: { error_code: "UnknownPipelineName", details: { suggestion: "did you mean early-2?" } }
        })
        assert.containSubset(
          yield* call("PUT", at("early"), make("c")),
          refusal(400, "CannotRenameNonExistingPipeline")
        )
        yield* call("PUT", at("c"), make("c"))
        assert.containSubset(
          yield* call("PATCH", at("c"), { name: "early-2" }),
          refusal(409, "DuplicateName")
        )
        const patched = yield* call("PATCH", at("c"), { name: "d", description: "new" })
        assert.containSubset(patched.body, { name: "d", description: "new", version: 2, program_version: 1 })
      })
    )
  )

  it.live("is done from the version that was looked at: of two at once one wins", () =>
    service(({ call }) =>
      Effect.gen(function* () {
        yield* call("POST", "/v0/pipelines", make("a"))
        const change = (description: string) =>
          call("PUT", at("a"), make("a", { description }), { "if-match": '"1"' })
        const both = yield* Effect.all([change("one"), change("two")], { concurrency: "unbounded" })
        assert.sameMembers(
          both.map(({ status }) => status),
          [200, 412]
        )
        const won = both.find(({ status }) => status === 200)
        assert.deepEqual((yield* call("GET", at("a"))).body, won?.body)
        assert.containSubset(
          yield* call("DELETE", at("a"), undefined, { "if-match": '"1"' }),
          refusal(412, "VersionMismatch")
        )
      })
    )
  )

  it.live("of the settings wins over the program's own", () =>
    service(({ call, log }) =>
      Effect.gen(function* () {
        const program_code = `${program("a")}runtime: { max_buffering: 5s, checkpoint_interval: 7s }\n`
        const runtime_config = {
          max_buffering_delay_usecs: 1500,
          min_batch_size_records: 5000,
          fault_tolerance: { checkpoint_interval_secs: 3 }
        }
        yield* call("POST", "/v0/pipelines", { name: "a", program_code, runtime_config })
        yield* call("PATCH", at("a"), { runtime_config: {} })
        const rows = yield* Stream.runCollect(log.readAll({ types: ["Defined"] }))
        const runtimes = [...rows].map(({ payload }) => JSON.parse(payload).definition.runtime)
        assert.containSubset(runtimes, [
          { max_buffering: "2ms", batch_size: 5000, checkpoint_interval: "3s" },
          { max_buffering: "5s", batch_size: 1000, checkpoint_interval: "7s" }
        ])
      })
    )
  )

  it.live("and removing wait until it is shut down", () =>
    service(({ call, until }) =>
      Effect.gen(function* () {
        yield* call("POST", "/v0/pipelines", make("a"))
        yield* call("POST", `${at("a")}/pause`)
        yield* until("a", ({ deployment_status }) => deployment_status === "Paused")
        const change = yield* call("PATCH", at("a"), { description: "x" })
        assert.containSubset(change, refusal(400, "CannotUpdateNonShutdownPipeline"))
        assert.containSubset(yield* call("DELETE", at("a")), refusal(400, "CannotDeleteNonShutdownPipeline"))
        yield* call("POST", `${at("a")}/shutdown`)
        yield* until("a", ({ deployment_status }) => deployment_status === "Shutdown")
        assert.strictEqual((yield* call("DELETE", at("a"))).status, 200)
        assert.containSubset(yield* call("DELETE", at("a")), refusal(404, "UnknownPipelineName"))
        // The name is free again, for another pipeline.
        assert.strictEqual((yield* call("POST", "/v0/pipelines", make("a"))).body.version, 1)
      })
    )
  )

  it.live("is refused while a run of the old program is unfinished, unless it is given up", () =>
    service(({ call, until }) =>
      Effect.gen(function* () {
        const slow = { name: "a", program_code: program("a", { count: 100_000, rate: 1000 }) }
        yield* call("POST", "/v0/pipelines", slow)
        yield* call("POST", `${at("a")}/start`)
        yield* call("POST", `${at("a")}/trigger`)
        yield* until("a", ({ run }) => (run?.read ?? 0) > 0)
        yield* call("POST", `${at("a")}/shutdown`)
        yield* until("a", ({ deployment_status }) => deployment_status === "Shutdown")
        const refused = yield* call("PUT", at("a"), make("a"))
        assert.containSubset(refused, refusal(409, "UnfinishedRun"))
        assert.include(refused.body.details.suggestion, "abandon=true")
        const given = yield* call("PUT", `${at("a")}?abandon=true`, make("a"))
        assert.containSubset(given, { status: 200, body: { version: 2, lifecycle: "Failed" } })
        yield* call("POST", `${at("a")}/start`)
        yield* call("POST", `${at("a")}/trigger`)
        yield* until("a", ({ lifecycle }) => lifecycle === "Completed")
      })
    )
  )
})
