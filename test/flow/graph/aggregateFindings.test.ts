/**
 * Settings of an aggregating stage that cannot be meant, and what is known of the fields behind it.
 *
 * @module
 */
import { Result } from "effect"
import { expect, it } from "vitest"
import { decodeDefinition } from "../../../events/Definition.ts"
import { stageFields } from "../../../src/flow/graph/fields.ts"
import { validateGraph } from "../../../src/flow/graph/validateGraph.ts"

const definition = (aggregate: object, output?: object) =>
  Result.getOrThrow(
    decodeDefinition({
      name: "counts",
      stages: {
        in: {
          source: { use: "file" },
          output: { delay: "number", carrier: "string", at: "string" },
          event_time: { field: "at" }
        },
        hourly: { from: "in", aggregate, ...(output === undefined ? {} : { output }) },
        out: { from: "hourly", sink: { use: "file" } }
      }
    })
  )

const found = (aggregate: object, output?: object) =>
  validateGraph(definition({ make: { n: "count" }, ...aggregate }, output)).map(
    ({ code, pointer }) => `${code} ${pointer.replace("/stages/hourly", "")}`
  )

it("finds windows that no record could be counted in", () => {
  expect(found({ window: { tumbling: "1h" } })).toEqual([])
  expect(found({ window: { tumbling: "0s" } })).toEqual(["bad_value /aggregate/window/tumbling"])
  expect(found({ window: { session: "0s" } })).toEqual(["bad_value /aggregate/window/session"])
  expect(found({ window: { sliding: "0s", every: "0s" } })).toEqual([
    "bad_value /aggregate/window/sliding",
    "bad_value /aggregate/window/every"
  ])
  expect(found({ window: { sliding: "1000s", every: "1s" } })).toEqual([])
  expect(found({ window: { sliding: "1001s", every: "1s" } })).toEqual(["bad_value /aggregate/window/every"])
  expect(found({ window: { sliding: "10s", every: "3s" }, limit: 3 })).toEqual(["bad_value /aggregate/limit"])
  expect(found({ window: { sliding: "3s", every: "10s" }, limit: 1 })).toEqual([])
})

it("finds names that clash or are refused, and expressions that cannot be right", () => {
  const window = { tumbling: "1h" }
  const by = { carrier: "record.carrier", window_end: "1" }
  const make = { carrier: "count", window_start: "count", constructor: "count" }
  expect(found({ window, by, make })).toEqual([
    "name_clash /aggregate/by/window_end",
    "name_clash /aggregate/make/carrier",
    "name_clash /aggregate/make/window_start",
    "forbidden_key /aggregate/make/constructor"
  ])
  const wrong = { mean: { avg: "record.dely" }, list: { collect: "((", limit: 3 } }
  expect(found({ window, by: { carrier: "record.carier" }, make: wrong })).toEqual([
    "bad_expression /aggregate/by/carrier",
    "bad_expression /aggregate/make/mean/avg",
    "bad_expression /aggregate/make/list/collect"
  ])
})

it("knows the fields behind an aggregate", () => {
  const aggregate = {
    window: { tumbling: "1h" },
    by: { carrier: "record.carrier" },
    make: { n: "count", delay: { avg: "record.delay" }, delays: { collect: "record.delay" } }
  }
  const fields = stageFields(definition(aggregate)).get("hourly")!.output!
  expect([...fields].map(([name, { type }]) => `${name}: ${type}`)).toEqual([
    "carrier: any",
    "window_start: string",
    "window_end: string",
    "n: integer",
    "delay: number",
    "delays: array"
  ])
  expect(found(aggregate, { carrier: "string", delay: "number", n: "string", of: "string" })).toEqual([
    "contract_mismatch /output/n",
    "contract_mismatch /output/of"
  ])
})
