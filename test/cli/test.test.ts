import { mkdirSync } from "node:fs"
import { assert, describe, it } from "vitest"
import { run, temporaryFolder } from "../process/CommandLine.ts"
import { ask, assertPlain, write } from "./commandLine.ts"

const flights = `name: flights
stages:
  in: { source: { use: file, path: "\${FLIGHTS}" }, output: { id: number, delay: number } }
  late: { from: in, filter: record.delay > 60 }
  told: { from: late, map: { set: { at: 'timestamp("2026-07-01T00:30:00Z").getDate()' } } }
  store: { from: told, sink: { use: file, path: out.ndjson } }
`

const tests = `environment: { FLIGHTS: in.ndjson }
tests:
  - name: late flights are kept
    given: { in: [{ id: 1, delay: 75 }, { id: 2, delay: 10 }] }
    then: { store: [{ id: 1, delay: 75, at: 1 }] }
  - name: not all of them
    given: { in: [{ id: 1, delay: 75 }, { id: "\\e[31mx", delay: 75 }, { id: 3, delay: 80 }] }
    then:
      store: [{ id: 1, delay: 76, at: 1 }]
`

describe("test", () => {
  it("tells a program what passed, what failed and how it differs", async () => {
    using folder = temporaryFolder()
    write(folder.path, { "flights.yaml": flights, "flights.test.yaml": tests })
    const { code, json } = await ask(folder.path, "test", "flights.yaml")
    assert.equal(code, 1)
    assert.deepEqual(json.error, { code: "tests_failed", message: "1 of 2 tests failed" })
    const counts = { unrouted: 0, failure: null, end: null, differences_left_out: 0, error: null }
    const letter = {
      source: "in",
      offset: 1,
      stage: "in",
      branches: ["store"],
      code: "contract_violation",
      record: { id: "\u001b[31mx", delay: 75 }
    }
    const { message, ...got } = json.result.files[0].tests[1].differences[2].got
    assert.match(message, /id/)
    assert.deepEqual(got, letter)
    json.result.files[0].tests[1].differences[2].got = letter
    assert.deepEqual(json.result, {
      files: [
        {
          file: "flights.test.yaml",
          pipeline: "flights",
          tests: [
            {
              name: "late flights are kept",
              ok: true,
              read: 2,
              filtered: 1,
              dead_lettered: 0,
              applied: { store: 1 },
              differences: [],
              ...counts
            },
            {
              name: "not all of them",
              ok: false,
              read: 3,
              filtered: 0,
              dead_lettered: 1,
              applied: { store: 2 },
              differences: [
                {
                  in: "store",
                  kind: "differs",
                  at: 0,
                  index: 0,
                  expected: { id: 1, delay: 76, at: 1 },
                  got: { id: 1, delay: 75, at: 1 },
                  fields: [{ pointer: "/delay", expected: 76, got: 75 }]
                },
                { in: "store", kind: "unexpected", index: 1, got: { id: 3, delay: 80, at: 1 } },
                { in: "dead_letters", kind: "unexpected", index: 0, got: letter }
              ],
              ...counts
            }
          ]
        }
      ],
      passed: 1,
      failed: 1,
      findings: []
    })
  })

  it("tells a person record by record, without what a record could do to a terminal", async () => {
    using folder = temporaryFolder()
    write(folder.path, { "flights.yaml": flights, "flights.test.yaml": tests })
    const { code, stderr, stdout } = await run(folder.path, "test", "flights.test.yaml")
    assert.equal(code, 1)
    assert.equal(stderr, "")
    assertPlain(stdout)
    assert.include(
      stdout,
      `✗ not all of them
    store: 1 record expected, 2 came
      ~ 1: differs     {"id":1,"delay":75,"at":1}
          delay  expected 76
                 got      75
      + 2: unexpected  {"id":3,"delay":80,"at":1}
    dead letters: 0 records expected, 1 came
      + 1: unexpected  {"source":"in","offset":1,`
    )
    assert.match(stdout, /\n\n2 tests: 1 passed, 1 failed\n$/)
    const passed = await run(folder.path, "test", ".", "--filter", "late flights")
    assert.equal(passed.code, 0)
    assert.equal(passed.stdout, "flights.test.yaml\n✓ late flights are kept\n\n1 test: 1 passed\n")
  })

  it("finds the tests of a folder, and says where there are none", async () => {
    using folder = temporaryFolder()
    write(folder.path, {
      "a/flights.yaml": flights,
      "a/b/flights.yaml": flights,
      "a/b/flights.test.yml": tests.slice(0, tests.indexOf("  - name: not all")),
      "node_modules/x.test.yaml": "tests: []"
    })
    mkdirSync(`${folder.path}/empty`)
    const all = await ask(folder.path, "test", ".")
    assert.equal(all.code, 0)
    assert.equal(all.json.result.passed, 1)
    const none = await ask(folder.path, "test", "a/flights.yaml")
    assert.equal(none.code, 2)
    assert.deepInclude(none.json.error, { code: "no_tests" })
    assert.match(none.json.error.suggestion, /flights\.test\.yaml/)
    assert.equal((await ask(folder.path, "test", "empty")).code, 2)
    assert.deepInclude((await ask(folder.path, "test", "nowhere.yaml")).json.error, {
      code: "file_not_found"
    })
    assert.equal((await ask(folder.path, "test", "a", "--filter", "nothing like it")).code, 2)
  })

  it("says where a test file is wrong, and keeps to the bounds of files", async () => {
    using folder = temporaryFolder()
    write(folder.path, {
      "flights.yaml": flights,
      "flights.test.yaml": tests.replace("store: [{ id: 1, delay: 75", "stroe: [{ id: 1, delay: 75"),
      "alone.test.yaml": tests,
      "big.yaml": flights,
      "big.test.json": `{"tests":[${" ".repeat(300_000)}]}`
    })
    const { code, json } = await ask(folder.path, "test", "flights.yaml")
    assert.equal(code, 2)
    assert.deepEqual(json.result.findings, [
      {
        severity: "error",
        code: "unknown_sink",
        pointer: "/tests/0/then/stroe",
        line: 5,
        column: 13,
        message: "flights has no sink stroe",
        suggestion: "store",
        file: "flights.test.yaml"
      }
    ])
    assert.deepInclude((await ask(folder.path, "test", "alone.test.yaml")).json.error, {
      code: "no_pipeline"
    })
    const big = await ask(folder.path, "test", "big.yaml")
    assert.deepInclude(big.json.error, { code: "too_large", message: "A test file has at most 256 KiB" })
  })

  it("means the same in every time zone", async () => {
    using folder = temporaryFolder()
    write(folder.path, { "flights.yaml": flights, "flights.test.yaml": tests })
    const before = process.env.TZ
    try {
      const answers: Array<string> = []
      for (const zone of ["UTC", "Pacific/Kiritimati", "America/St_Johns"]) {
        process.env.TZ = zone
        answers.push((await run(folder.path, "test", "flights.yaml", "--json")).stdout)
      }
      assert.equal(new Set(answers).size, 1)
    } finally {
      if (before === undefined) delete process.env.TZ
      else process.env.TZ = before
    }
  })

  it("runs the functions of a program", async () => {
    using folder = temporaryFolder()
    const index = new URL("../../src/index.ts", import.meta.url).pathname
    write(folder.path, {
      "program.ts": `import { End, Pipeline } from ${JSON.stringify(index)}
export default Pipeline.make("program").pipe(
  Pipeline.source("in", End.make({ use: "file", path: "no.ndjson" })),
  Pipeline.filter("odd", (record: any) => { if (record.n === 4) throw new Error("four"); return record.n % 2 === 1 }),
  Pipeline.sink("out", End.make({ use: "file", path: "out.ndjson" }))
)`,
      "program.test.yaml": `tests:
  - name: odd
    given: { in: [{ n: 1 }, { n: 2 }, { n: 4 }] }
    then: { out: [{ n: 1 }], dead_letters: [{ offset: 2, message: four }] }`
    })
    const { code, json } = await ask(folder.path, "test", "program.ts")
    assert.deepEqual([code, json.result.passed], [0, 1], JSON.stringify(json))
  })
})
