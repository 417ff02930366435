/**
 * Stages that are data: what a program writes is what a file would say, and what does not fit does not compile.
 *
 * @module
 */
import { assert, describe, it } from "@effect/vitest"
import { Result, Schema } from "effect"
import { encodeYaml, parsePipelineFile } from "../../../src/config/PipelineFile.ts"
import { End, Pipeline } from "../../../src/index.ts"

const Line = Schema.Struct({ sku: Schema.String, count: Schema.Number })
const Order = Schema.Struct({ id: Schema.Number, at: Schema.String, lines: Schema.Array(Line) })
const OneLine = Schema.Struct({ id: Schema.Number, line: Line })
const Count = Schema.Struct({ sku: Schema.String, sold: Schema.Number, ids: Schema.Array(Schema.Number) })
const end = <A>(name: string, schema?: Schema.Codec<A, A>) => End.make({ use: "memory", name }, schema)
const orders = Pipeline.source("orders", end("orders", Order), {
  eventTime: { field: "at", allowedLateness: "1 hour", onLate: "drop" }
})

const counted = Pipeline.make("counted", { merge: "event_time" }).pipe(
  orders,
  Pipeline.dedupe("once", { key: "record.id", within: "1 day" }),
  Pipeline.explodeBy("lines", OneLine, { field: "lines", into: "line", onEmpty: "dead_letter" }),
  Pipeline.validate("checked", OneLine, { onInvalid: "drop" }),
  Pipeline.service("priced", OneLine, { endpoints: [{ url: "http://localhost:1/price", weight: 1 }] }),
  Pipeline.aggregate("sold", Count, {
    window: { sliding: "1 hour", every: "10 minutes" },
    by: { sku: "record.line.sku" },
    make: { sold: { sum: "record.line.count" }, ids: { collect: "record.id" } }
  }),
  Pipeline.sink("out", end("out", Count))
)

describe("stages that are data", () => {
  it("are what a file says", () => {
    const definition = Result.getOrThrow(Pipeline.definition(counted))
    const stages = `
  orders: { source: { use: memory, name: orders }, event_time: { field: at, allowed_lateness: 1h, on_late: drop } }
  once: { from: orders, dedupe: { key: record.id, within: 1d } }
  lines: { from: once, explode: { field: lines, into: line, on_empty: dead_letter } }
  checked: { from: lines, validate: { contract: { id: number, line: object }, on_invalid: drop } }
  priced: { from: checked, service: { endpoints: [{ url: "http://localhost:1/price" }] } }
  sold:
    from: priced
    aggregate:
      window: { sliding: 1h, every: 10m }
      by: { sku: record.line.sku }
      make: { sold: { sum: record.line.count }, ids: { collect: record.id } }
  out: { from: sold, sink: { use: memory, name: out } }`
    const written = parsePipelineFile({
      text: `name: counted\nmerge: event_time\nstages:${stages}\n`,
      environment: {}
    }).definition!
    assert.strictEqual(definition.merge, written.merge)
    for (const [name, { output: _, validate, ...stage }] of Object.entries(definition.stages)) {
      const { validate: other, ...of } = written.stages[name]!
      assert.deepStrictEqual(stage, of, name)
      assert.strictEqual(validate?.onInvalid, other?.onInvalid)
    }
    assert.deepStrictEqual(definition.stages.checked?.validate?.contract, definition.stages.lines?.output)
    assert.deepStrictEqual(
      parsePipelineFile({ text: encodeYaml(definition), environment: {} }).definition,
      definition
    )
  })

  it("hand on what they make: what does not fit does not compile", () => {
    const flow = Pipeline.make("wrong").pipe(orders)
    // @ts-expect-error an order is not one of its lines
    flow.pipe(Pipeline.dedupe("once", { key: "record.id" }), Pipeline.sink("out", end("out", OneLine)))
    const lines = flow.pipe(Pipeline.explodeBy("lines", Line, { field: "lines" }))
    // @ts-expect-error what is behind the explode is a line, not an order
    lines.pipe(Pipeline.sink("out", end("out", Order)))
    // @ts-expect-error a line has no id
    lines.pipe(Pipeline.filter("some", (line) => line.id > 1))
    lines.pipe(
      Pipeline.validate("checked", Count),
      Pipeline.filter("some", ({ sold }) => sold > 1),
      Pipeline.sink("out", end("out", Count))
    )
    // @ts-expect-error a window needs to know how often it begins
    Pipeline.aggregate("a", Count, { window: { sliding: "1 hour" }, make: {} })
  })
})
