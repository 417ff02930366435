import { Result } from "effect"
import { describe, expect, it } from "vitest"
import {
  agree,
  type CompiledContract,
  compileContract,
  type Field
} from "../../src/flow/contract/Contract.ts"

const compiled = (contract: Record<string, unknown>): CompiledContract =>
  Result.getOrThrow(compileContract(contract))
const wrong = (contract: Record<string, unknown>) => Result.getOrThrow(Result.flip(compileContract(contract)))

describe("the short form", () => {
  const contract = compiled({
    date: "string",
    delay: "number",
    n: "integer?",
    ok: "boolean",
    any: "any",
    o: "object",
    l: "array"
  })
  const good = { date: "x", delay: 1.5, n: 3, ok: true, any: null, o: {}, l: [] }

  it("takes what fits, with more fields or without the optional ones", () => {
    const { n: _, ...without } = good
    expect(contract.check(good)).toBeUndefined()
    expect(contract.check({ ...good, more: 1 })).toBeUndefined()
    expect(contract.check(without)).toBeUndefined()
    expect(contract.check({ ...good, n: null })).toBeUndefined()
  })

  it.each<[object, string, string]>([
    [{ date: 1 }, "/date", "number, not string"],
    [{ delay: "1" }, "/delay", "string, not number"],
    [{ delay: null }, "/delay", "null, not number"],
    [{ n: 1.5 }, "/n", "number, not integer"],
    [{ ok: 0 }, "/ok", "number, not boolean"],
    [{ o: [] }, "/o", "array, not object"],
    [{ l: {} }, "/l", "object, not array"],
    [{ any: undefined }, "/any", "missing"]
  ])("refuses %j", (change, path, message) => {
    expect(contract.check({ ...good, ...change })).toEqual({ path, message })
  })

  it.each([null, 1, "x", [], undefined])("refuses %j as a record", (payload) => {
    expect(contract.check(payload)).toMatchObject({ path: "" })
  })

  it("looks at own fields only", () => {
    expect(compiled({ toString: "any" }).check({})).toEqual({ path: "/toString", message: "missing" })
  })

  it("lists its fields and has a stable name", () => {
    expect(contract.fields?.get("n")).toEqual({ type: "integer", optional: true })
    expect(compiled({ a: "string", b: "number" }).hash).toBe(compiled({ b: "number", a: "string" }).hash)
    expect(compiled({ a: "string" }).hash).not.toBe(compiled({ a: "string?" }).hash)
    expect(compiled({ a: "string" }).hash).toMatch(/^[0-9a-f]{64}$/)
  })

  it("suggests types", () => {
    expect(wrong({ a: "strng" })).toMatchObject({ path: "/a", suggestion: "string" })
    expect(wrong({ a: "int?" })).toMatchObject({ suggestion: "integer?" })
    expect(wrong({ airport: { name: "string" } })).toMatchObject({ path: "/airport" })
  })

  it("is told apart from JSON Schema", () => {
    expect(compiled({ type: "string" }).check({ type: "x" })).toBeUndefined()
    expect(
      compiled({ $schema: "https://json-schema.org/draft/2020-12/schema", type: "object" }).check({})
    ).toBeUndefined()
  })
})

describe("JSON Schema", () => {
  const contract = compiled({
    type: "object",
    required: ["id"],
    additionalProperties: false,
    properties: {
      id: { type: "string", pattern: "^[a-z]+$", minLength: 2 },
      n: { type: ["integer", "null"], minimum: 0, exclusiveMaximum: 10 },
      kind: { enum: ["a", "b"] },
      tags: { type: "array", items: { type: "string" }, maxItems: 2 },
      tree: { $ref: "#/$defs/tree" },
      either: { oneOf: [{ type: "string" }, { const: 1 }] }
    },
    $defs: { tree: { type: "object", properties: { next: { $ref: "#/$defs/tree" }, v: { type: "number" } } } }
  })

  it("takes what fits", () => {
    expect(
      contract.check({ id: "ab", n: null, kind: "a", tags: ["x"], tree: { next: { v: 1 } }, either: 1 })
    ).toBeUndefined()
    expect(contract.fields?.get("n")).toEqual({ type: "integer", optional: true })
    expect(contract.fields?.get("id")).toEqual({ type: "string", optional: false })
  })

  it.each<[object, string]>([
    [{}, "/id"],
    [{ id: "A1" }, "/id"],
    [{ id: "a" }, "/id"],
    [{ id: "ab", n: -1 }, "/n"],
    [{ id: "ab", n: 10 }, "/n"],
    [{ id: "ab", kind: "c" }, "/kind"],
    [{ id: "ab", tags: ["x", 1] }, "/tags/1"],
    [{ id: "ab", tags: ["x", "y", "z"] }, "/tags"],
    [{ id: "ab", tree: { next: { next: { v: "1" } } } }, "/tree/next/next/v"],
    [{ id: "ab", either: 2 }, "/either"],
    [{ id: "ab", "a/b": 2 }, "/a~1b"]
  ])("refuses %j", (payload, path) => {
    expect(contract.check(payload)).toMatchObject({ path })
  })

  it("refuses what it cannot enforce", () => {
    expect(wrong({ type: "object", properties: { a: { contains: {} } } })).toMatchObject({
      path: "/properties/a/contains"
    })
    expect(wrong({ type: "objct", properties: {} })).toMatchObject({ path: "/type" })
    expect(wrong({ properties: { a: { pattern: "(?=a)" } } })).toMatchObject({
      path: "/properties/a/pattern"
    })
    expect(wrong({ $ref: "https://example.org/x" })).toMatchObject({ path: "/$ref" })
  })

  it("ends on a definition that only refers to itself", () => {
    const loop = compiled({ $ref: "#/$defs/a", $defs: { a: { $ref: "#/$defs/a" } } })
    expect(loop.check({})).toMatchObject({ message: "nested too deeply" })
  })
})

describe("agree", () => {
  const fields = (of: Record<string, string>) => compiled(of).fields as ReadonlyMap<string, Field>

  it.each<[Record<string, string>, Record<string, string>, ReadonlyArray<string>]>([
    [{ a: "string", b: "number" }, { a: "string" }, []],
    [{ a: "integer" }, { a: "number" }, []],
    [{ a: "any" }, { a: "number" }, []],
    [{ a: "string?" }, { a: "string?" }, []],
    [{}, { a: "string?" }, []],
    [{}, { a: "string" }, ["/a"]],
    [{ a: "number" }, { a: "integer" }, ["/a"]],
    [{ a: "string?" }, { a: "string" }, ["/a"]],
    [{ a: "string", b: "string" }, { a: "number", b: "object" }, ["/a", "/b"]]
  ])("%j into %j", (producer, consumer, paths) => {
    expect(agree(fields(producer), fields(consumer)).map(({ path }) => path)).toEqual(paths)
  })
})
