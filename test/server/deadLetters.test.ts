/**
 * The dead-letter bench over HTTP, against the service as it runs.
 *
 * @module
 */
import { readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Stream } from "effect"
import { aFolder, type Running, running } from "./running.ts"

const at = (verb = "") => `/v0/pipelines/orders${verb}`
const letters = (verb = "") => at(`/dead_letters${verb}`)

const program = `stages:
  in: { source: { use: file, path: in.ndjson } }
  twice: { from: in, map: { id: record.id, size: record.size * 2.0 } }
  some: { from: twice, filter: record.size != 8.0 }
  store: { from: some, sink: { use: file, path: out.ndjson } }
dead_letters: { window: 0 }
`

/** Six records, of which 0.0.1 is no JSON, and 0.0.2 and 0.0.4 have a text where a number is wanted. */
const records = [
  '{"id":0,"size":1}',
  "{broken",
  '{"id":2,"size":"a"}',
  '{"id":3,"size":3}',
  '{"id":4,"size":"b"}'
]

/** The pipeline has had its run, and is shut down. */
const afterRun = (folder: string) =>
  Effect.gen(function* () {
    writeFileSync(join(folder, "in.ndjson"), `${records.join("\n")}\n`)
    const service = yield* running(folder)
    const { call, until } = service
    yield* call("POST", "/v0/pipelines", { name: "orders", program_code: program })
    yield* call("POST", at("/start"))
    yield* until("orders", ({ deployment_status }) => deployment_status === "Running")
    yield* call("POST", at("/trigger"))
    yield* until("orders", ({ lifecycle }) => lifecycle === "Completed")
    yield* call("POST", at("/shutdown"))
    yield* until("orders", ({ deployment_status }) => deployment_status === "Shutdown")
    return service
  })

const bench = <A, E>(use: (running: Running) => Effect.Effect<A, E>) =>
  Effect.scoped(Effect.flatMap(Effect.flatMap(aFolder, afterRun), use))

const idsIn = (folder: string): ReadonlyArray<number> =>
  readFileSync(join(folder, "out.ndjson"), "utf8")
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line).id)

const settled = ({ call }: Running, redrive: string) =>
  Effect.repeat(
    Effect.map(call("GET", letters(`/redrives/${redrive}`)), ({ body }) => body),
    { until: (body) => body.settled === true }
  )

const countOf = ({ log }: Running, type: string) =>
  Effect.map(Stream.runCollect(log.readAll()), (rows) => [...rows].filter((row) => row.type === type).length)

describe("dead letters", () => {
  it.live("are listed, grouped by cause, and each has its story", () =>
    bench(({ call }) =>
      Effect.gen(function* () {
        const { body } = yield* call("GET", `${letters()}?limit=2`)
        assert.deepEqual(
          [body.dead_letters.map(({ id }: { id: string }) => id), body.total, body.next],
          [["0.0.1", "0.0.2"], 3, "0.0.2"]
        )
        const rest = yield* call("GET", `${letters()}?after=${body.next}&stage=twice&source=in`)
        assert.deepEqual([rest.body.dead_letters.length, rest.body.total], [1, 2])
        const grouped = yield* call("GET", `${letters()}?group_by=cause`)
        assert.containSubset(grouped.body, {
          causes: [
            {
              code: "expression_failed",
              stage: "twice",
              count: 2,
              first: { id: "0.0.2" },
              last: { id: "0.0.4" }
            },
            { code: "malformed_json", stage: "in", count: 1 }
          ],
          total: 3,
          omitted: 0
        })
        const story = yield* call("GET", letters("/0.0.1"))
        assert.containSubset(story.body, {
          status: "standing",
          raw: { data: "{broken" },
          reasons: [{ redrive: 0, stage: "in" }],
          history: [],
          discarded: null
        })
        const none = yield* call("GET", letters("/0.0.0"))
        assert.deepEqual([none.status, none.body.error_code], [404, "UnknownDeadLetter"])
      })
    )
  )

  it.live("are tried without a trace, redriven once for each key, and discarded with a reason", () =>
    Effect.scoped(
      Effect.gen(function* () {
        const folder = yield* aFolder
        const asked = { letters: { stage: "twice" }, set: { size: 2.5 }, reason: "mended", rate: 1000 }
        const key = { "idempotency-key": "one" }
        const first = yield* Effect.scoped(
          Effect.gen(function* () {
            const service = yield* afterRun(folder)
            const { call } = service
            const tried = yield* call("POST", letters("/redrive"), { ...asked, dry_run: true })
            assert.deepEqual([tried.status, tried.body.total, tried.body.tried], [200, 2, 2])
            assert.deepEqual(tried.body.dead_letters[0], {
              letter: "0.0.2",
              outcome: "delivered",
              branches: { store: { outcome: "applied", count: 1, records: ['{"id":2,"size":5}\n'] } },
              stage: null,
              reason: null,
              changes: [{ path: "/size", before: "a", after: 2.5 }]
            })
            assert.strictEqual(yield* countOf(service, "RedriveRequested"), 0)
            const requested = yield* call("POST", letters("/redrive"), asked, key)
            assert.strictEqual(requested.status, 202)
            assert.containSubset(requested.body, {
              requested: 2,
              letters: [
                { letter: "0.0.2", redrive: 1 },
                { letter: "0.0.4", redrive: 1 }
              ],
              next: null
            })
            const progress = yield* settled(service, requested.body.redrive)
            assert.deepInclude(progress, { requested: 2, open: 0, applied: 2, nacked: 0, stalled: null })
            assert.deepEqual(idsIn(folder), [0, 3, 2, 4])
            return requested.body
          })
        )
        const service = yield* running(folder)
        const { call } = service
        // Another life of the service: the log knows the answer.
        const again = yield* call("POST", letters("/redrive"), asked, key)
        assert.deepEqual([again.status, again.body], [202, first])
        const reused = yield* call("POST", letters("/redrive"), { letters: "all" }, key)
        assert.deepEqual([reused.status, reused.body.error_code], [422, "IdempotencyKeyReused"])
        assert.strictEqual(yield* countOf(service, "RedriveRequested"), 1)
        const page = yield* call("GET", letters(`/redrives/${first.redrive}?limit=1&outcome=left`))
        assert.deepEqual([page.body.outcomes.length, page.body.next], [1, "0.0.2"])
        const nacked = yield* call("POST", letters("/redrive"), { letters: "all" })
        const { nacked: count, outcomes } = yield* settled(service, nacked.body.redrive)
        assert.deepEqual([count, outcomes[0].reason.code], [1, "malformed_json"])
        const let_go = { letters: ["0.0.1"], reason: "no order" }
        const discard = call("POST", letters("/discard"), let_go, { "idempotency-key": "two" })
        for (const { body, status } of [yield* discard, yield* discard]) {
          assert.deepEqual([status, body], [200, { discarded: 1, letters: ["0.0.1"] }])
        }
        const empty = yield* call("POST", letters("/redrive"), { letters: "all" })
        assert.containSubset(empty, { status: 202, body: { redrive: null, requested: 0 } })
        assert.strictEqual((yield* call("GET", letters())).body.total, 0)
        assert.deepEqual(idsIn(folder), [0, 3, 2, 4])
        const story = yield* call("GET", letters("/0.0.2"))
        assert.containSubset(story.body, {
          status: "redriven",
          history: [{ by: "local", reason: "mended", outcome: "left", branches: { store: "applied" } }]
        })
      })
    )
  )

  it.live("are taken back while they wait", () =>
    bench((service) =>
      Effect.gen(function* () {
        const { call } = service
        const { body } = yield* call("POST", letters("/redrive"), { letters: "all", rate: 0.01 })
        assert.strictEqual(body.requested, 3)
        const open = yield* call("POST", letters("/redrive"), { letters: ["0.0.4"] })
        assert.containSubset(open, {
          status: 400,
          body: { error_code: "InvalidRedrive", details: { reason: "redrive_open", path: "/letters" } }
        })
        // What is under way already is part of what is asked for, and nothing is asked for twice.
        const more = yield* call("POST", letters("/redrive"), { letters: "all" })
        assert.containSubset(more, { status: 202 })
        const held = yield* call("POST", letters("/discard"), { letters: ["0.0.4"], reason: "r" })
        assert.deepEqual(held.body.details.reason, "redrive_open")
        const back = yield* call("POST", letters("/withdraw"), { letters: "all", reason: "not yet" })
        assert.strictEqual(back.status, 200)
        assert.includeMembers(back.body.letters, ["0.0.2", "0.0.4"])
        const after = yield* call("GET", letters(`/redrives/${body.redrive}?outcome=withdrawn`))
        assert.strictEqual(after.body.withdrawn, back.body.withdrawn)
        const none = yield* call("POST", letters("/withdraw"), { letters: "all" })
        assert.deepEqual(none.body, { withdrawn: 0, letters: [] })
        const named = yield* call("POST", letters("/withdraw"), { letters: ["0.0.4"] })
        assert.containSubset(named, { status: 400, body: { details: { reason: "nothing_to_withdraw" } } })
      })
    )
  )

  it.live("are left alone when something is wrong with what was asked for", () =>
    bench((service) =>
      Effect.gen(function* () {
        const { call } = service
        const refused = Effect.fnUntraced(function* (verb: string, body: unknown) {
          const answer = yield* call("POST", letters(verb), body)
          assert.hasAllKeys(answer.body, ["message", "error_code", "details"])
          const { details, error_code } = answer.body
          return [answer.status, error_code, details.reason ?? null, details.path ?? null]
        })
        const many = Array.from({ length: 5001 }, (_, index) => `0.9.${index}`)
        for (const [verb, body, ...expected] of [
          [
            "/redrive",
            { letters: ["0.0.1", "0.0.0"] },
            400,
            "InvalidRedrive",
            "unknown_letter",
            "/letters/1"
          ],
          ["/redrive", { letters: ["0.0.1", "0.0.1"] }, 400, "InvalidRedrive", "redrive_open", "/letters/1"],
          [
            "/redrive",
            { letters: ["0.0.1"], edits: { "0.0.2": {} } },
            ...[400, "InvalidRedrive", "unknown_letter", "/edits/0.0.2"]
          ],
          [
            "/redrive",
            { letters: ["0.0.1"], edits: { "0.0.1": "x".repeat(300_000) } },
            ...[400, "InvalidRedrive", "edit_too_large", "/edits"]
          ],
          [
            "/redrive",
            { letters: "all", set: { size: 1 } },
            400,
            "InvalidRedrive",
            "unknown_letter",
            "/letters"
          ],
          ["/redrive", { letters: "all", after: "first" }, 400, "BadRequest", null, "/after"],
          [
            "/discard",
            { letters: ["0.0.0"], reason: "r" },
            400,
            "InvalidRedrive",
            "unknown_letter",
            "/letters/0"
          ],
          ["/withdraw", { letters: ["0.0.1"] }, 400, "InvalidRedrive", "nothing_to_withdraw", "/letters"]
        ] as const) {
          assert.deepEqual(yield* refused(verb, body), expected, JSON.stringify(body).slice(0, 80))
        }
        for (const [verb, body] of [
          ["/redrive", { letters: {} }],
          ["/redrive", { letters: [] }],
          ["/redrive", { letters: many }],
          ["/redrive", { letters: "some" }],
          ["/redrive", { letters: "all", rate: 0 }],
          ["/redrive", { letters: "all", ratte: 1 }],
          ["/discard", { letters: "all" }],
          ["/discard", { letters: "all", reason: " " }],
          ["/withdraw", { letters: { stage: "in" } }]
        ] as const) {
          assert.deepEqual(
            (yield* refused(verb, body)).slice(0, 2),
            [400, "BadRequest"],
            JSON.stringify(body).slice(0, 80)
          )
        }
        const large = { letters: "all", edits: { a: "x".repeat(1024 * 1024) } }
        assert.deepEqual((yield* refused("/redrive", large)).slice(0, 2), [413, "PayloadTooLarge"])
        const near = yield* call("POST", letters("/redrive"), { letters: ["0.0.11"] })
        assert.strictEqual(near.body.details.suggestion, "did you mean 0.0.1?")
        for (const name of ["1-2", "first", "0-9999"]) {
          const unknown = yield* call("GET", letters(`/redrives/${name}`))
          assert.deepEqual([unknown.status, unknown.body.error_code], [404, "UnknownRedrive"], name)
        }
        assert.strictEqual(yield* countOf(service, "RedriveRequested"), 0)
        assert.strictEqual((yield* call("GET", letters())).body.total, 3)
      })
    )
  )

  it.live("that the definition in force has no way for are refused with a way out", () =>
    bench(({ call }) =>
      Effect.gen(function* () {
        const gone = program.replaceAll("store:", "kept:")
        assert.strictEqual((yield* call("PATCH", at(), { program_code: gone })).status, 200)
        const refused = yield* call("POST", letters("/redrive"), { letters: "all" })
        assert.containSubset(refused, {
          status: 400,
          body: { error_code: "InvalidRedrive", details: { reason: "stage_gone", path: "/letters" } }
        })
        assert.match(refused.body.details.suggestion, /in, twice, some, kept/)
      })
    )
  )
})
