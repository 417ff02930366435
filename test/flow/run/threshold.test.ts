/**
 * The dead-letter threshold: which record it is that stops a run.
 *
 * @module
 */
import { assert, describe, it } from "@effect/vitest"
import { Schema } from "effect"
import { Definition } from "../../../events/Definition.ts"
import { trippingOffset } from "../../../src/flow/run/threshold.ts"

const { deadLetters: defaults } = Schema.decodeUnknownSync(Definition)({ name: "p", stages: {} })
const upTo = (count: number, from = 0) => Array.from({ length: count }, (_, index) => from + index)

describe("the default", () => {
  it("is 10 in 100", () => assert.deepStrictEqual(defaults, { window: 100, threshold: 10 }))
  it("10 dead letters in 100 records pass", () =>
    assert.isUndefined(trippingOffset(defaults, [], [...upTo(9), 99])))
  it("the 11th in 100 records trips, and not before", () => {
    assert.strictEqual(trippingOffset(defaults, [], [...upTo(10), 99, 100]), 99)
    assert.strictEqual(trippingOffset(defaults, [], upTo(100)), 10)
  })
  it("the 11th in 101 records does not", () =>
    assert.isUndefined(trippingOffset(defaults, [], [...upTo(10), 100])))
})

describe("the limits", () => {
  it("a window of 0 is no limit", () =>
    assert.isUndefined(trippingOffset({ window: 0, threshold: 0 }, upTo(50), upTo(1000, 50))))
  it("a threshold of 0 stops at the first dead letter (Conduit)", () =>
    assert.strictEqual(trippingOffset({ window: 100, threshold: 0 }, [], [7, 8]), 7))
  it("a window of 1 sees one record", () => {
    assert.isUndefined(trippingOffset({ window: 1, threshold: 1 }, [], upTo(50)))
    assert.strictEqual(trippingOffset({ window: 1, threshold: 0 }, [], [3]), 3)
  })
})

describe("a resumed run", () => {
  it("counts what was sealed before", () => {
    assert.strictEqual(trippingOffset(defaults, upTo(10), [50]), 50)
    assert.isUndefined(trippingOffset(defaults, upTo(10), [100]))
  })
  it("that had tripped has tripped", () => assert.strictEqual(trippingOffset(defaults, upTo(11), []), 10))
  it("with nothing new has nothing to trip on", () =>
    assert.isUndefined(trippingOffset(defaults, upTo(10), [])))

  const inputs = {
    gaps: Schema.Array(Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 12 }))),
    window: Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 40 })),
    threshold: Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 8 })),
    size: Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 60 }))
  }
  it.prop(
    "trips where an undisturbed one would, and that is where the window is over-full",
    inputs,
    (of) => {
      let offset = -1
      const offsets = of.gaps.map((gap) => {
        offset += gap
        return offset
      })
      const inWindow = (at: number) => offsets.filter((each) => each > at - of.window && each <= at).length
      const expected = offsets.find((at) => inWindow(at) > of.threshold)
      assert.strictEqual(trippingOffset(of, [], offsets), expected)

      let ring: ReadonlyArray<number> = []
      for (let from = 0; from <= offset; from += of.size) {
        const fresh = offsets.filter((each) => each >= from && each < from + of.size)
        const trips = trippingOffset(of, ring, fresh)
        if (trips !== undefined) return assert.strictEqual(trips, expected)
        ring = [...ring, ...fresh].filter((each) => each >= from + of.size - of.window)
      }
      assert.isUndefined(expected)
    },
    { arbitrary: { runs: 500, size: 60 } }
  )
})
