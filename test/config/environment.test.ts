// biome-ignore-all lint/suspicious/noTemplateCurlyInString: variables of pipeline files
import { describe, expect, it } from "vitest"
import { substitute } from "../../src/config/environment.ts"
import { parsePipelineFile } from "../../src/config/PipelineFile.ts"

const environment = { SET: "value", EMPTY: "", NESTED: "${SET}", DB_PASSWORD: "hunter2" }

const filled = (text: string) => {
  const complaints: Array<string> = []
  return [
    substitute(text, environment, ({ code, message }) => complaints.push(`${code}: ${message}`)),
    complaints
  ]
}

describe("substitute", () => {
  it.each<[string, string, ReadonlyArray<string>]>([
    ["plain", "plain", []],
    ["a ${SET} b ${SET}", "a value b value", []],
    ["${SET:-other}", "value", []],
    ["${UNSET:-other}", "other", []],
    ["${EMPTY:-other}", "other", []],
    ["${EMPTY}", "", []],
    ["${UNSET:-}", "", []],
    ["${UNSET}", "${UNSET}", ["unset_variable: The variable UNSET is not set"]],
    ["${UNSET:?needed for x}", "${UNSET:?needed for x}", ["unset_variable: UNSET: needed for x"]],
    ["${SET:?needed}", "value", []],
    ["$${SET}", "${SET}", []],
    ["$$${SET}", "$${SET}", []],
    ["${NESTED}", "${SET}", []],
    ["$SET ${} ${1} ${a b} $", "$SET ${} ${1} ${a b} $", []],
    ["record.s.matches('^\\\\$[0-9]{2}$')", "record.s.matches('^\\\\$[0-9]{2}$')", []],
    ["${constructor}", "${constructor}", ["unset_variable: The variable constructor is not set"]]
  ])("%s", (text, expected, complaints) => {
    expect(filled(text)).toEqual([expected, complaints])
  })

  it("takes a Map as well", () => {
    expect(substitute("${A}", new Map([["A", "1"]]), () => {})).toBe("1")
  })

  it("is linear in the text", () => {
    const started = performance.now()
    substitute("${".repeat(120_000), environment, () => {})
    substitute(`\${A:-${"x".repeat(200_000)}`, environment, () => {})
    expect(performance.now() - started).toBeLessThan(1000)
  })
})

describe("in a file", () => {
  const file = (path: string) => `name: p
stages:
  a: { source: { use: file, path: ${path} } }
  b: { from: a, sink: { use: file, path: b } }
`

  it("fills texts only, after parsing", () => {
    const { definition } = parsePipelineFile({ text: file('"${SET}/x"'), environment })
    expect(definition?.stages.a?.source).toEqual({ use: "file", path: "value/x" })
  })

  it("an unset variable is an error with its place", () => {
    expect(parsePipelineFile({ text: file('"${NOPE}"'), environment }).findings).toEqual([
      {
        severity: "error",
        code: "unset_variable",
        pointer: "/stages/a/source/path",
        line: 3,
        column: 35,
        message: "The variable NOPE is not set",
        suggestion: "Set NOPE, or write ${NOPE:-default}"
      }
    ])
  })

  it("a secret in a variable is a warning", () => {
    const { definition, findings } = parsePipelineFile({ text: file('"${DB_PASSWORD}"'), environment })
    expect(findings).toMatchObject([
      { severity: "warning", code: "secret_as_text", suggestion: "{ secret: DB_PASSWORD }" }
    ])
    expect(definition).toBeDefined()
    expect(JSON.stringify(findings)).not.toContain("hunter2")
  })
})
