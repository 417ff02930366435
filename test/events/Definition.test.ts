/**
 * A pipeline as data: short forms, defaults, one canonical form, and all that is wrong at once.
 *
 * @module
 */
import { assert, describe, it } from "@effect/vitest"
import { Arbitrary, Result, Schema } from "effect"
import {
  type Definition,
  decodeDefinition,
  encodeDefinition,
  isMapEdit,
  kindOf,
  lookupUse
} from "../../events/Definition.ts"

const decoded = (wire: unknown): Definition => Result.getOrThrow(decodeDefinition(wire))
const problems = (wire: unknown): string => Result.getOrThrow(Result.flip(decodeDefinition(wire))).message

const source = { source: { use: "memory" } }
const stage = (of: object) => ({ name: "p", stages: { in: source, x: of } })
const there = (of: object) => decoded(stage(of)).stages.x
const andBack = (of: object) =>
  (encodeDefinition(decoded(stage(of))) as { stages: Record<string, unknown> }).stages.x

describe("defaults", () => {
  it("are filled in", () =>
    assert.deepStrictEqual(decoded({ name: "p", stages: {} }), {
      name: "p",
      description: "",
      schedule: "manual",
      stages: {},
      merge: "arrival",
      onUnrouted: "dead_letter",
      deadLetters: { window: 100, threshold: 10 },
      runtime: {
        batchSize: 1000,
        maxBatchBytes: 8 * 1024 * 1024,
        maxBuffering: 1000,
        inFlight: 4,
        checkpointInterval: 1000,
        recovery: {
          minBackoff: 1000,
          maxBackoff: 600_000,
          factor: 2,
          maxRetries: "unlimited",
          healthyAfter: 300_000
        }
      }
    }))
  it("are written out in the canonical form, so a changed default changes no old definition", () =>
    assert.deepStrictEqual(encodeDefinition(decoded({ name: "p", stages: {} })), {
      name: "p",
      description: "",
      schedule: "manual",
      stages: {},
      merge: "arrival",
      on_unrouted: "dead_letter",
      dead_letters: { window: 100, threshold: 10 },
      runtime: {
        batch_size: 1000,
        max_batch_bytes: 8 * 1024 * 1024,
        max_buffering: "1s",
        in_flight: 4,
        checkpoint_interval: "1s",
        recovery: {
          min_backoff: "1s",
          max_backoff: "10m",
          factor: 2,
          max_retries: "unlimited",
          healthy_after: "5m"
        }
      }
    }))
})

describe("durations", () => {
  const cases = [
    ["250ms", 250, "250ms"],
    ["5s", 5000, "5s"],
    ["90s", 90_000, "90s"],
    ["120s", 120_000, "2m"],
    ["1.5s", 1500, "1500ms"],
    ["1h", 3_600_000, "1h"],
    ["7d", 604_800_000, "7d"],
    ["24h", 86_400_000, "1d"],
    ["0s", 0, "0ms"]
  ] as const
  for (const [text, ms, canonical] of cases) {
    it(`${text} is ${ms} ms, written ${canonical}`, () => {
      const of = decoded({ name: "p", stages: {}, runtime: { max_buffering: text } })
      assert.strictEqual(of.runtime.maxBuffering, ms)
      assert.propertyVal((encodeDefinition(of) as { runtime: object }).runtime, "max_buffering", canonical)
    })
  }
  for (const text of ["5", "5 s", "-5s", "s", "1w", "1e3s", ""]) {
    it(`"${text}" is none`, () => {
      const wrong = problems({ name: "p", stages: {}, runtime: { max_buffering: text } })
      assert.include(wrong, "a duration like 250ms, 5s, 10m, 1h or 7d")
    })
  }
})

describe("edges", () => {
  const when = "record.n > 1"
  const cases: ReadonlyArray<readonly [unknown, unknown, unknown]> = [
    ["in", [{ stage: "in" }], "in"],
    [["in"], [{ stage: "in" }], "in"],
    [{ stage: "in" }, [{ stage: "in" }], "in"],
    [{ stage: "in", when }, [{ stage: "in", when }], { stage: "in", when }],
    [
      ["in", { stage: "b", when }],
      [{ stage: "in" }, { stage: "b", when }],
      ["in", { stage: "b", when }]
    ]
  ]
  for (const [wire, edges, canonical] of cases) {
    it(`from: ${JSON.stringify(wire)}`, () => {
      assert.deepStrictEqual(there({ from: wire, filter: "true" })?.from, edges as never)
      assert.deepInclude(andBack({ from: wire, filter: "true" }), { from: canonical })
    })
  }
  it("a list of none is none", () =>
    assert.include(problems(stage({ from: [], filter: "true" })), `["from"]`))
})

describe("maps", () => {
  const maps = {
    "a new payload": { id: "record.id", sum: "record.a + record.b" },
    "an edit": { set: { sum: "1" }, drop: ["a"] },
    "an edit that only drops": { drop: ["a"] },
    "a payload with a field called set": { set: "record.set" },
    "a payload with a field called drop": { drop: "record.drop" }
  }
  for (const [name, map] of Object.entries(maps)) {
    it(`${name} stays what it is`, () => {
      const edits = name.startsWith("an edit")
      assert.strictEqual(isMapEdit(there({ from: "in", map })!.map!), edits)
      assert.deepStrictEqual(there({ from: "in", map })!.map, map)
      assert.deepStrictEqual(andBack({ from: "in", map }), { from: "in", map })
    })
  }
})

describe("what a driver is told", () => {
  const settings = { use: "file", path: "x", header: false, columns: ["a"], nested: { deep: [1, null] } }
  it("goes through untouched", () => {
    assert.deepStrictEqual(there({ from: "in", sink: settings })?.sink, settings)
    assert.deepStrictEqual(andBack({ from: "in", sink: settings }), { from: "in", sink: settings })
  })
  it("a lookup's own settings too", () => {
    const lookup = { use: "file", path: "x", match: { id: "key" }, on_miss: "default", default: { a: null } }
    assert.deepStrictEqual(andBack({ from: "in", lookup }), { from: "in", lookup })
  })
})

describe("what asks", () => {
  it("has its defaults, and is written as it was read", () => {
    const endpoints = [{ url: "http://a/work" }]
    const service = {
      endpoints: [{ url: "http://a/work", weight: 1 }],
      ...{ balance: "round_robin" as const, batch: 100, concurrency: 4, timeout: 10_000 },
      maxResponseBytes: 8 * 1024 * 1024
    }
    assert.deepStrictEqual(there({ from: "in", service: { endpoints } })?.service, service)
    const { maxResponseBytes, timeout, ...same } = service
    assert.deepStrictEqual(andBack({ from: "in", service: { endpoints } }), {
      from: "in",
      service: { ...same, timeout: "10s", max_response_bytes: maxResponseBytes }
    })
    const cache = { cache: { miss_ttl: "1s" }, ask: { keys: 5 } }
    const lookup = { use: "memory", match: { a: "b" }, name: "t", ...cache }
    assert.deepInclude(there({ from: "in", lookup })?.lookup, {
      cache: { size: 10_000, ttl: 60_000, missTtl: 1000 },
      ask: { keys: 5, concurrency: 2, timeout: 10_000 }
    })
  })
  it("does not bring the settings of the engine to the driver of a lookup", () => {
    const lookup = {
      use: "memory",
      match: { a: "b" },
      name: "t",
      cache: {},
      ask: {},
      take: ["x"],
      default: 1
    }
    assert.deepStrictEqual(lookupUse(there({ from: "in", lookup })!.lookup!), { use: "memory", name: "t" })
  })
  it("that is set up by halves is refused", () => {
    assert.match(problems(stage({ from: "in", service: { endpoints: [] } })), /at least 1|minLength|length/i)
    assert.match(problems(stage({ from: "in", service: { endpoints: [{ url: "x", weight: 0 }] } })), /weight/)
  })
})

describe("mistakes", () => {
  it("are all told at once", () => {
    const wrong = problems({
      name: "a b",
      stages: { in: { source: {} } },
      runtime: { batch_size: 0 },
      shedule: "manual"
    })
    for (const at of [`["name"]`, `["use"]`, `["batch_size"]`, `["shedule"]`]) assert.include(wrong, at)
  })
  for (const name of ["", "a b", "a/b", "ü", "x".repeat(101)]) {
    it(`"${name.slice(0, 9)}" is no name`, () =>
      assert.include(problems({ name, stages: {} }), "1 to 100 letters, digits, _ or -"))
  }
  it("a stage has one kind", () => {
    assert.strictEqual(kindOf(there({ from: "in", filter: "true" })!), "filter")
    assert.isUndefined(kindOf(there({ from: "in", filter: "true", map: { a: "1" } })!))
    assert.isUndefined(kindOf(there({ from: "in" })!))
  })
})

const Expression = Schema.Literals(["record.a", "record.a > 1", "true"])
const Duration = Schema.Literals(["250ms", "5s", "90s", "1.5s", "10m", "1h", "7d"])
const Field = Schema.Literals(["a", "b", "set", "drop"])
const Target = Schema.Literals(["in", "x", "y"])
const Edge = Schema.Union([Target, Schema.Struct({ stage: Target, when: Schema.optionalKey(Expression) })])
const Timing = {
  overlap: Schema.optionalKey(Schema.Literals(["skip", "buffer_one", "cancel_running"])),
  catch_up: Schema.optionalKey(Schema.Literals(["skip", "one", "all"]))
}
const Use = Schema.Struct({
  use: Schema.Literals(["file", "memory"]),
  path: Schema.optionalKey(Schema.String)
})
const WireStage = Schema.Struct({
  from: Schema.optionalKey(Schema.Union([Edge, Schema.Array(Edge).check(Schema.isMinLength(1))])),
  source: Schema.optionalKey(Use),
  filter: Schema.optionalKey(Expression),
  map: Schema.optionalKey(
    Schema.Union([
      Schema.Struct({
        set: Schema.optionalKey(Schema.Record(Field, Expression)),
        drop: Schema.optionalKey(Schema.Array(Field))
      }),
      Schema.Record(Field, Expression)
    ])
  ),
  sink: Schema.optionalKey(Use),
  output: Schema.optionalKey(Schema.Record(Field, Schema.Literals(["string", "number?"])))
})
const Wire = Schema.Struct({
  name: Schema.Literals(["p", "orders-2"]),
  description: Schema.optionalKey(Schema.String),
  schedule: Schema.optionalKey(
    Schema.Union([
      Schema.Literals(["manual", "continuous"]),
      Schema.Struct({ interval: Duration, ...Timing }),
      Schema.Struct({ cron: Schema.String, time_zone: Schema.String, ...Timing })
    ])
  ),
  stages: Schema.Record(Target, WireStage),
  on_unrouted: Schema.optionalKey(Schema.Literals(["dead_letter", "drop"])),
  dead_letters: Schema.optionalKey(Schema.Struct({ window: Schema.Literals([0, 100]) })),
  runtime: Schema.optionalKey(Schema.Struct({ max_buffering: Duration }))
})

it.prop(
  "what is encoded decodes to the same, and is canonical",
  [Arbitrary.schema(Wire)],
  ([wire]) => {
    const definition = decoded(wire)
    const canonical = JSON.parse(JSON.stringify(encodeDefinition(definition)))
    assert.deepStrictEqual(decoded(canonical), definition)
    assert.deepStrictEqual(encodeDefinition(decoded(canonical)), canonical)
  },
  { arbitrary: { runs: 400 } }
)
