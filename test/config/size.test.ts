/**
 * Files at the bounds of what is read: everything is looked at, in bounded time. The times are generous, as
 * a machine may have other work; what they guard against takes minutes.
 */
import { describe, expect, it } from "vitest"
import { parsePipelineFile } from "../../src/config/PipelineFile.ts"

const codesOf = (text: string): ReadonlyArray<string> => {
  const started = performance.now()
  const { findings } = parsePipelineFile({ text, environment: {} })
  expect(performance.now() - started).toBeLessThan(30_000)
  return [...new Set(findings.map(({ code }) => code))]
}

/** Stage `s<n>` has its records from the `edges` stages before it. */
const chain = (
  count: number,
  edges: number,
  when: (to: number, back: number) => string | undefined
): string => {
  const stage = (to: number): string => {
    const from = Array.from({ length: Math.min(to, edges) }, (_, back) => {
      const condition = when(to, back)
      return condition === undefined
        ? `s${to - 1 - back}`
        : `{ stage: s${to - 1 - back}, when: ${condition} }`
    })
    const does = to === count - 1 ? "sink: { use: m }" : "filter: record.x > 1"
    return `  s${to}: { from: [${from.join(",")}], ${does} }\n`
  }
  const rest = Array.from({ length: count - 1 }, (_, at) => stage(at + 1))
  return `name: p\nstages:\n  s0: { source: { use: m }, output: { x: number } }\n${rest.join("")}`
}

describe("large definitions", () => {
  it.each<[string, string, ReadonlyArray<string>]>([
    ["500 stages and 10,000 edges", chain(500, 20, () => undefined), []],
    ["a stage too many", chain(501, 1, () => undefined), ["too_large"]],
    ["5,000 conditions in CEL", chain(500, 10, (_, back) => `record.x > ${back}`), []],
    ["3,500 conditions as data", chain(500, 7, (_, back) => `{ field: x, gt: ${back} }`), []],
    [
      "3,500 misspelt ones",
      chain(500, 7, (_, back) => `{ feld: x, gt: ${back} }`),
      ["unknown_key", "too_many_findings"]
    ],
    [
      "10,000 edges in circles",
      `name: p\nstages:\n  a: { source: { use: m } }\n  z: { from: s0, sink: { use: m } }\n${Array.from(
        { length: 490 },
        (_, at) =>
          `  s${at}: { from: [a, ${Array.from({ length: 20 }, (_, by) => `s${(at + 1 + by * 23) % 490}`).join(",")}], filter: record.x }\n`
      ).join("")}`,
      ["cycle"]
    ],
    [
      "10,000 edges from nowhere",
      `name: p\nstages:\n  a: { source: { use: m } }\n${Array.from(
        { length: 499 },
        (_, at) =>
          `  s${at}: { from: [${Array.from({ length: 20 }, (_, by) => `x${at}y${by}`).join(",")}], sink: { use: m } }\n`
      ).join("")}`,
      ["unknown_stage", "too_many_findings"]
    ],
    [
      "250 pipelines in one",
      `name: p\nstages:\n${Array.from(
        { length: 250 },
        (_, at) => `  a${at}: { source: { use: m } }\n  b${at}: { from: a${at}, sink: { use: m } }\n`
      ).join("")}`,
      ["disconnected", "too_many_findings"]
    ]
  ])("%s", { timeout: 60_000 }, (_, text, codes) => {
    expect(codesOf(text)).toEqual(codes)
  })

  it.each<[string, string]>([
    ["brackets", `${"(".repeat(2000)}1${")".repeat(2000)}`],
    ["lists", `${"[".repeat(2000)}${"]".repeat(2000)}`],
    ["negations", `${"!".repeat(4000)}record.a`],
    ["branches", `${"record.a ? ".repeat(200)}true${" : false".repeat(200)}`],
    ["calls", `${"size(".repeat(500)}record.a${")".repeat(500)}`]
  ])("CEL nested in %s", (_, expression) => {
    expect(codesOf(chain(3, 1, () => JSON.stringify(expression)))).toEqual(["bad_expression"])
  })
})
