import { it as effectIt } from "@effect/vitest"
import { Result } from "effect"
import { describe, expect, it } from "vitest"
import type { Comparison, Condition } from "../../../events/Definition.ts"
import { compilePredicate } from "../../../src/flow/condition/compilePredicate.ts"
import { constantAnswer } from "../../../src/flow/condition/constantAnswer.ts"
import { Choices, chooser, someCondition, someRecord } from "./someCondition.ts"

const asks = (condition: Condition) => {
  const predicate = Result.getOrThrow(compilePredicate(condition))
  return (record: unknown, metadata: Readonly<Record<string, unknown>> = {}) =>
    predicate({ record, metadata, key: null, event_time: null })
}

const runs = { arbitrary: { runs: 1000, size: 60 } }

/** Metadata of the same kind as records. */
const someMetadata = (from: ReturnType<typeof chooser>): Readonly<Record<string, unknown>> => {
  const made = someRecord(from)
  return typeof made === "object" && made !== null && !Array.isArray(made)
    ? (made as Readonly<Record<string, unknown>>)
    : {}
}

describe("the algebra means what the equivalent CEL means", () => {
  effectIt.prop(
    "for any record",
    [Choices],
    ([choices]) => {
      const from = chooser(choices)
      const condition = someCondition(from)
      const [data, cel] = [asks(condition), asks({ cel: celOf(condition) })]
      for (let each = 0; each < 3; each++) {
        const [record, metadata] = [someRecord(from), someMetadata(from)]
        expect(data(record, metadata), JSON.stringify({ condition, record, metadata })).toBe(
          cel(record, metadata)
        )
      }
    },
    runs
  )

  effectIt.prop(
    "double negation, De Morgan, the constants",
    [Choices],
    ([choices]) => {
      const from = chooser(choices)
      const [a, b] = [someCondition(from, 2), someCondition(from, 2)]
      const pairs: ReadonlyArray<readonly [Condition, Condition]> = [
        [{ not: { not: a } }, a],
        [{ not: { all: [a, b] } }, { any: [{ not: a }, { not: b }] }],
        [{ not: { any: [a, b] } }, { all: [{ not: a }, { not: b }] }],
        [{ all: [a, "always", b] }, { all: [b, a] }],
        [{ any: [a, "never", b] }, { any: [b, a] }],
        [{ all: [a, { not: a }] }, "never"],
        [{ any: [a, { not: a }] }, "always"],
        [{ all: [a] }, { any: [a] }]
      ]
      const [record, metadata] = [someRecord(from), someMetadata(from)]
      for (const [left, right] of pairs) {
        expect(asks(left)(record, metadata), JSON.stringify({ left, right, record, metadata })).toBe(
          asks(right)(record, metadata)
        )
      }
    },
    runs
  )

  effectIt.prop(
    "a constant answer is the answer for every record",
    [Choices],
    ([choices]) => {
      const from = chooser(choices)
      const condition = someCondition(from)
      const constant = constantAnswer(condition)
      if (constant === undefined) return
      for (let each = 0; each < 3; each++) {
        expect(asks(condition)(someRecord(from), someMetadata(from)), JSON.stringify(condition)).toBe(
          constant
        )
      }
    },
    runs
  )
})

it.each<[Condition, boolean | undefined]>([
  ["1 < 2", true],
  [{ any: [{ all: [] }, { field: "a", gt: 1 }] }, true],
  [{ not: { any: [] } }, true],
  [{ all: [{ field: "a", gt: 1 }, "never"] }, false],
  [{ field: "a", gt: 5, lt: 5 }, false],
  [{ field: "a", gte: 5, lte: 5 }, undefined],
  [{ field: "a", gt: 1, lt: "x" }, false],
  [{ field: "a", matches: "x", gt: 1 }, false],
  [{ field: "a", exists: false, equals: 1 }, false],
  [{ field: "a", exists: true, equals: 1 }, undefined],
  [{ field: "a", exists: false }, undefined]
])("the constant answer of %j is %s", (condition, answer) => {
  expect(constantAnswer(condition)).toBe(answer)
})

describe("what a record cannot answer is false", () => {
  it.each<[string, Condition]>([
    ["a field that is not there", { field: "x", gt: 0 }],
    ["a path through a text", { field: "text.length", gte: 0 }],
    ["a path through a list", { field: "list.length", gte: 0 }],
    ["an index of a list", { field: "list.0", equals: 1 }],
    ["what every object inherits", { field: "toString", exists: true }],
    ["a text compared with a number", { field: "text", lt: 5 }],
    ["a number compared with a text", { field: "number", lt: "5" }],
    ["a pattern on a number", { field: "number", matches: "." }],
    ["null above nothing", { field: "nothing", gte: 0 }],
    ["metadata that is not there", { metadata: "toString", exists: true }]
  ])("%s, and not of it is true", (_, condition) => {
    const record = { text: "12", number: 12, list: [1], nothing: null }
    expect(asks(condition)(record)).toBe(false)
    expect(asks({ not: condition })(record)).toBe(true)
    for (const payload of [null, 5, "text", [1]]) expect(asks(condition)(payload)).toBe(false)
  })

  it("a null is there, and only a null equals it", () => {
    expect(asks({ field: "a", exists: true })({ a: null })).toBe(true)
    expect(asks({ field: "a", equals: null })({ a: null })).toBe(true)
    expect(asks({ field: "a", equals: null })({})).toBe(false)
    expect(asks({ field: "a", exists: false })({})).toBe(true)
    expect(asks({ field: "a", exists: false })({ a: null })).toBe(false)
  })

  it("equality is deep and exact", () => {
    const wanted = { a: [1, { b: "x", c: null }] }
    const equals = asks({ field: "v", equals: wanted })
    expect(equals({ v: { a: [1, { c: null, b: "x" }] } })).toBe(true)
    for (const other of [
      { a: [1, { b: "x" }] },
      { a: [1, { b: "x", c: null, d: 1 }] },
      { a: [{ b: "x", c: null }, 1] },
      { a: [1, { b: "x", c: null }], z: undefined },
      { a: { 0: 1, 1: { b: "x", c: null } } },
      { a: ["1", { b: "x", c: null }] },
      JSON.stringify(wanted)
    ]) {
      expect(equals({ v: other }), JSON.stringify(other)).toBe(false)
    }
  })

  it("CEL inside the algebra keeps its own rule: what cannot be answered is false, negated or not", () => {
    expect(asks({ not: { cel: "!(record.a > 1)" } })({})).toBe(true)
    expect(asks({ all: ["record.a > 1", { field: "b", exists: true }] })({ a: 2, b: 0 })).toBe(true)
  })
})

describe("time is bounded whatever is asked", () => {
  it("an evil pattern on an evil text", () => {
    const evil = asks({ field: "s", matches: "(a|a)+b$" })
    const started = performance.now()
    expect(evil({ s: "a".repeat(100_000) })).toBe(false)
    expect(performance.now() - started).toBeLessThan(5000)
  })

  it("what cannot be compiled says where", () => {
    expect(compilePredicate({ all: ["always", { field: "a", matches: "(?=a)" }] })).toMatchObject({
      failure: { path: ["all", 1, "matches"] }
    })
    expect(compilePredicate({ not: { cel: "record." } })).toMatchObject({ failure: { path: ["not", "cel"] } })
  })
})

/** The same condition in CEL, with every question guarded by whether it can be asked. */
const celOf = (condition: Condition): string => {
  if (condition === "always") return "true"
  if (condition === "never") return "false"
  if (typeof condition === "string") return condition
  if ("cel" in condition) return condition.cel
  if ("not" in condition) return `!(${celOf(condition.not)})`
  if ("all" in condition) return condition.all.map((each) => `(${celOf(each)})`).join(" && ") || "true"
  if ("any" in condition) return condition.any.map((each) => `(${celOf(each)})`).join(" || ") || "false"
  if ("type" in condition) return `type(record) == ${celTypes[condition.type]}`
  const [root, path] =
    "metadata" in condition ? ["metadata", [condition.metadata]] : ["record", condition.field.split(".")]
  return askedIn(root as string, path as ReadonlyArray<string>, condition)
}

const celTypes = {
  object: "map",
  array: "list",
  string: "string",
  number: "double",
  boolean: "bool",
  null: "type(null)"
}

const askedIn = (root: string, path: ReadonlyArray<string>, comparison: Comparison): string => {
  let value = root
  const guards: Array<string> = []
  for (const part of path) {
    guards.push(`type(${value}) == map`, `"${part}" in ${value}`)
    value = `${value}.${part}`
  }
  const there = guards.join(" && ")
  const questions = Object.entries(comparison).flatMap(([key, wanted]) => {
    if (key === "field" || key === "metadata") return []
    if (key === "exists") return [wanted ? there : `!(${there})`]
    if (key === "equals") return [`${there} && ${value} == ${literal(wanted)}`]
    if (key === "matches")
      return [`${there} && type(${value}) == string && ${value}.matches(${literal(wanted)})`]
    const type = typeof wanted === "number" ? "double" : "string"
    return [`${there} && type(${value}) == ${type} && ${value} ${operators[key]} ${literal(wanted)}`]
  })
  return questions.map((question) => `(${question})`).join(" && ")
}

const operators: Readonly<Record<string, string>> = { gt: ">", gte: ">=", lt: "<", lte: "<=" }

const literal = (value: unknown): string => {
  if (typeof value === "number") return Number.isInteger(value) ? `${value}.0` : String(value)
  if (Array.isArray(value)) return `[${value.map(literal).join(", ")}]`
  if (typeof value !== "object" || value === null) return JSON.stringify(value)
  return `{${Object.entries(value)
    .map(([key, part]) => `${JSON.stringify(key)}: ${literal(part)}`)
    .join(", ")}}`
}
