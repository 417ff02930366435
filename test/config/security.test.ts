// biome-ignore-all lint/suspicious/noTemplateCurlyInString: variables of pipeline files
import { describe, expect, it } from "vitest"
import { parsePipelineFile } from "../../src/config/PipelineFile.ts"

const attack = (text: string) => {
  const before = process.memoryUsage().heapUsed
  const started = performance.now()
  const { definition, findings } = parsePipelineFile({ text, environment: {} })
  return {
    definition,
    codes: [...new Set(findings.map(({ code }) => code))],
    ms: performance.now() - started,
    bytes: process.memoryUsage().heapUsed - before
  }
}

const laughs = (levels: number, width: number): string =>
  Array.from({ length: levels }, (_, level) => {
    const parts = Array.from({ length: width }, () => (level === 0 ? "lol" : `*a${level - 1}`))
    return `a${level}: &a${level} [${parts.join(",")}]`
  }).join("\n")

describe("bombs are refused quickly and in little memory", () => {
  it.each<[string, string, string]>([
    ["a billion laughs", laughs(9, 9), "too_large"],
    ["two by two", laughs(60, 2), "too_large"],
    ["an alias to itself", "a: &a [*a, *a]", "too_large"],
    ["twenty-one aliases", `a: &a 1\nb: [${"*a,".repeat(21)}]`, "too_large"],
    ["more than 256 KiB", `name: ${"x".repeat(256 * 1024)}`, "too_large"],
    ["many bytes in few letters", `name: ${"€".repeat(100 * 1024)}`, "too_large"],
    ["many values", `name: [${"1,".repeat(30_000)}]`, "too_large"],
    ["33 levels", `name: ${"[".repeat(33)}${"]".repeat(33)}`, "too_deep"],
    ["100000 brackets", "[".repeat(100_000), "too_deep"],
    ["100000 braces", "{".repeat(100_000), "too_deep"],
    ["a long row of dashes", "- ".repeat(100_000), "too_deep"],
    ["keys in keys", "? ".repeat(100_000), "too_deep"],
    [
      "nested by indentation",
      Array.from({ length: 600 }, (_, depth) => `${" ".repeat(depth)}a:`).join("\n"),
      "too_deep"
    ],
    [
      "many duplicate keys",
      `{${Array.from({ length: 9_000 }, (_, key) => `k${key}: 1`).join(", ")}, k1: 2}`,
      "duplicate_key"
    ],
    ["nothing but errors", "}".repeat(200_000), "yaml_syntax"]
  ])("%s", (_, text, code) => {
    const result = attack(text)
    expect(result.definition).toBeUndefined()
    expect(result.codes).toContain(code)
    expect(result.ms).toBeLessThan(5000)
    expect(result.bytes).toBeLessThan(512 * 1024 * 1024)
  })

  it("308 bytes stay 308 bytes", () => {
    const result = attack(laughs(8, 9))
    expect(result.codes).toEqual(["too_large"])
    expect(result.ms).toBeLessThan(500)
    expect(result.bytes).toBeLessThan(16 * 1024 * 1024)
  })
})

describe("prototypes", () => {
  it.each(["__proto__", "constructor", "prototype"])("%s is refused wherever a key may stand", (key) => {
    for (const text of [
      `${key}: { polluted: true }`,
      `stages: { ${key}: { filter: x } }`,
      `stages: { a: { source: { use: x, ${key}: { polluted: true } } } }`,
      `stages: { a: { map: { ${key}: "1" } } }`,
      `stages: { a: { output: { ${key}: string } } }`,
      `{"${key}": {"polluted": true}}`,
      `? ${key}\n: { polluted: true }`
    ]) {
      expect(attack(`${text}\n`).codes).toContain("forbidden_key")
    }
    expect(({} as { polluted?: boolean }).polluted).toBeUndefined()
  })
})

it("a variable changes a text, never the shape of the file", () => {
  const { definition, findings } = parsePipelineFile({
    text: "name: p\ndescription: ${EVIL}\nstages: { a: { source: { use: m } }, b: { from: a, sink: { use: m } } }",
    environment: { EVIL: "x\nstages: {}\n${HOME} $${ &a *a !!x" }
  })
  expect(findings).toEqual([])
  expect(definition?.description).toBe("x\nstages: {}\n${HOME} $${ &a *a !!x")
  expect(Object.keys(definition?.stages ?? {})).toEqual(["a", "b"])
})
