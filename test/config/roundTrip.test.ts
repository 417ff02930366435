// biome-ignore-all lint/suspicious/noTemplateCurlyInString: variables of pipeline files
import { readFileSync } from "node:fs"
import { it as effectIt } from "@effect/vitest"
import { Result, Schema } from "effect"
import { describe, expect, it } from "vitest"
import { Definition, decodeDefinition, encodeDefinition } from "../../events/Definition.ts"
import { pipelineSchema, pipelineSchemaFile } from "../../scripts/schema.ts"
import { readDocument } from "../../src/config/document.ts"
import { encodeYaml, parsePipelineFile, secretNames } from "../../src/config/PipelineFile.ts"
import { canonical } from "../../src/flow/contract/Contract.ts"
import { signature } from "../../src/flow/contract/signature.ts"

const forbidden = /"(?:__proto__|constructor|prototype|<<)":/

describe("a definition survives its wire form", () => {
  effectIt.prop("decode(encode(d)) = d", [Definition], ([definition]) => {
    const wire = encodeDefinition(definition)
    const again = Result.getOrThrow(decodeDefinition(structuredClone(wire)))
    expect(canonical(again)).toBe(canonical(definition))
    expect(canonical(encodeDefinition(again))).toBe(canonical(wire))
    expect(signature(again)).toBe(signature(definition))
  })

  effectIt.prop("and its YAML text", [Definition], ([definition]) => {
    const wire = canonical(encodeDefinition(definition))
    if (forbidden.test(wire)) return
    const { findings, value } = readDocument(encodeYaml(definition), "yaml", {})
    expect(findings.filter(({ code }) => code !== "secret_as_text")).toEqual([])
    expect(canonical(value)).toBe(wire)
  })

  it("with texts that look like something else", () => {
    const description = "${HOME} $${X} yes: [no] # *a &b\n\ttab é \u0000 𝄞"
    const wire = {
      name: "1",
      description,
      stages: {
        null: { source: { use: "true", path: "1.0", "a b": ["~", "0x1", "", " x "] } },
        "0": { from: "null", sink: { use: "m" } }
      }
    }
    const definition = Result.getOrThrow(decodeDefinition(wire))
    const again = parsePipelineFile({ text: encodeYaml(definition), environment: {} })
    expect(again.findings).toEqual([])
    expect(again.definition).toEqual(definition)
  })
})

describe("signature", () => {
  const wire = { name: "p", stages: { a: { source: { use: "m" } }, b: { from: "a", sink: { use: "m" } } } }
  const of = (value: unknown) => signature(Schema.decodeUnknownSync(Definition)(value))

  it("depends on what a pipeline does, not on how it is written", () => {
    expect(of(wire)).toMatch(/^[0-9a-f]{64}$/)
    expect(of({ ...wire, description: "other" })).toBe(of(wire))
    expect(of({ ...wire, runtime: { batch_size: 1000, max_buffering: "1000ms" } })).toBe(of(wire))
    expect(of({ stages: { b: { sink: { use: "m" }, from: ["a"] }, a: wire.stages.a }, name: "p" })).toBe(
      of(wire)
    )
    expect(of({ ...wire, runtime: { batch_size: 999 } })).not.toBe(of(wire))
  })
})

it("names the secrets of a definition", () => {
  const definition = Result.getOrThrow(
    decodeDefinition({
      name: "p",
      stages: {
        a: { source: { use: "m", password: { secret: "A" }, deep: [{ token: { secret: "B" } }] } },
        b: { from: "a", sink: { use: "m", key: { secret: "A" }, not: { secret: "C", more: 1 } } },
        c: { from: "a", service: { endpoints: [{ url: "http://x" }], headers: { a: { secret: "D" } } } }
      }
    })
  )
  expect(secretNames(definition)).toEqual(["A", "B", "D"])
})

it("pipeline.schema.json is what the schema says (npm run schema)", () => {
  expect(readFileSync(pipelineSchemaFile, "utf8")).toBe(pipelineSchema())
})
