/**
 * Programs that are sent to the service touch nothing outside of its folders: not when they are defined, and not
 * when what they name has become something else since.
 *
 * @module
 */
import { mkdirSync, readdirSync, renameSync, symlinkSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { aFolder, running } from "./running.ts"

const reading = (path: string) => ({
  stages: {
    in: { source: { use: "file", path, format: "ndjson" } },
    out: { from: "in", sink: { use: "file", path: "out.ndjson" } }
  }
})
const writing = (path: string) => ({
  stages: {
    in: { source: { use: "generator", count: 1 } },
    out: { from: "in", sink: { use: "file", path, format: "ndjson" } }
  }
})
const enriching = (path: string) => ({
  stages: {
    in: { source: { use: "generator", count: 1 } },
    more: { from: "in", lookup: { use: "file", path, format: "ndjson", match: { n: "n" } } },
    out: { from: "more", sink: { use: "file", path: "out.ndjson" } }
  }
})

/** A service beside a folder that is none of its business. */
const beside = Effect.gen(function* () {
  const around = yield* aFolder
  const [inside, outside] = ["inside", "outside"].map((name) => join(around, name))
  for (const folder of [inside!, outside!]) {
    mkdirSync(join(folder, "data"), { recursive: true })
    writeFileSync(join(folder, "data", "x.ndjson"), '{"n":1}\n')
  }
  symlinkSync(outside!, join(inside!, "link"))
  mkdirSync(join(inside!, "more"))
  symlinkSync(join(outside!, "data/x.ndjson"), join(inside!, "more/x.ndjson"))
  const { call, until } = yield* running(inside!)
  let made = 0
  const create = (program: object) =>
    call("POST", "/v0/pipelines", { name: `p${made++}`, program_code: JSON.stringify(program) })
  const run = Effect.fnUntraced(function* (program: object, before = () => {}) {
    const { body } = yield* create(program)
    assert.strictEqual(body.program_status, "Success")
    before()
    yield* call("POST", `/v0/pipelines/${body.name}/start`)
    yield* call("POST", `/v0/pipelines/${body.name}/trigger`)
    return yield* until(
      body.name,
      ({ deployment_status, lifecycle }) => deployment_status === "Failed" || lifecycle === "Completed"
    )
  })
  return { inside: inside!, outside: outside!, create, run }
})

describe("a program", () => {
  it.live("that names a file outside is stored with a finding for each", () =>
    Effect.gen(function* () {
      const { create, outside } = yield* beside
      const ways = [
        "../outside/data/x.ndjson",
        join(outside, "data/x.ndjson"),
        "link/data/x.ndjson",
        "link/data/*.ndjson"
      ]
      for (const path of [...ways, ".millrace/tokens.json", ".millrace/millrace.db"]) {
        for (const program of [reading(path), writing(path), enriching(path)]) {
          const { body, status } = yield* create(program)
          assert.strictEqual(status, 201)
          assert.containSubset(body.program_status.SqlError, [{ error_type: "path_not_allowed" }], path)
        }
      }
    })
  )

  it.live("may name whatever is inside", () =>
    Effect.gen(function* () {
      const { inside, run } = yield* beside
      for (const path of ["data/x.ndjson", "data/../data/*.ndjson", join(inside, "data/x.ndjson")]) {
        assert.strictEqual((yield* run(reading(path))).lifecycle, "Completed", path)
      }
    })
  )

  it.live("does not get out by a glob that says so only when it is followed", () =>
    Effect.gen(function* () {
      const { outside, run } = yield* beside
      for (const path of [
        `{data,../outside/data}/x.ndjson`,
        `{${outside}/data,data}/x.ndjson`,
        "more/*.ndjson"
      ]) {
        const { deployment_error } = yield* run(reading(path))
        assert.strictEqual(deployment_error?.error_code, "path_not_allowed", path)
      }
    })
  )

  it.live("does not get out by a link that was put there since", () =>
    Effect.gen(function* () {
      const { inside, outside, run } = yield* beside
      const swap = () => {
        renameSync(join(inside, "data"), join(inside, "was"))
        symlinkSync(join(outside, "data"), join(inside, "data"))
      }
      const read = yield* run(reading("data/x.ndjson"), swap)
      assert.strictEqual(read.deployment_error?.error_code, "path_not_allowed")
      renameSync(join(inside, "data"), join(inside, "gone"))
      renameSync(join(inside, "was"), join(inside, "data"))
      const wrote = yield* run(writing("data/y.ndjson"), swap)
      assert.strictEqual(wrote.deployment_error?.error_code, "path_not_allowed")
      assert.deepEqual(readdirSync(join(outside, "data")), ["x.ndjson"])
    })
  )
})

describe("the environment", () => {
  it.live("of the service is not told to a program that was sent to it", () =>
    Effect.gen(function* () {
      const { create } = yield* beside
      const { body } = yield* create(reading(`$\{PATH}`))
      assert.containSubset(body.program_status.SqlError, [{ error_type: "unset_variable" }])
      assert.notInclude(JSON.stringify(body), process.env.PATH ?? "")
    })
  )
})
