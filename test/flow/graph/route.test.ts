/**
 * Where a record goes next is what the engine would do with it.
 *
 * @module
 */
import { assert, describe, it } from "@effect/vitest"
import { Result, Schema } from "effect"
import { type Definition, decodeDefinition } from "../../../events/Definition.ts"
import { route } from "../../../src/flow/graph/route.ts"

const definition = (edges: ReadonlyArray<readonly [to: string, when?: string]>): Definition =>
  Result.getOrThrow(
    decodeDefinition({
      name: "p",
      stages: {
        in: { source: { use: "memory" } },
        ...Object.fromEntries(
          edges.map(([to, when]) => [
            to,
            { from: when === undefined ? "in" : { stage: "in", when }, sink: { use: "memory" } }
          ])
        )
      }
    })
  )

const of = definition([
  ["all"],
  ["large", "record.n > 10"],
  ["mine", 'key == "me"'],
  ["typed", 'metadata.type == "order"'],
  ["late", 'event_time > timestamp("2026-01-01T00:00:00Z")']
])

describe("route", () => {
  it("goes along every edge whose condition holds", () => {
    assert.deepStrictEqual(route(of, "in", { payload: { n: 1 } }), { to: ["all"], unrouted: false })
    assert.deepStrictEqual(
      route(of, "in", {
        payload: { n: 11 },
        key: "me",
        metadata: { type: "order" },
        eventTime: Date.UTC(2026, 5)
      }),
      { to: ["all", "large", "mine", "typed", "late"], unrouted: false }
    )
  })

  it("says when no edge takes a record: a missing value is no", () => {
    const conditional = definition([
      ["large", "record.n > 10"],
      ["mine", "record.owner.name == 'me'"]
    ])
    for (const payload of [{ n: 1 }, {}, null, "text", { n: "11" }]) {
      assert.deepStrictEqual(route(conditional, "in", { payload }), { to: [], unrouted: true })
    }
  })

  it("goes nowhere out of a sink or a stage that is none, and that is not unrouted", () => {
    for (const stage of ["all", "nowhere", "__proto__", "toString"]) {
      assert.deepStrictEqual(route(of, stage, { payload: {} }), { to: [], unrouted: false })
    }
  })

  it.prop(
    "never throws",
    { when: Schema.String, stage: Schema.Literals(["in", "a", "?"]), payload: Schema.Unknown },
    ({ payload, stage, when }) => {
      const { to, unrouted } = route(definition([["a", when === "" ? "?" : when]]), stage, { payload })
      assert.isTrue(to.length === 0 || !unrouted)
    }
  )

  it("a value that cannot be looked at is no", () => {
    const hostile = new Proxy(
      {},
      {
        get: () => assert.fail("looked"),
        has: () => assert.fail("looked"),
        ownKeys: () => assert.fail("looked"),
        getOwnPropertyDescriptor: () => assert.fail("looked")
      }
    )
    assert.deepStrictEqual(route(definition([["a", "record.n > 1"]]), "in", { payload: hostile }), {
      to: [],
      unrouted: true
    })
  })
})
