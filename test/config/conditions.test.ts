import { it as effectIt } from "@effect/vitest"
import { Result } from "effect"
import { describe, expect, it } from "vitest"
import { decodeDefinition, encodeDefinition } from "../../events/Definition.ts"
import { encodeYaml, parsePipelineFile } from "../../src/config/PipelineFile.ts"
import { canonical } from "../../src/flow/contract/Contract.ts"
import { signature } from "../../src/flow/contract/signature.ts"
import { Choices, chooser, someCondition } from "../flow/condition/someCondition.ts"

const parse = (text: string) => parsePipelineFile({ text, environment: {} })
const told = (text: string): ReadonlyArray<string> =>
  parse(text).findings.map(
    ({ code, column, line, pointer, severity, suggestion }) =>
      `${severity === "error" ? "" : "warning "}${code} ${pointer} ${line}:${column}${suggestion === undefined ? "" : ` → ${suggestion}`}`
  )

/** The condition stands on line 4, from column 22 on. */
const withFilter = (condition: string) => `name: p
stages:
  a: { source: { use: m }, output: { origin: string, delay: number } }
  b: { from: a, filter: ${condition} }
  c: { from: b, sink: { use: m } }
`

describe("a condition as data in a file", () => {
  it.each<[string, string, ReadonlyArray<string>]>([
    [
      "one of each",
      "{ all: [always, { any: [{ field: delay, gte: 60, lt: 120 }, { type: object }] }, { not: { metadata: kind, equals: [1] } }, { cel: record.delay > 1 }, record.delay > 2] }",
      []
    ],
    ["a misspelt word", "{ al: [record.delay > 1] }", ["unknown_key /stages/b/filter/al 4:27 → all"]],
    [
      "a misspelt word deep inside",
      "{ all: [{ nott: record.delay > 1 }] }",
      ["unknown_key /stages/b/filter/all/0/nott 4:35 → not"]
    ],
    [
      "a misspelt comparison",
      "{ metadata: kind, eqals: x }",
      ["unknown_key /stages/b/filter/eqals 4:43 → equals"]
    ],
    ["a word from nowhere", "{ foo: 1 }", ["wrong_type /stages/b/filter 4:25"]],
    ["nothing in it", "{}", ["wrong_type /stages/b/filter 4:25"]],
    ["nothing asked", "{ field: delay }", ["bad_value /stages/b/filter 4:25"]],
    [
      "two at once",
      "{ field: delay, gt: 1, all: [] }",
      ["unknown_key /stages/b/filter/all 4:48 → one of field, exists, equals, matches, gt, gte, lt, lte"]
    ],
    ["a bound of another kind", "{ field: delay, gt: true }", ["wrong_type /stages/b/filter/gt 4:45"]],
    ["no JSON type", "{ type: strin }", ["bad_value /stages/b/filter/type 4:33 → string"]],
    ["no list", "{ any: always }", ["wrong_type /stages/b/filter/any 4:32"]],
    ["a number in a list", "{ any: [always, 5] }", ["wrong_type /stages/b/filter/any/1 4:41"]],
    ["neither text nor data", "5", ["wrong_type /stages/b/filter 4:25"]],
    [
      "several mistakes at once",
      "{ all: [{ field: dely, gt: 1 }, { metadata: x, matches: '[' }, { cel: '((' }, { field: origin, gt: 1 }] }",
      [
        "unknown_field /stages/b/filter/all/0/field 4:42 → delay",
        "bad_pattern /stages/b/filter/all/1/matches 4:81 → Patterns are RE2: no look-around, no back-references",
        "bad_expression /stages/b/filter/all/2/cel 4:95",
        "contract_mismatch /stages/b/filter/all/3/gt 4:124"
      ]
    ],
    [
      "always the same",
      "{ any: [never, { not: always }] }",
      ["warning constant_condition /stages/b/filter 4:25"]
    ],
    [
      "a range without numbers",
      "{ field: delay, gt: 5, lte: 5 }",
      ["warning constant_condition /stages/b/filter 4:25"]
    ]
  ])("%s", (_, condition, expected) => {
    expect(told(withFilter(condition))).toEqual(expected)
  })

  it("on an edge, alone and in a list, beside other mistakes", () => {
    const text = `name: p
stages:
  a: { source: { use: m }, output: { n: number } }
  b:
    from:
      - stage: a
        when: { all: [{ field: m, gt: 1 }] }
    sink: { use: m }
  c:
    from: [{ stage: a, when: { not: { field: n, gtt: 1 } } }, { stage: zzz, when: never }]
    sink: { use: m }
`
    expect(told(text)).toEqual([
      "unknown_field /stages/b/from/0/when/all/0/field 7:32 → Its fields are n",
      "unknown_key /stages/c/from/0/when/not/gtt 10:49 → gt",
      "unknown_stage /stages/c/from/1/stage 10:72",
      "warning constant_condition /stages/c/from/1/when 10:83"
    ])
  })

  it("a number in a CSV file is a text here as well", () => {
    const text = `name: p
stages:
  a: { source: { use: file, path: a.csv } }
  b: { from: a, filter: { all: [{ field: delay, gt: 60 }, { field: origin, equals: JFK }] } }
  c: { from: b, sink: { use: m } }
`
    expect(told(text)).toEqual([
      "warning number_as_text /stages/b/filter/all/0/gt 4:53 → types: { delay: number } beside the source's path"
    ])
  })
})

describe("the file and the definition are one", () => {
  effectIt.prop(
    "for any condition",
    [Choices],
    ([choices]) => {
      const from = chooser(choices)
      const [filter, when] = [someCondition(from), someCondition(from)]
      const wire = {
        name: "p",
        stages: {
          a: { source: { use: "m" } },
          b: { from: "a", filter },
          c: { from: { stage: "b", when }, sink: { use: "m" } }
        }
      }
      const definition = Result.getOrThrow(decodeDefinition(wire))
      expect(definition.stages.b?.filter).toEqual(filter)
      expect(canonical(encodeDefinition(definition).stages)).toBe(canonical(wire.stages))
      const again = parse(encodeYaml(definition))
      expect(again.findings.filter(({ severity }) => severity === "error")).toEqual([])
      expect(again.definition).toEqual(definition)
      expect(signature(again.definition!)).toBe(signature(definition))
    },
    { arbitrary: { runs: 200, size: 40 } }
  )

  it("a definition with CEL alone keeps the signature it always had", () => {
    const wire = {
      name: "p",
      stages: {
        a: { source: { use: "m" } },
        b: { from: "a", filter: "record.x > 1" },
        c: { from: { stage: "b", when: "record.y" }, sink: { use: "m" } }
      }
    }
    expect(signature(Result.getOrThrow(decodeDefinition(wire)))).toBe(
      "6435fd5c86908178bdaf4471e7fb2b4d62cc78a684ef8d2b36569b05d7147bbf"
    )
  })
})

describe("conditions without end are findings, in bounded time", () => {
  const quickly = (text: string): ReadonlyArray<string> => {
    const started = performance.now()
    const codes = parse(text).findings.map(({ code }) => code)
    expect(performance.now() - started).toBeLessThan(10_000)
    return [...new Set(codes)]
  }
  const nested = (levels: number, inner = "{ field: delay, gt: 1 }") =>
    `${"{ not: ".repeat(levels)}${inner}${" }".repeat(levels)}`

  it("as deep as the bound, and one deeper", () => {
    expect(quickly(withFilter(nested(23)))).toEqual([])
    expect(quickly(withFilter(nested(24)))).toEqual(["bad_value"])
    expect(quickly(withFilter(nested(40)))).toEqual(["too_deep"])
    expect(quickly(withFilter(nested(20_000)))).toEqual(["too_deep"])
  })

  it("as large as the bound, and larger", () => {
    const wide = (count: number) => `{ any: [${"{ field: delay, gt: 1 }, ".repeat(count)}] }`
    expect(quickly(withFilter(wide(332)))).toEqual([])
    expect(quickly(withFilter(wide(333)))).toEqual(["bad_value"])
    expect(quickly(withFilter(wide(8000)))).toEqual(["too_large"])
    expect(quickly(withFilter(`{ any: [${"{ nope: 1 }, ".repeat(900)}] }`))).toContain("too_many_findings")
  })

  it("patterns and expressions", () => {
    expect(quickly(withFilter(`{ field: origin, matches: '${"(a|a)+".repeat(160)}b' }`))).toEqual([])
    expect(quickly(withFilter(`{ field: origin, matches: '((((a{100}){100}){100}){100}){100}' }`))).toEqual([
      "bad_pattern"
    ])
    expect(quickly(withFilter(`{ field: origin, matches: '${"(".repeat(1000)}' }`))).toEqual(["bad_pattern"])
    expect(quickly(withFilter(`{ cel: "${"(".repeat(1000)}1${")".repeat(1000)}" }`))).toEqual([
      "bad_expression"
    ])
    expect(quickly(withFilter(`{ cel: "${"!".repeat(4000)}true" }`))).toEqual(["bad_expression"])
    expect(quickly(withFilter(`{ cel: "${"record.delay > 1 && ".repeat(600)}true" }`))).toEqual([
      "bad_expression"
    ])
  })

  it("a definition of a program: nested beyond any stack, and holding itself", () => {
    const wire = (filter: unknown) => ({
      name: "p",
      stages: { a: { source: { use: "m" } }, b: { from: "a", filter } }
    })
    let deep: unknown = "always"
    for (let level = 0; level < 100_000; level++) deep = { not: deep }
    const ring: { not: unknown } = { not: "always" }
    ring.not = ring
    for (const each of [deep, ring]) expect(decodeDefinition(wire(each))._tag).toBe("Failure")
    let twice: unknown = { field: "a", gt: 1 }
    for (let level = 0; level < 20; level++) twice = { all: [twice, twice] }
    const started = performance.now()
    expect(decodeDefinition(wire(twice))._tag).toBe("Failure")
    expect(performance.now() - started).toBeLessThan(5000)
  })
})
