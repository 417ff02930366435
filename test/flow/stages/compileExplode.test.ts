/**
 * One record for each element of a list.
 *
 * @module
 */
import { assert, describe, it } from "@effect/vitest"
import { Result, Schema } from "effect"
import { Explode } from "../../../events/definition/Explode.ts"
import { dropped } from "../../../src/flow/route/Route.ts"
import { compileExplode } from "../../../src/flow/stages/compileExplode.ts"

const scope = { record: null, metadata: {}, key: null, event_time: null }
const split = (wire: typeof Explode.Encoded, payload: unknown) =>
  Result.try({
    try: () => compileExplode("e", Schema.decodeSync(Explode)(wire)).split!(payload, scope),
    catch: (error) => (error as { readonly code: string }).code
  })
const order = { id: 7, lines: [{ sku: "a" }, { sku: "b" }], deep: { lines: [1, 2], more: true } }

describe("explode", () => {
  it("makes the elements themselves, or puts each into the record", () => {
    assert.deepStrictEqual(split({ field: "lines" }, order), Result.succeed(order.lines))
    const { lines: _, ...rest } = order
    assert.deepStrictEqual(
      split({ field: "lines", into: "line" }, order),
      Result.succeed([
        { ...rest, line: { sku: "a" } },
        { ...rest, line: { sku: "b" } }
      ])
    )
    assert.deepStrictEqual(
      split({ field: "lines", into: "lines" }, { lines: [1, 2] }),
      Result.succeed([{ lines: 1 }, { lines: 2 }])
    )
  })

  it("follows a path of own fields, and leaves the record as it was", () => {
    const before = structuredClone(order)
    const pieces = split({ field: "deep.lines", into: "n" }, order)
    assert.deepStrictEqual(
      pieces,
      Result.succeed([1, 2].map((n) => ({ id: 7, lines: order.lines, deep: { more: true }, n })))
    )
    assert.deepStrictEqual(order, before)
    assert.deepStrictEqual(split({ field: "constructor.name" }, order), Result.succeed(dropped))
  })

  it("a record without elements is dropped, kept as one, or a dead letter", () => {
    for (const payload of [{}, { l: null }, { l: [] }]) {
      assert.deepStrictEqual(split({ field: "l" }, payload), Result.succeed(dropped))
      assert.deepStrictEqual(split({ field: "l", on_empty: "keep" }, payload), Result.succeed([payload]))
      assert.deepStrictEqual(
        split({ field: "l", into: "x", on_empty: "keep" }, payload),
        Result.succeed([{ x: null }])
      )
      assert.deepStrictEqual(
        split({ field: "l", on_empty: "dead_letter" }, payload),
        Result.fail("empty_list")
      )
    }
  })

  it("what is no list is never taken for one (invariant 8)", () => {
    for (const l of ["ab", 3, { 0: "a", length: 1 }]) {
      assert.deepStrictEqual(split({ field: "l" }, { l }), Result.fail("not_a_list"))
    }
    assert.deepStrictEqual(split({ field: "l" }, [1]), Result.fail("not_an_object"))
  })

  it("a list of a million is refused by its length: none of it is looked at", () => {
    const list = new Proxy([], {
      get: (target, key) => {
        if (key === "length") return 1_000_000
        if (typeof key === "string" && /^\d+$/.test(key)) throw new Error("it was looked at")
        return Reflect.get(target, key)
      }
    })
    assert.deepStrictEqual(split({ field: "l" }, { l: list }), Result.fail("too_many_items"))
    assert.deepStrictEqual(split({ field: "l", limit: 2 }, { l: [1, 2] }), Result.succeed([1, 2]))
    assert.deepStrictEqual(split({ field: "l", limit: 2 }, { l: [1, 2, 3] }), Result.fail("too_many_items"))
  })
})
