/**
 * The description of a pipeline: when it is valid, and what it is signed as.
 *
 * @module
 */
import { assert, describe, it } from "@effect/vitest"
import { Result } from "effect"
import { signature as fileSignature } from "../../src/flow/contract/signature.ts"
import * as Runtime from "../../src/pipeline/Runtime.ts"
import { forked, orders } from "./stepping.ts"

const { sinkStage, transformStage } = Runtime

describe("a pipeline", () => {
  const codes = (...stages: ReadonlyArray<Runtime.RuntimeStage>) =>
    Runtime.pipelineFindings({ name: "p", stages }).map(({ code }) => code)
  const [source, transform, sink] = orders.stages as [
    Runtime.RuntimeStage,
    Runtime.RuntimeStage,
    Runtime.RuntimeStage
  ]

  it("is valid with a source and a sink", () => {
    assert.isTrue(Runtime.validPipeline(orders))
    assert.deepStrictEqual(codes(source, sink), [])
    assert.deepStrictEqual(Runtime.runtimePipeline(Runtime.make(orders)), orders)
  })
  it("is told everything that is wrong with it", () => {
    assert.deepStrictEqual(codes(), ["no_stages"])
    assert.deepStrictEqual(codes(source, transform), ["no_sink"])
    assert.include(codes(transform, sink), "no_source")
    assert.deepStrictEqual(codes(source, sink, sink), ["duplicate_name"])
    assert.deepStrictEqual(codes(source, sink, transform), ["stage_order", "dead_end"])
    assert.deepStrictEqual(codes(source, sinkStage("__proto__")), ["forbidden_key"])
    assert.isNotEmpty(codes(source, sinkStage("not a name")))
    assert.deepStrictEqual(codes(source, transformStage("t", { filter: "record." }), sink), [
      "bad_expression"
    ])
  })
  it("may have transforms of every kind a file has", () => {
    const timed = Runtime.sourceStage("in", undefined, { event_time: { field: "at" } })
    const kinds: ReadonlyArray<Runtime.TransformWire> = [
      { explode: { field: "lines", into: "line" } },
      { validate: { contract: { id: "string", line: "object" }, on_invalid: "drop" } },
      { dedupe: { key: "record.line.id" } },
      { lookup: { use: "memory", name: "rows", match: { id: "id" }, on_miss: "drop" } },
      { service: { endpoints: [{ url: "http://localhost:1/" }] } },
      { aggregate: { window: { tumbling: "1h" }, make: { count: "count" } } }
    ]
    const stages = kinds.map((does, index) => transformStage(`t${index}`, does))
    assert.deepStrictEqual(codes(timed, ...stages, sink), [])
    assert.include(codes(timed, transformStage("t", { explode: { field: "" } }), sink), "bad_value")
  })
  it("has the signature of its definition as a file, and none when it is invalid", () => {
    const definition = Result.getOrThrow(Runtime.definitionOf(orders))
    assert.strictEqual(Runtime.pipelineSignature(orders), fileSignature(definition))
    assert.notStrictEqual(Runtime.pipelineSignature(orders), Runtime.pipelineSignature(forked))
    assert.isNull(Runtime.pipelineSignature({ name: "p", stages: [] }))
  })
})
