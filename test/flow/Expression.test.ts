import { Result } from "effect"
import { describe, expect, it } from "vitest"
import type { Field } from "../../src/flow/contract/Contract.ts"
import {
  compileCondition,
  compileValue,
  constantCondition,
  type ExpressionOptions,
  maxExpressionLength,
  type Scope
} from "../../src/flow/expression/Expression.ts"

const scope = (record: unknown, more: Partial<Scope> = {}): Scope => ({
  record,
  metadata: {},
  key: null,
  event_time: null,
  ...more
})

const value = (text: string, record: unknown = {}, more: Partial<Scope> = {}): unknown =>
  Result.getOrThrow(compileValue(text))(scope(record, more))

const holds = (text: string, record: unknown = {}, more: Partial<Scope> = {}): boolean =>
  Result.getOrThrow(compileCondition(text))(scope(record, more))

const refused = (text: string, options: ExpressionOptions = {}) =>
  Result.getOrThrow(Result.flip(compileCondition(text, options)))

describe("arithmetic does what a person expects of JSON numbers", () => {
  const record = { a: 1, b: 2.5, delay: 90, s: "x", n: null, list: [1, 2, 3] }
  it.each<[string, unknown]>([
    ["record.delay / 60", 1.5],
    ["record.delay / 60.0", 1.5],
    ["60 * record.b", 150],
    ["record.b * 60", 150],
    ["record.a + 1", 2],
    ["1 + record.a", 2],
    ["1 - record.b", -1.5],
    ["record.b - 1", 1.5],
    ["record.delay % 60", 30],
    ["100 % record.delay", 10],
    ["record.delay % record.b", 0],
    ["-record.b", -2.5],
    ["7 / 2", 3],
    ["7 % 2", 1],
    ["7 / 2.0", 3.5],
    ["size(record.list) * 2", 6],
    ["size(record.list) * record.b", 7.5],
    ["record.list[record.a]", 2],
    ["record.list.map(x, x * 2)", [2, 4, 6]],
    ["record.list.filter(x, x > 1)", [2, 3]],
    ["record.s + '/' + string(record.a)", "x/1"],
    ["record.a > 0 ? 1 : 2.5", 1],
    ["record.a > 0 ? 'late' : null", "late"],
    ["[1, 'a', record.b, null]", [1, "a", 2.5, null]],
    ["{'x': record.a, 'y': [1]}", { x: 1, y: [1] }],
    ["9007199254740991", Number.MAX_SAFE_INTEGER]
  ])("%s", (text, expected) => {
    expect(value(text, record)).toEqual(expected)
  })

  it.each<[string, boolean]>([
    ["record.delay > 60", true],
    ["record.delay > 60.0", true],
    ["60 < record.delay", true],
    ["60.5 >= record.delay", false],
    ["record.a == 1", true],
    ["1 == record.a", true],
    ["record.a == 1.0", true],
    ["record.a != 1", false],
    ["size(record.list) == 3.0", true],
    ["record.a in [1, 2]", true],
    ["record.b in [1, 2]", false],
    ["record.n == null", true],
    ["record.s != null", true],
    ["record.s == 1", false],
    ["record.s != 1", true],
    ["key == null", true],
    ["event_time == null", true]
  ])("%s is %s", (text, expected) => {
    expect(holds(text, record)).toBe(expected)
  })
})

describe("a condition that cannot be answered is false", () => {
  it.each([
    "record.nope > 1",
    "record.nope == null",
    "!record.nope",
    "record.nope.deeper == 1",
    "record.n > 1",
    "!(record.n > 1)",
    "1 < record.n",
    "record.s > 1",
    "record.s + 1 > 0",
    "record.list > 1",
    "record.s",
    "record.list[7] == 1",
    "metadata.nope == 1",
    "key.startsWith('a')",
    "record.s.startsWith(record.a)"
  ])("%s", (text) => {
    expect(holds(text, { a: 1, s: "x", n: null, list: [1] })).toBe(false)
  })

  it.each([null, "text", 5, [1, 2], undefined])("a record that is %s", (record) => {
    expect(holds("record.delay > 60", record)).toBe(false)
  })

  it("unless the rest of it answers for it", () => {
    expect(holds("record.nope > 1 || record.a == 1", { a: 1 })).toBe(true)
    expect(holds("record.a == 1 || record.nope > 1", { a: 1 })).toBe(true)
    expect(holds("!(record.f && record.nope)", { f: false })).toBe(true)
    expect(holds("record.a == 1 ? true : record.nope", { a: 1 })).toBe(true)
    expect(holds("has(record.nope) || true", {})).toBe(true)
    expect(holds("has(record.nope) && record.nope > 1", {})).toBe(false)
  })
})

describe("a value that cannot be computed throws its reason", () => {
  it.each<[string, RegExp]>([
    ["record.nope", /missing: nope/],
    ["record.n + 1", /null \+ number/],
    ["record.s * 2", /string \* number/],
    ["record.s.startsWith(1)", /startsWith\(number\)/],
    ["1.0 / 0.0", /Infinity/],
    ["0.0 / 0.0", /NaN/],
    ["1 / 0", /division by zero/],
    ["9007199254740993", /too large/],
    ["9223372036854775807 + 1", /overflow/],
    ["b'abc'", /bytes/],
    ["type(1)", /not a JSON value/],
    ["record.list[9]", /out of bounds/],
    ["duration(record.long)", /more than 64/]
  ])("%s", (text, reason) => {
    expect(() => value(text, { n: null, s: "x", list: [1], long: "1".repeat(5000) })).toThrow(reason)
  })
})

describe("times", () => {
  const at = { event_time: Date.UTC(2024, 0, 2, 3, 4, 5) }
  it("is a timestamp inside and ISO 8601 outside", () => {
    expect(value("event_time", {}, at)).toBe("2024-01-02T03:04:05.000Z")
    expect(holds("event_time > timestamp('2024-01-01T00:00:00Z')", {}, at)).toBe(true)
    expect(value("event_time.getHours()", {}, at)).toBe(3)
    expect(value("event_time + duration('1h')", {}, at)).toBe("2024-01-02T04:04:05.000Z")
    expect(value("duration('90m')")).toBe("PT5400S")
  })
})

describe("prototypes are out of reach", () => {
  const record = JSON.parse(
    '{"__proto__": {"p": 1}, "constructor": "Ferrari", "lap": 7, "car": {"constructor": "F", "x": 1}}'
  )
  it.each([
    "record.__proto__",
    "record.constructor",
    "record.prototype",
    "record['__proto__']",
    "record['constructor']",
    "record['__pro' + 'to__']",
    "record.car.constructor",
    "record.lap.constructor",
    "metadata.constructor"
  ])("%s behaves as missing", (text) => {
    expect(() => value(text, record)).toThrow(/missing/)
    expect(holds(`${text} != 0`, record)).toBe(false)
  })

  it("has() does not see them", () => {
    expect(holds("has(record.constructor) || has(record.__proto__)", record)).toBe(false)
  })

  it("a field named constructor hides nothing else", () => {
    expect(holds("record.lap > 6", record)).toBe(true)
    expect(value("record.car.x + 1", record)).toBe(2)
    expect(value("record.car", record)).toEqual({ constructor: "F", x: 1 })
    expect(value("record.a.b", { a: { constructor: null, b: 2 } })).toBe(2)
  })

  it("no result holds __proto__", () => {
    expect(refused("{'__proto__': 1} == {}").message).toContain("refused")
    expect(() => value("record", record)).toThrow(/__proto__/)
    const made = value("{'__pro' + 'to__': {'polluted': true}}") as object
    expect(Object.getPrototypeOf(made)).toBe(Object.prototype)
    expect(({} as { polluted?: boolean }).polluted).toBeUndefined()
  })
})

describe("patterns", () => {
  it("take time linear in the text", () => {
    const evil = Result.getOrThrow(compileCondition("record.s.matches('(a|a)+b$')"))
    const started = performance.now()
    expect(evil(scope({ s: "a".repeat(100_000) }))).toBe(false)
    expect(performance.now() - started).toBeLessThan(2000)
    expect(holds("record.s.matches('^a+b$')", { s: "aab" })).toBe(true)
  })

  it("from a record are bounded too", () => {
    expect(holds("record.s.matches(record.p)", { s: "aab", p: "a+b" })).toBe(true)
    expect(holds("record.s.matches(record.p)", { s: "aab", p: "(" })).toBe(false)
    for (let index = 0; index < 1000; index++)
      holds("record.s.matches(record.p)", { s: "x", p: `x{${index % 900}}` })
  })

  it("that are none are found when compiling", () => {
    expect(refused("record.s.matches('(')")).toMatchObject({
      message: expect.stringContaining("missing closing )"),
      column: 18
    })
    expect(refused("record.s.matches('(?=a)')").suggestion).toContain("RE2")
    expect(refused("record.s.matches('((a{100}){100}){100}')").message).toContain("Not a pattern")
  })
})

describe("errors when compiling", () => {
  it.each<[string, object]>([
    [
      "delay > 60",
      {
        message: expect.stringContaining("delay is not known"),
        suggestion: "record.delay",
        line: 1,
        column: 1
      }
    ],
    ["recrd.delay > 60", { suggestion: "record" }],
    ["true &&\n  metdata.x == 1", { suggestion: "metadata", line: 2, column: 3, offset: 10 }],
    ["record.k = 1", { message: "= is no operator here", suggestion: "==", column: 10 }],
    ["record.k === 1", { message: "=== is no operator here", suggestion: "==" }],
    ["record.k !== 1", { message: "!== is no operator here", suggestion: "!=" }],
    ["record.k <> 1", { message: "<> is no operator here", suggestion: "!=" }],
    ["record.k and record.j", { message: "and is no operator here", suggestion: "&&" }],
    ["record.k >", { message: expect.stringContaining("ends too early") }],
    ["int(record.k", { message: "A ) is missing" }],
    ["record.k ? 1", { message: "A : is missing" }],
    ["record.k == undefined", { suggestion: "null" }],
    ["Math.floor(record.k) > 1", { message: expect.stringContaining("no function Math.floor") }],
    ["record.a-b > 1", { suggestion: expect.stringContaining('record["a-b"]') }],
    ["len(record.k) > 1", { message: "There is no function len", suggestion: "size" }],
    ["record.s.startWith('a')", { message: "There is no function startWith", suggestion: "startsWith" }],
    ["record.delay >", { line: 1, column: 15 }],
    ["'a' > 1", { message: "string > number cannot be computed" }],
    ["'text'", { message: expect.stringContaining("true or false") }],
    ["1 + 1", { message: expect.stringContaining("true or false") }],
    ["", { line: 1 }]
  ])("%s", (text, expected) => {
    expect(refused(text)).toMatchObject(expected)
  })

  it.each([
    "1".repeat(maxExpressionLength + 1),
    `${"(".repeat(200)}1${")".repeat(200)}`,
    `${"!".repeat(4000)}true`,
    `${"1+".repeat(2000)}1`,
    `[${"1,".repeat(2000)}1]`,
    "record.l.all(a, record.l.all(b, record.l.all(c, record.l.all(d, true))))"
  ])("bounds: %.40s…", (text) => {
    expect(Result.isFailure(compileCondition(text))).toBe(true)
  })
})

describe("with the fields of a contract", () => {
  const fields = new Map<string, Field>([
    ["delay", { type: "number", optional: false }],
    ["origin", { type: "string", optional: true }],
    ["airport", { type: "object", optional: false }],
    ["tags", { type: "array", optional: false }]
  ])

  it.each<[string, object]>([
    [
      "record.dely > 60",
      { message: "The record has no field dely here", suggestion: "record.delay", column: 8 }
    ],
    ["record['orign'] == 'JFK'", { suggestion: "record.origin" }],
    ["record.origin > 60", { message: "string > number cannot be computed" }],
    ["record.origin == 60", { message: "string == number cannot be computed" }],
    ["record.delay.startsWith('a')", { message: expect.stringContaining("startsWith") }],
    ["record.origin", { message: expect.stringContaining("true or false") }]
  ])("%s is an error", (text, expected) => {
    expect(refused(text, { fields })).toMatchObject(expected)
  })

  it.each([
    "record.delay > 60 && record.delay == 60",
    "record.delay in [1, 2]",
    "record.origin == null || record.origin != 'JFK'",
    "record.airport.name == 'x'",
    "record.tags.exists(t, t == 'a') && record.tags[0] == 'a'",
    "has(record.other)",
    "record.delay / 60 > 1",
    "(record.delay > 1 ? record.origin : 0) == 0"
  ])("%s is none", (text) => {
    expect(compileCondition(text, { fields })).toMatchObject({ _tag: "Success" })
  })
})

it("knows conditions that ask nothing", () => {
  expect(constantCondition("1 < 2")).toBe(true)
  expect(constantCondition("false")).toBe(false)
  expect(constantCondition("record.a == 1")).toBeUndefined()
  expect(constantCondition("((")).toBeUndefined()
})
