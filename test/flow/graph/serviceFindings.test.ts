/**
 * What is found to be wrong with stages that ask, before anybody is asked.
 *
 * @module
 */
import { assert, describe, it } from "@effect/vitest"
import { Result } from "effect"
import { decodeDefinition } from "../../../events/Definition.ts"
import { validateGraph } from "../../../src/flow/graph/validateGraph.ts"

const findings = (stage: object): ReadonlyArray<string> => {
  const definition = decodeDefinition({
    name: "p",
    stages: {
      in: { source: { use: "memory" }, output: { id: "string" } },
      asked: { from: "in", ...stage },
      out: { from: "asked", sink: { use: "memory" } }
    }
  })
  return validateGraph(Result.getOrThrow(definition)).map(
    ({ code, pointer, suggestion }) =>
      `${code} ${pointer.replace("/stages/asked/", "")}${suggestion === undefined ? "" : ` → ${suggestion}`}`
  )
}
const endpoints = [{ url: "http://a/work" }, { url: "https://b:8443/work" }]

describe("a service", () => {
  it("that can be asked has nothing against it", () =>
    assert.deepStrictEqual(
      findings({
        service: {
          endpoints,
          balance: "consistent_hash",
          hash: "record.id",
          headers: { authorization: { secret: "TOKEN" }, "X-Team": "blue" },
          health: { path: "/health" }
        }
      }),
      []
    ))
  const cases: ReadonlyArray<readonly [string, object, ReadonlyArray<string>]> = [
    [
      "no URL",
      { endpoints: [{ url: "a/work" }] },
      ["bad_url service/endpoints/0/url → http://host:port/path"]
    ],
    ["another protocol", { endpoints: [{ url: "ftp://a" }] }, ["bad_url service/endpoints/0/url"]],
    ["a fragment", { endpoints: [{ url: "http://a/#x" }] }, ["bad_url service/endpoints/0/url"]],
    [
      "a password in the URL",
      { endpoints: [{ url: "http://me:hidden@a" }] },
      ["secret_as_text service/endpoints/0/url → headers: { authorization: { secret: NAME } }"]
    ],
    [
      "an endpoint twice, written differently",
      { endpoints: [{ url: "http://a:80/work" }, { url: "http://A/work" }] },
      ["duplicate_endpoint service/endpoints/1/url → weight: its share among the others"]
    ],
    [
      "no hash to share by",
      { endpoints, balance: "consistent_hash" },
      ["missing_key service/hash → hash: key"]
    ],
    [
      "a hash nobody asks for",
      { endpoints, hash: "key" },
      ["bad_value service/hash → balance: consistent_hash"]
    ],
    [
      "a hash of a field that is not there",
      { endpoints, balance: "consistent_hash", hash: "record.idd" },
      ["bad_expression service/hash → record.id"]
    ],
    ["no time to answer", { endpoints, timeout: "0s" }, ["bad_value service/timeout → 10s"]],
    [
      "no pause between checks",
      { endpoints, health: { path: "/health", interval: "0s" } },
      ["bad_value service/health/interval → 10s"]
    ],
    [
      "a check of somebody else",
      { endpoints, health: { path: "//other/health" } },
      ["bad_value service/health/path → /health"]
    ],
    [
      "headers that cannot be sent",
      { endpoints, headers: { "x y": "1", Host: "h", "x-a": "1", "X-A": "2", "x-b": "two\nlines" } },
      [
        "bad_name service/headers/x y",
        "bad_name service/headers/Host",
        "duplicate_key service/headers/X-A",
        "bad_value service/headers/x-b"
      ]
    ]
  ]
  for (const [name, service, expected] of cases) {
    it(`with ${name}`, () => assert.deepStrictEqual(findings({ service }), expected))
  }
  it("does not repeat the password", () => {
    const definition = decodeDefinition({
      name: "p",
      stages: { asked: { service: { endpoints: [{ url: "http://me:hidden@a" }] } } }
    })
    assert.notInclude(JSON.stringify(validateGraph(Result.getOrThrow(definition))), "hidden")
  })
})

describe("a lookup", () => {
  const lookup = { use: "memory", match: { id: "id" } }
  it("with fields to join needs a mapping as default", () => {
    const miss = { ...lookup, on_miss: "default" }
    assert.deepStrictEqual(findings({ lookup: { ...miss, default: [1] } }), [
      "bad_value lookup/default → into: the field it goes to"
    ])
    assert.deepStrictEqual(findings({ lookup: { ...miss, default: [1], into: "x" } }), [])
    assert.deepStrictEqual(findings({ lookup: { ...miss, default: { a: 1 } } }), [])
  })
  it("with no time to answer", () =>
    assert.deepStrictEqual(findings({ lookup: { ...lookup, ask: { timeout: "0s" } } }), [
      "bad_value lookup/ask/timeout"
    ]))
})
