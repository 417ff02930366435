import { assert, describe, it } from "@effect/vitest"
import { Effect, Result, Schema } from "effect"
import { Definition } from "../../../events/Definition.ts"
import { GivenRecord } from "../../../src/index.ts"
import { runTest, testFindings } from "../../../src/pipeline/rehearse/runTest.ts"
import { decodeTests, type Test } from "../../../src/pipeline/rehearse/TestFile.ts"

const definition = Schema.decodeUnknownSync(Definition)({
  name: "p",
  stages: {
    in: { source: { use: "file", path: "in" }, output: { n: "number" } },
    big: { from: { stage: "in", when: "record.n > 10" }, sink: { use: "file", path: "big" } },
    all: { from: "in", sink: { use: "file", path: "all" } }
  }
})

type Expected = Readonly<Record<string, unknown>>

/** What is expected stands apart, because nothing that is awaited may have a member of that name. */
const written = (test: object, expected: Expected) => ({
  name: "t",
  given: {},
  ...test,
  ...Object.fromEntries(new Map().set("then", expected))
})
const one = (test: object, expected: Expected = {}): Test =>
  Result.getOrThrow(decodeTests({ tests: [written(test, expected)] })).tests[0]!
const codes = (test: object, expected: Expected = {}) => {
  const decoded = decodeTests({ tests: [written(test, expected)] })
  return Result.isFailure(decoded) ? decoded.failure.map(({ code, pointer }) => `${code} ${pointer}`) : []
}

describe("a test file", () => {
  it("has records with more than a payload where they say so with nothing else", () => {
    const { given } = one({
      given: {
        in: [
          { payload: 1, key: "k", event_time: "2026-01-01T00:00:00+01:00" },
          { payload: 1, id: 2 },
          { payload: { payload: 3 } },
          { key: "k" }
        ]
      }
    })
    assert.deepEqual(given.in, [
      new GivenRecord(1, { key: "k", eventTime: Date.UTC(2025, 11, 31, 23) }),
      { payload: 1, id: 2 },
      new GivenRecord({ payload: 3 }, {}),
      { key: "k" }
    ])
  })

  it("is told all that is wrong with it", () => {
    assert.deepEqual(
      codes(
        { at: "2026-01-01T00:00:00", given: { in: [{ payload: {}, key: 7, metadata: [] }] } },
        { all: {} }
      ),
      [
        "bad_value /tests/0/at",
        "wrong_type /tests/0/given/in/0/key",
        "wrong_type /tests/0/given/in/0/metadata",
        "wrong_type /tests/0/then/all"
      ]
    )
    assert.deepEqual(codes({ when: {}, services: { s: [{ stat: "nack" }, { status: "retry" }] } }).sort(), [
      "bad_value /tests/0/services/s/1/status",
      "unknown_key /tests/0/services/s/0/stat",
      "unknown_key /tests/0/when"
    ])
    assert.deepEqual(Result.isFailure(decodeTests({ tests: [] })), true, "a file without a test is a slip")
    const twice = decodeTests({ tests: [written({}, {}), written({}, {})] })
    assert.deepEqual(Result.isFailure(twice) && twice.failure[0]?.code, "duplicate_test")
  })

  it("names stages that there are", () => {
    const findings = testFindings(definition, one({ given: { inn: [] } }, { al: [], in: [] }), ["tests", 0])
    assert.deepEqual(
      findings.map(({ code, pointer, suggestion }) => [code, pointer, suggestion]),
      [
        ["unknown_source", "/tests/0/given/inn", "in"],
        ["unknown_sink", "/tests/0/then/al", "all"],
        ["unknown_sink", "/tests/0/then/in", "one of big, all"]
      ]
    )
  })
})

describe("a test", () => {
  const passes = (test: object, expected: Expected = {}) =>
    Effect.map(runTest(definition, one(test, expected)), ({ isPassed }) => isPassed)
  const given = { in: [{ n: 1 }, { n: "x" }, { n: 11 }] }
  const dead_letters = [{ code: "contract_violation", offset: 1, message: "number", record: { n: "x" } }]

  it.effect("looks at the sinks that are named, and at all when it is exact", () =>
    Effect.gen(function* () {
      assert.isTrue(yield* passes({ given }, { big: [{ n: 11 }], dead_letters }))
      assert.isTrue(yield* passes({ given }, { dead_letters }))
      assert.isFalse(yield* passes({ given, exact: true }, { big: [{ n: 11 }], dead_letters }))
      assert.isFalse(yield* passes({ given }, { all: [{ n: 11 }, { n: 1 }], dead_letters }), "order")
    })
  )

  it.effect("ignores no dead letter", () =>
    Effect.gen(function* () {
      assert.isFalse(yield* passes({ given }, {}))
      assert.isFalse(yield* passes({ given }, { dead_letters: [...dead_letters, ...dead_letters] }))
      assert.isFalse(yield* passes({ given }, { dead_letters: [{ ...dead_letters[0], stage: "all" }] }))
    })
  )

  it.effect("knows how the run ends", () =>
    Effect.gen(function* () {
      const many = { in: Array.from({ length: 11 }, () => ({ n: "x" })) }
      const letters = { dead_letters: Array.from({ length: 11 }, () => ({})) }
      assert.isFalse(yield* passes({ given: many }, letters))
      assert.isTrue(yield* passes({ given: many, fails: "dead_letter_threshold" }, letters))
      assert.isFalse(yield* passes({ fails: "dead_letter_threshold" }))
    })
  )
})
