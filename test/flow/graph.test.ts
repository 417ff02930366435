import { Result } from "effect"
import { describe, expect, it } from "vitest"
import { type Definition, decodeDefinition } from "../../events/Definition.ts"
import { order, validateGraph } from "../../src/flow/graph/validateGraph.ts"

const source = { source: { use: "memory" } }
const sink = (from: unknown) => ({ from, sink: { use: "memory" } })
const filter = (from: unknown, condition = "record.x == 1") => ({ from, filter: condition })

const definition = (stages: Record<string, unknown>): Definition =>
  Result.getOrThrow(decodeDefinition({ name: "p", stages }))

const codes = (stages: Record<string, unknown>): ReadonlyArray<string> =>
  validateGraph(definition(stages)).map(({ code, pointer, suggestion }) =>
    suggestion === undefined ? `${code} ${pointer}` : `${code} ${pointer} → ${suggestion}`
  )

it("has nothing against a pipeline that runs", () => {
  expect(
    codes({ a: source, b: filter("a"), c: sink({ stage: "b", when: "record.y > 1" }), d: sink(["a", "b"]) })
  ).toEqual([])
})

describe("each mistake in the graph is one finding", () => {
  it.each<[string, Record<string, unknown>, ReadonlyArray<string>]>([
    ["no stages", {}, ["no_stages /stages"]],
    ["no kind", { a: source, b: { from: "a" }, c: sink("b") }, ["stage_kind /stages/b"]],
    [
      "two kinds",
      { a: source, b: { ...filter("a"), map: { x: "1" } }, c: sink("b") },
      ["stage_kind /stages/b → A stage for each of filter, map, joined by from"]
    ],
    [
      "a source with from",
      { a: source, b: { ...source, from: "a" }, c: sink("b") },
      ["source_with_from /stages/b/from"]
    ],
    [
      "no from",
      { a: source, b: { filter: "record.x == 1" }, c: sink(["a", "b"]) },
      ["missing_from /stages/b/from → from: a"]
    ],
    [
      "unknown stage",
      { flights: source, c: sink("flihgts"), d: sink("flights") },
      ["unknown_stage /stages/c/from → flights"]
    ],
    [
      "unknown stages in a list",
      { a: source, c: sink(["a", { stage: "zzz", when: "true" }, "yyy"]) },
      ["unknown_stage /stages/c/from/1/stage", "unknown_stage /stages/c/from/2"]
    ],
    ["from a sink", { a: source, b: sink("a"), c: sink("b") }, ["sink_with_outgoing /stages/c/from → a"]],
    [
      "the same edge twice",
      { a: source, b: sink([{ stage: "a", when: "true" }, "a"]) },
      ["duplicate_edge /stages/b/from/1 → Join the two conditions with || or any"]
    ],
    [
      "no source",
      { b: filter("c"), c: filter("b"), d: sink("c") },
      ["cycle /stages/b/from", "no_source /stages", "unreachable /stages/d"]
    ],
    ["no sink", { a: source, b: filter("a") }, ["no_sink /stages"]],
    ["dead end", { a: source, b: filter("a"), c: sink("a") }, ["dead_end /stages/b → A stage with from: b"]],
    ["itself", { a: source, b: filter(["a", "b"]), c: sink("b") }, ["cycle /stages/b/from"]],
    [
      "forbidden names",
      { a: source, constructor: filter("a"), c: sink("constructor") },
      ["forbidden_key /stages/constructor"]
    ]
  ])("%s", (_, stages, expected) => {
    expect(codes(stages)).toEqual(expected)
  })

  it("parts that share nothing are a warning, once for each part", () => {
    const parts = {
      a: source,
      b: sink("a"),
      c: source,
      d: filter("c"),
      e: sink("d"),
      f: source,
      g: sink("f")
    }
    const found = validateGraph(definition(parts))
    expect(found.map(({ code, pointer, severity }) => [code, pointer, severity])).toEqual([
      ["disconnected", "/stages/c", "warning"],
      ["disconnected", "/stages/f", "warning"]
    ])
    expect(found[0]?.message).toBe("c, d, e share nothing with a, b: they would stop and fail together")
    expect(codes({ ...parts, h: sink(["a", "f"]) })).toEqual([
      "disconnected /stages/c → A pipeline of its own"
    ])
    // A part without a source or a sink of its own has a finding that says more.
    expect(codes({ a: source, b: sink("a"), c: source })).toEqual([
      "dead_end /stages/c → A stage with from: c"
    ])
  })

  it("a cycle is told with its path", () => {
    const [cycle] = validateGraph(
      definition({ s: source, a: filter(["s", "c"]), b: filter("a"), c: filter("b"), z: sink("c") })
    )
    expect(cycle).toMatchObject({ code: "cycle", pointer: "/stages/a/from" })
    expect(cycle?.message).toContain("a → b → c → a")
  })

  it("two knots are two findings, one knot with two rings is one", () => {
    const findings = codes({
      s: source,
      a: filter(["s", "b"]),
      b: filter(["a", "c"]),
      c: filter("b"),
      x: filter(["s", "x"]),
      z: sink(["c", "x"])
    })
    expect(findings).toEqual(["cycle /stages/a/from", "cycle /stages/x/from"])
  })

  it("all at once", () => {
    expect(
      codes({
        a: source,
        b: { from: "q", map: { x: "1 +", y: "nope" } },
        c: filter("a", "1 + 1"),
        d: {},
        e: sink("c")
      })
    ).toEqual([
      "stage_kind /stages/d",
      "unknown_stage /stages/b/from",
      "dead_end /stages/b → A stage with from: b",
      "bad_expression /stages/b/map/x",
      "bad_expression /stages/b/map/y → record.nope",
      "bad_expression /stages/c/filter"
    ])
  })

  it("stays quick with many stages", () => {
    const stages: Record<string, unknown> = { s0: source }
    for (let index = 1; index < 500; index++) stages[`s${index}`] = filter([`s${index - 1}`])
    const started = performance.now()
    expect(codes(stages)).toEqual(["no_sink /stages"])
    expect(performance.now() - started).toBeLessThan(2000)
    expect(codes({ ...stages, more: source })).toEqual(["too_large /stages"])
  })
})

describe("expressions and contracts", () => {
  const typed = { ...source, output: { origin: "string", delay: "number" } }
  it.each<[string, Record<string, unknown>, ReadonlyArray<string>]>([
    [
      "a field the contract lacks",
      { a: typed, b: filter("a", "record.dely > 1"), c: sink("b") },
      ["bad_expression /stages/b/filter → record.delay"]
    ],
    [
      "a text compared with a number",
      { a: typed, b: filter("a", "record.origin > 1"), c: sink("b") },
      ["bad_expression /stages/b/filter"]
    ],
    [
      "what a map made",
      {
        a: source,
        m: { from: "a", map: { hours: "record.delay / 60" } },
        c: sink({ stage: "m", when: "record.delay > 1" })
      },
      ["bad_expression /stages/c/from/when → Its fields are hours"]
    ],
    [
      "what an edit left",
      {
        a: typed,
        m: { from: "a", map: { set: { hours: "record.delay / 60" }, drop: ["delay"] } },
        c: sink({ stage: "m", when: "record.delay > record.hours" })
      },
      ["bad_expression /stages/c/from/when → Its fields are origin, hours"]
    ],
    [
      "a condition in a list",
      {
        a: source,
        c: sink([{ stage: "a", when: "((" }]),
        d: sink(["a", { stage: "b", when: "((" }]),
        b: filter("a")
      },
      ["bad_expression /stages/c/from/when", "bad_expression /stages/d/from/1/when"]
    ],
    [
      "a set expression",
      { a: source, m: { from: "a", map: { set: { h: "1 +" } } }, c: sink("m") },
      ["bad_expression /stages/m/map/set/h"]
    ],
    [
      "a forbidden field",
      { a: source, m: { from: "a", map: { constructor: "1" } }, c: sink("m") },
      ["forbidden_key /stages/m/map/constructor"]
    ],
    [
      "a bad contract",
      { a: { ...source, output: { x: "strin" } }, c: sink("a") },
      ["bad_contract /stages/a/output/x → string"]
    ],
    [
      "contracts that do not agree",
      {
        a: typed,
        b: { ...filter("a", "record.delay > 1"), output: { delay: "string", more: "any", note: "any?" } },
        c: sink("b")
      },
      ["contract_mismatch /stages/b/output/delay", "contract_mismatch /stages/b/output/more"]
    ],
    [
      "a sink's contract",
      { a: typed, c: { ...sink("a"), output: { origin: "number" } } },
      ["contract_mismatch /stages/c/output/origin"]
    ],
    [
      "a map's contract",
      { a: typed, m: { from: "a", map: { x: "1" }, output: { x: "number", y: "number" } }, c: sink("m") },
      ["contract_mismatch /stages/m/output/y"]
    ],
    [
      "a lookup's key",
      {
        a: typed,
        l: { from: "a", lookup: { use: "memory", match: { orign: "iata" }, into: "airport" } },
        c: sink("l")
      },
      ["unknown_field /stages/l/lookup/match/orign"]
    ],
    [
      "a lookup without a key",
      { a: source, l: { from: "a", lookup: { use: "memory", match: {}, into: "__proto__" } }, c: sink("l") },
      ["forbidden_key /stages/l/lookup/into", "bad_value /stages/l/lookup/match"]
    ],
    [
      "a default that is missing",
      {
        a: source,
        l: { from: "a", lookup: { use: "memory", match: { x: "y" }, on_miss: "default" } },
        c: sink("l")
      },
      ["missing_key /stages/l/lookup/default"]
    ]
  ])("%s", (_, stages, expected) => {
    expect(codes(stages)).toEqual(expected)
  })

  const list = { ...source, output: { id: "string", items: "array", at: "object", note: "string?" } }
  const made = (kind: Record<string, unknown>, when: unknown) => ({
    a: list,
    b: { from: "a", ...kind },
    c: sink({ stage: "b", when })
  })

  it.each<[string, Record<string, unknown>, ReadonlyArray<string>]>([
    [
      "explode: a misspelt list",
      made({ explode: { field: "itmes" } }, "record.x == 1"),
      ["unknown_field /stages/b/explode/field → items"]
    ],
    [
      "explode: no list",
      made({ explode: { field: "id" } }, "always"),
      ["contract_mismatch /stages/b/explode/field"]
    ],
    [
      "explode: a path through a text, refused names",
      {
        ...made({ explode: { field: "id.x", into: "__proto__" } }, "always"),
        d: { from: "a", explode: { field: "at.constructor" } },
        e: { from: "a", explode: { field: "at..x" } },
        f: sink(["d", "e"])
      },
      [
        "contract_mismatch /stages/b/explode/field",
        "forbidden_key /stages/b/explode/into",
        "forbidden_key /stages/d/explode/field",
        "bad_value /stages/e/explode/field"
      ]
    ],
    [
      "explode into a field: the list is gone, the element is there",
      made({ explode: { field: "items", into: "item" } }, "record.item.x == 1 && record.items == []"),
      ["bad_expression /stages/c/from/when → record.item"]
    ],
    [
      "explode to the elements: nothing is known",
      made({ explode: { field: "items" } }, "record.zzz == 1"),
      []
    ],
    [
      "validate: a bad contract",
      made({ validate: { contract: { id: "strin" } } }, "always"),
      ["bad_contract /stages/b/validate/contract/id → string"]
    ],
    [
      "validate: what can never fit",
      made({ validate: { contract: { id: "number", nope: "any", note: "string" } } }, "always"),
      [
        "contract_mismatch /stages/b/validate/contract/id",
        "contract_mismatch /stages/b/validate/contract/nope"
      ]
    ],
    [
      "validate: its contract goes on",
      {
        a: source,
        b: { from: "a", validate: { contract: { id: "string" } } },
        c: sink({ stage: "b", when: { field: "ID", equals: "x" } })
      },
      ["unknown_field /stages/c/from/when/field → id"]
    ],
    [
      "dedupe: a key that no record has",
      made({ dedupe: { key: "record.idd" } }, "record.items == []"),
      ["bad_expression /stages/b/dedupe/key → record.id"]
    ],
    [
      "service: addresses and hash",
      made(
        {
          service: {
            endpoints: [{ url: "localhost:80" }, { url: "http://a" }, { url: "http://a" }],
            balance: "consistent_hash"
          }
        },
        "record.unknown == 1"
      ),
      [
        "bad_url /stages/b/service/endpoints/0/url",
        "duplicate_endpoint /stages/b/service/endpoints/2/url → weight: its share among the others",
        "missing_key /stages/b/service/hash → hash: key"
      ]
    ],
    [
      "service: a hash of no field",
      made(
        { service: { endpoints: [{ url: "https://a/b" }], balance: "consistent_hash", hash: "record.idd" } },
        "always"
      ),
      ["bad_expression /stages/b/service/hash → record.id"]
    ]
  ])("%s", (_, stages, expected) => {
    expect(codes(stages)).toEqual(expected)
  })

  it.each<[string, unknown, ReadonlyArray<string>]>([
    ["a misspelt field", { field: "dely", gt: 1 }, ["unknown_field /field → delay"]],
    ["a path like an expression", { field: "record.delay", gt: 1 }, ["unknown_field /field → delay"]],
    ["a misspelt field whose being there is asked", { field: "dely", exists: true }, []],
    [
      "deep inside",
      { all: [{ not: { any: ["always", { field: "orgin", equals: 1 }] } }] },
      ["unknown_field /all/0/not/any/1/field → origin"]
    ],
    ["a path through a number", { field: "delay.x", equals: 1 }, ["contract_mismatch /field"]],
    ["an empty step", { field: "delay.", equals: 1 }, ["bad_value /field"]],
    ["a refused step", { field: "delay.__proto__", equals: 1 }, ["forbidden_key /field"]],
    ["refused metadata", { metadata: "constructor", exists: true }, ["forbidden_key /metadata"]],
    ["a number held against a text", { field: "origin", gt: 1 }, ["contract_mismatch /gt"]],
    ["a text held against a number", { field: "delay", equals: "60" }, ["contract_mismatch /equals"]],
    ["a pattern on a number", { field: "delay", matches: "6" }, ["contract_mismatch /matches"]],
    [
      "no pattern",
      { metadata: "type", matches: "(?=x)" },
      ["bad_pattern /matches → Patterns are RE2: no look-around, no back-references"]
    ],
    [
      "CEL inside",
      { any: ["record.dely > 1", { cel: "((" }] },
      ["bad_expression /any/0 → record.delay", "bad_expression /any/1/cel"]
    ]
  ])("a condition as data: %s", (_, condition, expected) => {
    const at = (found: string) => found.replace(" ", " /stages/c/from/when")
    expect(codes({ a: typed, c: sink({ stage: "a", when: condition }) })).toEqual(expected.map(at))
    const filtered = { a: typed, b: { from: "a", filter: condition }, c: sink("b") }
    expect(codes(filtered)).toEqual(expected.map((found) => found.replace(" ", " /stages/b/filter")))
  })

  it("knows what a lookup adds", () => {
    const lookup = { from: "a", lookup: { use: "memory", match: { origin: "iata" }, into: "airport" } }
    expect(
      codes({
        a: typed,
        l: lookup,
        m: { from: "l", map: { n: "record.airport.name + record.origin" } },
        c: sink("m")
      })
    ).toEqual([])
  })
})

it("orders stages as records meet them", () => {
  expect(order(definition({ c: sink("b"), b: filter(["a", "d"]), a: source, d: filter("a") }))).toEqual([
    "a",
    "d",
    "b",
    "c"
  ])
  expect(order(definition({ x: filter("y"), y: filter("x"), a: source }))).toEqual(["a", "x", "y"])
})
